"""The vector store in the data folder: its calls, made in frames for the process that holds the shard.

Owns the folder and that process: starts it, starts it anew when it dies, and has the index written anew once something was
deleted. Searches go to the process at once, writes one batch after the other, so that a search waits for one batch at most.
"""

import asyncio
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from youworker_app.core.disk import disk_errors, require_room
from youworker_app.core.errors import AppError, StorageFull
from youworker_app.core.telemetry import get_logger
from youworker_app.gateways.vectors import rules, wire
from youworker_app.gateways.vectors.errors import VectorIndexDamaged, VectorStoreAway
from youworker_app.gateways.vectors.folder import IndexFolder, Note
from youworker_app.gateways.vectors.process import ShardDamaged, ShardGone, ShardProcess
from youworker_app.gateways.vectors.protocol import (
    AccessFilter,
    IndexInfo,
    SparseVector,
    StoredPoint,
    VectorHit,
    VectorPoint,
)
from youworker_app.gateways.vectors.renewal import Renewal

log = get_logger(__name__)

# 64 points take the process 5 ms, for which a search may have to wait.
_BATCH = 64
_DELETIONS = frozenset({"delete_document", "delete_points"})
_SEARCH_S, _WRITE_S, _COUNT_S = 60.0, 120.0, 120.0
# 300,000 points a second are opened; after a crash there is also the log to read.
_OPEN_S = 600.0
# A server has 10 s for its whole end; a process that is killed has lost nothing but a quick next start.
_CLOSE_S = 4.0
_FIRST_REVIVAL_S, _LAST_REVIVAL_S = 0.1, 30.0
# What is to be written waits so long for the successor of a process that died: it may have cost an embedding.
_SUCCESSOR_S, _LOOK_AGAIN_S = 10.0, 0.02
_RENEW_AFTER_S = 60.0
# Writing the index anew may take this part of the time: at once in a small index, a few times a day in a huge one.
_RENEWAL_PAUSES = 60.0
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 24 * 3600.0


