"""Writing an index anew beside itself, so that what was deleted leaves the files while everything goes on.

The library can only clean up by `optimize`, which stops searches, writes and a server's end for as long as it takes (2 s for
100,000 points). Here a successor is filled page by page from the living shard, each write meanwhile goes to both, and at the
end the successor takes over. A crash at any point leaves the one or the other, whole.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from youworker_app.core.telemetry import get_logger
from youworker_app.gateways.vectors.errors import VectorStoreAway
from youworker_app.gateways.vectors.folder import IndexFolder, Note
from youworker_app.gateways.vectors.process import ShardDamaged, ShardProcess

log = get_logger(__name__)

# What searches and writes wait for at most because of a page.
_PAGE = 64
_LONGEST_STEP_S = 120.0
# A pause this many times as long as the page took: searches come first.
_PAUSES = 1.0
Result = TypeVar("Result")


class Renewal:
    """One successor of one shard, from its first page to its taking over.

    Args:
        writing: the lock under which all writes to the living shard are made, one after the other.
    """

    def __init__(self, folder: IndexFolder, note: Note, living: ShardProcess, writing: asyncio.Lock) -> None:
        self._folder, self._note, self._living, self._writing = folder, note, living, writing
        self._successor: ShardProcess | None = None
        self._is_open = self._is_over = False

    async def run(self, take_over: Callable[[ShardProcess, Note], None]) -> None:
        """Fills a successor and gives it to `take_over`; without leaving anything behind when that cannot be.

        Raises VectorStoreAway when either process fails.
        """
        try:
            note = await _undivided(asyncio.to_thread(self._folder.begin_successor, self._note))
            await self._open(note)
            await self._copy()
            await self._finish(note, take_over)
        except ShardDamaged as error:
            raise VectorStoreAway from error
        finally:
            if self._successor is not None:
                await self._successor.end()
            if not self._is_over:
                await _undivided(asyncio.to_thread(self._folder.sweep, self._note))

    async def repeat(self, do: str, body: bytes, head: dict[str, Any]) -> None:
        """Does a write of the living shard to the successor too. Call under the lock of the writes.

        A successor that fails here is given up; the write itself has been made.
        """
        if self._successor is None or not self._is_open:
            return
        try:
            await self._successor.ask(do, body, seconds=_LONGEST_STEP_S, **{**head, "sync": False})
        except VectorStoreAway:
            self.give_up()

    def give_up(self) -> None:
        """For when nobody knows whether the living shard did a write: `run` fails then."""
        if self._successor is not None:
            self._successor.kill()

    async def _open(self, note: Note) -> None:
        successor = self._successor = await ShardProcess.start([self._folder.lock_descriptor()])
        path, dimension = str(self._folder.path / note.shard), note.info.dimension
        for step in ("create", "open"):
            await successor.ask(step, path=path, dimension=dimension, seconds=_LONGEST_STEP_S)
        self._is_open = True

    async def _copy(self) -> None:
        """All points, page by page.

        A page is read and written under one lock, so that no write comes between: what is copied already is kept
        equal by `repeat`, what is not is still to come.
        """
        after, more = None, True
        while more:
            begun = time.monotonic()
            async with self._writing:
                head, body = await self._living.ask("read", after=after, limit=_PAGE, seconds=_LONGEST_STEP_S)
                if more := bool(head["chunks"]):
                    after = head["chunks"][-1]
                    await self._tell("upsert", body, **_points(head), sync=False)
            await asyncio.sleep((time.monotonic() - begun) * _PAUSES)

    async def _finish(self, note: Note, take_over: Callable[[ShardProcess, Note], None]) -> None:
        await self._tell("flush")
        async with self._writing:
            await self._tell("flush")
            (copied, _), (there, _) = [
                await each.ask("count", seconds=_LONGEST_STEP_S) for each in (self._ready(), self._living)
            ]
            if copied["count"] != there["count"]:
                log.error("vector_index_copy_differs", copied=copied["count"], there=there["count"])
                raise VectorStoreAway
            await _undivided(self._commit(note, take_over))

    async def _commit(self, note: Note, take_over: Callable[[ShardProcess, Note], None]) -> None:
        """From here on the successor is the index: half of this would lose it."""
        await asyncio.to_thread(self._folder.write_note, note)
        successor, self._successor, self._is_over = self._ready(), None, True
        take_over(successor, note)

    async def _tell(self, do: str, body: bytes = b"", **head: Any) -> None:
        await self._ready().ask(do, body, seconds=_LONGEST_STEP_S, **head)

    def _ready(self) -> ShardProcess:
        if self._successor is None:
            raise VectorStoreAway
        return self._successor


async def _undivided(doing: Coroutine[Any, Any, Result]) -> Result:
    """Something that is waited for to its end by one who is cancelled meanwhile, too."""
    task = asyncio.create_task(doing)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


def _points(head: dict[str, Any]) -> dict[str, Any]:
    return {key: head[key] for key in ("chunks", "documents", "visibility", "terms")}
