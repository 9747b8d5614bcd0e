"""The server's side of the process that holds the embedded index: start, ask, notice its end.

Many requests may wait at once; the answers find them by number. Knows nothing of what the requests mean.
"""

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from youworker_app.core.telemetry import get_logger
from youworker_app.gateways.vectors import wire
from youworker_app.gateways.vectors.errors import VectorStoreAway

log = get_logger(__name__)

_CHILD = "youworker_app.gateways.vectors.child"
_SOURCE_FOLDER = Path(__file__).resolve().parents[3]
# What waits beyond this would be answered after its asker has gone.
_MOST_WAITING = 1_000
_PIPE_BYTES = 1024 * 1024


class ShardDamaged(Exception):
    """The shard's files cannot be opened."""


class ShardGone(VectorStoreAway):
    """The child died before it answered: nobody knows whether it did what it was asked."""


class ShardProcess:
    """One child. `ask` may be called from many tasks at once."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the child was started without pipes")
        self._process, self._to_child, self._from_child = process, process.stdin, process.stdout
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[tuple[dict[str, Any], bytes]]] = {}
        self._draining = asyncio.Lock()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, inherited: Sequence[int]) -> "ShardProcess":
        """A fresh child, ready in some 30 ms and 9 MB. It gets no environment: there may be secrets in ours.

        `inherited`: file descriptors that it keeps open as long as it lives, such as the folder's lock.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", _CHILD,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env={"PYTHONPATH": str(_SOURCE_FOLDER), "LANG": "C.UTF-8", "PATH": os.defpath}, cwd="/",
            pass_fds=tuple(inherited), limit=_PIPE_BYTES,
        )  # fmt: skip
        return cls(process)

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    async def ask(
        self, do: str, body: bytes = b"", *, seconds: float, **head: Any
    ) -> tuple[dict[str, Any], bytes]:
        """The reply's values and bytes.

        Raises:
            VectorStoreAway: the child refused, has too much to do, or took longer than `seconds` (it is killed
                then: something is wrong with it).
            ShardGone: it is dead, or died meanwhile.
            ShardDamaged: it cannot open the files.
        """
        if self._reading.done():
            raise ShardGone
        if len(self._waiting) >= _MOST_WAITING:
            raise VectorStoreAway
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                await self._send(wire.pack({"id": number, "do": do, **head}, body))
                reply, out = await answer
        except TimeoutError as error:
            log.error("vector_process_hangs", step=do, seconds=seconds)
            self.kill()
            raise VectorStoreAway from error
        finally:
            self._waiting.pop(number, None)
        if kind := reply.get("error"):
            log.error("vector_shard_failed", step=do, reason=str(reply.get("reason")))
            raise ShardDamaged if kind == wire.DAMAGED else VectorStoreAway
        return reply, out

    async def ended(self) -> int:
        """Waits for the child's end; its exit code, negative for a signal."""
        await asyncio.wait([self._reading])
        return await self._process.wait()

    def kill(self) -> None:
        """Ends the child at once; what was acknowledged is safe."""
        # Not Process.kill(): that one reaps a child that has just died, behind the back of asyncio's own watcher.
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    async def end(self) -> None:
        """Kills the child and waits for its end."""
        self.kill()
        await self.ended()

    async def _send(self, frame: bytes) -> None:
        try:
            self._to_child.write(frame)
            async with self._draining:
                await self._to_child.drain()
        except (OSError, RuntimeError) as error:
            # uvloop closes the pipe of a child that died by itself, and has no OSError for who writes to it then.
            raise ShardGone from error

    async def _read(self) -> None:
        """Hands out the replies until the pipe closes; whoever still waits then waits in vain."""
        try:
            while True:
                start = await self._from_child.readexactly(wire.FRAME.size)
                head_length, body_length = wire.FRAME.unpack(start)
                head = orjson.loads(await self._from_child.readexactly(head_length))
                body = await self._from_child.readexactly(body_length)
                answer = self._waiting.get(head["id"])
                if answer is not None and not answer.done():
                    answer.set_result((head, body))
        except (OSError, EOFError, ValueError):
            pass
        finally:
            # One whose pipe is broken is of no use, whatever it still does.
            self.kill()
            self._to_child.close()
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(ShardGone())