class EmbeddedVectorStore:
    """Fulfils `VectorStore` over one folder, made when missing and owned from `prepare` to `close`.

    Args:
        renew_after_s: how long after the last deletion the index is written anew without what was deleted.
        reserve_bytes: room that is left on the disk.
    """

    def __init__(
        self, folder: Path, *, renew_after_s: float = _RENEW_AFTER_S, reserve_bytes: int = 0
    ) -> None:
        self._folder = IndexFolder(folder)
        self._renew_after_s, self._reserve_bytes = renew_after_s, reserve_bytes
        self._note: Note | None = None
        self._process: ShardProcess | None = None
        self._writing, self._opening = asyncio.Lock(), asyncio.Lock()
        self._renewal: Renewal | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._deleted = asyncio.Event()
        self._closed = False

    @property
    def process_id(self) -> int | None:
        """Of the process that holds the index now; None while there is none."""
        return self._process.pid if self._process is not None else None

    async def prepare(self, info: IndexInfo) -> None:
        async with self._opening:
            if self._closed:
                raise VectorStoreAway
            if self._note is not None:
                rules.check_same(self._note.info, info)
                return
            with disk_errors():
                await asyncio.to_thread(self._folder.own)
            try:
                self._note, self._process = await self._opened(info)
            except BaseException:
                self._folder.disown()
                raise
            if self._folder.is_deleted_kept():
                self._deleted.set()
            self._tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._renew())]

    async def upsert(self, points: Sequence[VectorPoint]) -> None:
        dimension = self._opened_as().info.dimension
        for batch in rules.batches(points, _BATCH):
            rules.check_points(batch, dimension)
            await asyncio.sleep(0)
        last = (len(points) - 1) // _BATCH
        for number, batch in enumerate(rules.batches(points, _BATCH)):
            # The shard writes through memory: without room the kernel ends its process in the middle of a batch.
            require_room(self._folder.path, self._reserve_bytes)
            head, body = _frame(batch)
            # The log is one: what waits for the disk with the last batch waits for all of them.
            await self._write("upsert", body, **head, sync=number == last)

    async def search_dense(
        self,
        vector: NDArray[np.float32],
        access: AccessFilter,
        *,
        limit: int,
        document_ids: Collection[str] | None = None,
    ) -> list[VectorHit]:
        rules.check_dense(vector, self._ready().info.dimension)
        if rules.finds_nothing(access, limit, document_ids):
            return []
        body = np.ascontiguousarray(vector, dtype=np.float32).tobytes()
        return await self._search("dense", body, access, limit, document_ids)

    async def search_sparse(
        self,
        vector: SparseVector,
        access: AccessFilter,
        *,
        limit: int,
        document_ids: Collection[str] | None = None,
    ) -> list[VectorHit]:
        self._ready()
        if rules.finds_nothing(access, limit, document_ids) or not vector.indices:
            return []
        body = wire.sparse_body(vector.indices, vector.values)
        return await self._search("sparse", body, access, limit, document_ids)

    async def set_visibility(self, document_id: str, visibility: Sequence[str]) -> None:
        await self._write("set_visibility", document=document_id, visibility=list(visibility), sync=True)

    async def delete_document(self, document_id: str) -> None:
        await self._write("delete_document", document=document_id, sync=True)

    async def delete_points(self, chunk_ids: Collection[str]) -> None:
        self._opened_as()
        if chunk_ids:
            await self._write("delete_points", chunks=list(chunk_ids), sync=True)

    async def count_by_document(self) -> dict[str, int]:
        return await self._count_by(rules.DOCUMENT)

    async def count_by_visibility(self) -> dict[str, int]:
        return await self._count_by(rules.VISIBILITY)

    async def list_points(
        self, *, after: str | None = None, limit: int, document_id: str | None = None
    ) -> list[StoredPoint]:
        reply, _ = await self._ask("list", seconds=_COUNT_S, after=after, limit=limit, document=document_id)
        return [StoredPoint(chunk, document, tuple(seen)) for chunk, document, seen in reply["points"]]

    async def reset(self) -> None:
        async with self._opening:
            if self._closed:
                raise VectorStoreAway
            await asyncio.to_thread(self._folder.own)
            await self._let_go(orderly=False)
            await asyncio.to_thread(self._folder.drop)

    async def close(self) -> None:
        async with self._opening:
            self._closed = True
            try:
                await self._let_go(orderly=True)
            finally:
                self._folder.disown()

    async def _opened(self, info: IndexInfo) -> tuple[Note, ShardProcess]:
        """The shard of this model, made when there is none, and a process that has it open."""
        require_room(self._folder.path, self._reserve_bytes)
        note = await asyncio.to_thread(self._folder.find_note)
        if note is not None:
            rules.check_same(note.info, info)
            await asyncio.to_thread(self._folder.sweep, note)
        process = await ShardProcess.start([self._folder.lock_descriptor()])
        try:
            if note is None:
                with disk_errors():
                    growing = await asyncio.to_thread(self._folder.begin_shard, info)
                await process.ask("create", path=str(growing), dimension=info.dimension, seconds=_OPEN_S)
                note = await asyncio.to_thread(self._folder.finish_shard, growing)
            path = str(self._folder.path / note.shard)
            await process.ask("open", path=path, dimension=info.dimension, seconds=_OPEN_S)
        except ShardDamaged as error:
            await process.end()
            raise VectorIndexDamaged(folder=str(self._folder.path)) from error
        except BaseException:
            await process.end()
            raise
        return note, process

    async def _let_go(self, *, orderly: bool) -> None:
        """Ends the process and what goes on around it."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        process, self._process, self._note = self._process, None, None
        self._deleted.clear()
        if process is None:
            return
        if orderly:
            with suppress(VectorStoreAway):
                await process.ask("close", seconds=_CLOSE_S)
        await process.end()

    def _opened_as(self) -> Note:
        """Also while a process that died is being replaced."""
        if self._note is None:
            raise VectorStoreAway
        return self._note

    def _ready(self) -> Note:
        if self._process is None:
            raise VectorStoreAway
        return self._opened_as()

    async def _ask(self, do: str, body: bytes = b"", *, seconds: float, **head: Any) -> tuple[Any, bytes]:
        self._ready()
        if self._process is None:
            raise VectorStoreAway
        return await self._process.ask(do, body, seconds=seconds, **head)

    async def _search(
        self, do: str, body: bytes, access: AccessFilter, limit: int, document_ids: Collection[str] | None
    ) -> list[VectorHit]:
        reply, _ = await self._ask(
            do,
            body,
            seconds=_SEARCH_S,
            visibility=sorted(access.visibility),
            limit=limit,
            documents=None if document_ids is None else list(document_ids),
        )
        return rules.best_first(VectorHit(*hit) for hit in reply["hits"])

    async def _count_by(self, field: str) -> dict[str, int]:
        reply, _ = await self._ask("count_by", seconds=_COUNT_S, field=field)
        counts: dict[str, int] = reply["counts"]
        return counts

    async def _write(self, do: str, body: bytes = b"", **head: Any) -> None:
        # Whoever asked may be cancelled: what one shard has done, a successor has to do as well.
        await asyncio.shield(asyncio.create_task(self._write_all(do, body, head)))

    async def _write_all(self, do: str, body: bytes, head: dict[str, Any]) -> None:
        async with self._writing:
            process = await self._successor_of(None)
            deletes, renewal = do in _DELETIONS, self._renewal
            if deletes:
                # Before it is done: what is marked for nothing costs a renewal, what is not marked would stay.
                with disk_errors():
                    self._folder.mark_deleted()
            try:
                await process.ask(do, body, seconds=_WRITE_S, **head)
            except VectorStoreAway as error:
                if renewal is not None:
                    renewal.give_up()
                if not isinstance(error, ShardGone):
                    raise
                # Each write may be done twice: points by their ids, keywords and deletions as often as one likes.
                await (await self._successor_of(process)).ask(do, body, seconds=_WRITE_S, **head)
            finally:
                if deletes:
                    self._deleted.set()
            if renewal is not None:
                await renewal.repeat(do, body, head)

    async def _successor_of(self, former: ShardProcess | None) -> ShardProcess:
        """The process that holds the index now and is not `former`, waited for a while. Raises VectorStoreAway."""
        until = time.monotonic() + _SUCCESSOR_S
        while (process := self._process) is None or process is former:
            if self._note is None or time.monotonic() > until:
                raise VectorStoreAway
            await asyncio.sleep(_LOOK_AGAIN_S)
        return process

    async def _watch(self) -> None:
        """Has a process that died replaced; meanwhile every call is told that the store is away."""
        while self._process is not None and self._note is not None:
            process = self._process
            exit_code = await process.ended()
            if self._process is process:
                self._process = None
                log.error("vector_process_died", exit_code=exit_code)
                self._process = await self._revived(self._note.info)
                log.info("vector_process_replaced")

    async def _revived(self, info: IndexInfo) -> ShardProcess:
        pause = _FIRST_REVIVAL_S
        while True:
            try:
                self._note, process = await self._opened(info)
            except (AppError, OSError) as error:
                log.error("vector_process_not_replaced", kind=type(error).__name__, again_in_s=pause)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LAST_REVIVAL_S)
            else:
                return process

    async def _renew(self) -> None:
        """Writes the index anew some time after something was deleted."""
        while True:
            await self._deleted.wait()
            await self._quiet()
            begun = time.monotonic()
            try:
                await self._renewed()
            except (VectorStoreAway, StorageFull, OSError) as error:
                log.warning("vector_index_not_renewed", kind=type(error).__name__)
                self._deleted.set()
            pause = (time.monotonic() - begun) * _RENEWAL_PAUSES
            await asyncio.sleep(min(max(pause, _SHORTEST_PAUSE_S), _LONGEST_PAUSE_S))

    async def _quiet(self) -> None:
        """Waits until nothing was deleted for a while."""
        while self._deleted.is_set():
            self._deleted.clear()
            await asyncio.sleep(self._renew_after_s)

    async def _renewed(self) -> None:
        note, process = self._ready(), self._process
        if process is None:
            raise VectorStoreAway
        size = await asyncio.to_thread(self._folder.size_bytes, note)
        require_room(self._folder.path, size + self._reserve_bytes)
        log.info("vector_index_renewal_begins", shard=note.shard)
        self._renewal = Renewal(self._folder, note, process, self._writing)
        try:
            await self._renewal.run(self._take_over)
            # What was asked of it before is answered still.
            await process.ask("close", seconds=_CLOSE_S)
        finally:
            self._renewal = None
            if self._process is process:
                self._deleted.set()
            else:
                await process.end()
        await asyncio.to_thread(self._folder.sweep, self._ready())
        log.info("vector_index_renewed", shard=self._ready().shard)

    def _take_over(self, successor: ShardProcess, note: Note) -> None:
        self._process, self._note, self._renewal = successor, note, None
        if not self._deleted.is_set():
            self._folder.unmark_deleted()


def _frame(points: Sequence[VectorPoint]) -> tuple[dict[str, Any], bytes]:
    """Head and body of a frame that writes these points."""
    head = wire.row_heads(
        [point.chunk_id for point in points],
        [point.document_id for point in points],
        [list(point.visibility) for point in points],
        [len(point.sparse.indices) for point in points],
    )
    dense = np.stack([point.dense for point in points]).astype(np.float32, copy=False)
    terms = np.fromiter((term for point in points for term in point.sparse.indices), np.uint32)
    weights = np.fromiter((weight for point in points for weight in point.sparse.values), np.float32)
    return head, dense.tobytes() + terms.tobytes() + weights.tobytes()
