"""The parent's side of a child that reads a PDF: start, ask with a time limit, end. Trusts nothing that comes back."""

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from youworker_app.core.errors import AppError
from youworker_app.core.telemetry import get_logger
from youworker_app.gateways.parsing.errors import (
    FileTooComplex,
    FileUnreadable,
    PdfDamaged,
    PdfPasswordProtected,
    PdfWithoutPages,
    ReaderStopped,
)
from youworker_app.gateways.parsing.pdf_frames import FRAME

log = get_logger(__name__)

_CHILD = "youworker_app.gateways.parsing.pdf_child"
_SOURCE_FOLDER = Path(__file__).resolve().parents[3]
_LONGEST_REPLY = 64 * 1024 * 1024
_LAST_BREATH_SECONDS = 5
_PIECE_BYTES = 1024 * 1024
# How pdfium ends where memory ends, and how the kernel ends it.
_OUT_OF_MEMORY = frozenset({-signal.SIGABRT, -signal.SIGTRAP, -signal.SIGILL, -signal.SIGKILL})
_ERRORS: dict[str, type[AppError]] = {
    "password": PdfPasswordProtected,
    "damaged": PdfDamaged,
    "no_pages": PdfWithoutPages,
    "too_complex": FileTooComplex,
    "no_page": PdfDamaged,
}


class PdfProcess:
    """One child. It is used by one caller at a time, for one document."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        to_child: asyncio.StreamWriter,
        from_child: asyncio.StreamReader,
    ) -> None:
        self._process = process
        self._to_child = to_child
        self._from_child = from_child
        self._is_ended = False

    @classmethod
    async def start(cls, *, memory_bytes: int, nice: int) -> "PdfProcess":
        """A fresh child, ready in some 50 ms and 25 MB. It gets no environment: there may be secrets in ours."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", _CHILD, str(memory_bytes), str(nice),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env={"PYTHONPATH": str(_SOURCE_FOLDER), "LANG": "C.UTF-8", "PATH": os.defpath}, cwd="/",
        )  # fmt: skip
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the child was started without pipes")
        return cls(process, process.stdin, process.stdout)

    async def ask(
        self, request: dict[str, Any], data: bytes = b"", *, seconds: float
    ) -> tuple[dict[str, Any], bytes]:
        """The child's reply and its bytes.

        Raises the file's own error as the child tells it; FileTooComplex after `seconds`; FileUnreadable when the child
        dies or talks nonsense; ReaderStopped when it was ended from elsewhere. After these, and after a cancellation,
        the child is dead.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._send(json.dumps(request).encode(), data)
                reply, out = await self._receive()
        except TimeoutError as error:
            await self._put_down()
            log.warning("pdf_reader_timed_out", step=request["do"], seconds=seconds)
            raise FileTooComplex from error
        except (OSError, EOFError) as error:
            if self._is_ended:
                raise ReaderStopped from error
            exit_code = await self._exit_code()
            log.warning("pdf_reader_died", step=request["do"], exit_code=exit_code)
            raise (FileTooComplex if exit_code in _OUT_OF_MEMORY else FileUnreadable) from error
        except ValueError as error:
            await self._put_down()
            log.warning("pdf_reader_talks_nonsense", step=request["do"])
            raise FileUnreadable from error
        except BaseException:
            self._kill()
            raise
        if code := reply.get("error"):
            raise _ERRORS.get(str(code), FileUnreadable)
        return reply, out

    async def end(self) -> None:
        """Kills the child and waits for its end; nothing happens when it has ended."""
        self._is_ended = True
        await self._put_down()

    async def _exit_code(self) -> int | None:
        """How a child ended that closed its pipe; one that only pretends is killed."""
        try:
            async with asyncio.timeout(_LAST_BREATH_SECONDS):
                return await self._process.wait()
        except TimeoutError:
            await self._put_down()
            return None

    async def _put_down(self) -> None:
        """The end that a file brought on itself: later questions blame the file, and not the server's stop."""
        self._kill()
        await self._process.wait()

    def _kill(self) -> None:
        # Not Process.kill(): that one reaps a child that has just died, behind the back of asyncio's own watcher.
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    async def _send(self, text: bytes, data: bytes) -> None:
        pipe = self._to_child
        pipe.write(FRAME.pack(len(text), len(data)) + text)
        # In pieces: a pipe copies what it cannot send at once.
        for start in range(0, len(data), _PIECE_BYTES):
            pipe.write(data[start : start + _PIECE_BYTES])
            await pipe.drain()
        await pipe.drain()

    async def _receive(self) -> tuple[dict[str, Any], bytes]:
        pipe = self._from_child
        text_length, data_length = FRAME.unpack(await pipe.readexactly(FRAME.size))
        if text_length + data_length > _LONGEST_REPLY:
            raise ValueError("too long a reply")
        reply = json.loads(await pipe.readexactly(text_length))
        if not isinstance(reply, dict):
            raise ValueError("not a reply")
        return reply, await pipe.readexactly(data_length)
