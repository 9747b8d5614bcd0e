"""The vector store in the data folder: keeps the blocking shard off the event loop.

Writes go one after the other through one thread; searches have two threads of their own. One process can hold
about 100,000 chunks so; beyond that the shard belongs into a spawned process, since its calls hold the
interpreter.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from youworker_app.gateways.vectors.errors import VectorStoreAway
from youworker_app.gateways.vectors.protocol import (
    AccessFilter,
    IndexInfo,
    SparseVector,
    StoredPoint,
    VectorHit,
    VectorPoint,
)
from youworker_app.gateways.vectors.shard import EmbeddedShard

_SEARCH_THREADS = 2
Result = TypeVar("Result")


class EmbeddedVectorStore:
    """Fulfils `VectorStore` over one folder, made when missing and owned from `prepare` to `close`."""

    def __init__(self, folder: Path) -> None:
        self._shard = EmbeddedShard(folder)
        self._writer = ThreadPoolExecutor(1, "vectors-write")
        self._searchers = ThreadPoolExecutor(_SEARCH_THREADS, "vectors-search")
        self._closed = False

    async def prepare(self, info: IndexInfo) -> None:
        await self._in(self._writer, lambda: self._shard.prepare(info))

    async def upsert(self, points: Sequence[VectorPoint]) -> None:
        await self._in(self._writer, lambda: self._shard.upsert(points))

    async def search_dense(
        self,
        vector: NDArray[np.float32],
        access: AccessFilter,
        *,
        limit: int,
        document_ids: Collection[str] | None = None,
    ) -> list[VectorHit]:
        return await self._in(
            self._searchers, lambda: self._shard.search_dense(vector, access, limit, document_ids)
        )

    async def search_sparse(
        self,
        vector: SparseVector,
        access: AccessFilter,
        *,
        limit: int,
        document_ids: Collection[str] | None = None,
    ) -> list[VectorHit]:
        return await self._in(
            self._searchers, lambda: self._shard.search_sparse(vector, access, limit, document_ids)
        )

    async def set_visibility(self, document_id: str, visibility: Sequence[str]) -> None:
        await self._in(self._writer, lambda: self._shard.set_visibility(document_id, visibility))

    async def delete_document(self, document_id: str) -> None:
        await self._in(self._writer, lambda: self._shard.delete_document(document_id))

    async def count_by_document(self) -> dict[str, int]:
        return await self._in(self._searchers, self._shard.count_by_document)

    async def count_by_visibility(self) -> dict[str, int]:
        return await self._in(self._searchers, self._shard.count_by_visibility)

    async def list_points(
        self, *, after: str | None = None, limit: int, document_id: str | None = None
    ) -> list[StoredPoint]:
        return await self._in(self._searchers, lambda: self._shard.list_points(after, limit, document_id))

    async def delete_points(self, chunk_ids: Collection[str]) -> None:
        await self._in(self._writer, lambda: self._shard.delete_points(chunk_ids))

    async def reset(self) -> None:
        await self._in(self._writer, self._shard.reset)

    async def close(self) -> None:
        if self._closed:
            return
        try:
            await self._in(self._writer, self._shard.close)
        finally:
            self._closed = True
            self._writer.shutdown(wait=False)
            self._searchers.shutdown(wait=False)

    async def _in(self, pool: ThreadPoolExecutor, call: Callable[[], Result]) -> Result:
        if self._closed:
            raise VectorStoreAway
        return await asyncio.get_running_loop().run_in_executor(pool, call)
