"""An index that can be rebuilt while it is searched: a generation that answers, and one that grows beside it.

Both are plain vector stores. What is written goes into both, what is searched comes from the one that answers, until the
two change places. Which generations there are is remembered by the caller; this module remembers nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from youworker_app.gateways.vectors.errors import (
    IndexMismatch,
    VectorIndexDamaged,
    VectorIndexLost,
    VectorIndexRebuilding,
    VectorStoreAway,
)
from youworker_app.gateways.vectors.protocol import (
    AccessFilter,
    IndexInfo,
    SparseVector,
    StoredPoint,
    VectorHit,
    VectorPoint,
    VectorStore,
)

FIRST = ""
"""The name of an installation's first generation."""


class VectorShelf(Protocol):
    """Where generations stand, by name: `FIRST`, or a number."""

    def store(self, name: str) -> VectorStore:
        """A generation's store, not yet prepared."""

    async def remove(self, name: str) -> None:
        """Erases a generation that is not open; nothing happens when there is none. Raises VectorStoreAway."""

    async def set_aside(self, name: str) -> str:
        """Takes the files of a generation that cannot be opened out of the way; where they are now."""

    async def is_anything_aside(self) -> bool:
        """Whether there are such files."""

    async def clear_aside(self) -> None:
        """Erases them."""


class Gate:
    """Lets many in at once, or one alone who waits until the others have left."""

    def __init__(self) -> None:
        self._inside = 0
        self._open, self._empty = asyncio.Event(), asyncio.Event()
        self._open.set()

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """One of many."""
        while not self._open.is_set():
            await self._open.wait()
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Alone. The caller sees to it that only one asks for this at a time."""
        self._open.clear()
        try:
            while self._inside:
                self._empty.clear()
                await self._empty.wait()
            yield
        finally:
            self._open.set()


@dataclass(eq=False)
class _Generation:
    name: str
    store: VectorStore
    info: IndexInfo
    searches: Gate = field(default_factory=Gate)


class GenerationStore:
    """Fulfils `VectorStore` over the generation that answers and the one that grows, if there is one.

    While the one that answers was made by another model than the configured one, its words are searched and dense
    searches raise VectorIndexRebuilding; what is written into it then has its words and no direction.
    """

    def __init__(self, shelf: VectorShelf) -> None:
        self._shelf = shelf
        self._writes = Gate()
        self._configured: IndexInfo | None = None
        self._answering: _Generation | None = None
        self._growing: _Generation | None = None
        self.lost = asyncio.Event()
        """Set when a server answers that it has no such index, until somebody has filled a new one."""

    @property
    def is_open(self) -> bool:
        """Whether there is a generation that answers."""
        return self._answering is not None

    @property
    def answers_whole(self) -> bool:
        """Whether dense searches are answered too."""
        return self._answering is not None and self._answering.info == self._configured

    @property
    def growing(self) -> VectorStore | None:
        """The generation that grows, to be filled."""
        return self._growing.store if self._growing else None

    async def prepare(self, info: IndexInfo) -> None:
        await self.open(info, self._answering.name if self._answering else FIRST, strictly=True)

    async def open(self, info: IndexInfo, name: str, *, strictly: bool = False) -> None:
        """Opens the generation that answers; one of another model too, unless `strictly`. Raises as `prepare`."""
        if self._answering is None:
            store = self._shelf.store(name)
            try:
                made = await _prepared(store, info, strictly=strictly)
            except BaseException:
                await store.close()
                raise
            self._answering = _Generation(name, store, made)
        elif strictly:
            await self._answering.store.prepare(info)
        if self._growing is None:
            self._configured = info

    async def open_anew(self, info: IndexInfo, name: str) -> str:
        """Opens an empty generation in the place of one that is damaged. Returns where that one's files are now."""
        where = await self._shelf.set_aside(name)
        await self.open(info, name)
        return where

    async def remake(self) -> None:
        """Makes anew what the server has lost of what is open. Raises as `prepare`."""
        for each in (self._answering, self._growing):
            if each is not None:
                await each.store.prepare(each.info)

    async def is_anything_aside(self) -> bool:
        """Whether files of damaged generations are still there."""
        return await self._shelf.is_anything_aside()

    async def clear_aside(self) -> None:
        """Erases them."""
        await self._shelf.clear_aside()

    async def grow(self, name: str, info: IndexInfo) -> None:
        """From now on every write goes into generation `name` as well. One that another model began is begun anew."""
        async with self._writes.exclusive():
            if self._growing is not None:
                grown, self._growing = self._growing, None
                await grown.store.close()
            store = self._shelf.store(name)
            try:
                await _begun(store, info)
            except BaseException:
                await store.close()
                raise
            self._growing, self._configured = _Generation(name, store, info), info

    async def change_places(self, remember: Callable[[], Awaitable[None]]) -> None:
        """The one that has grown answers from now on; `remember` keeps that for the next start. The former one is closed,
        and the caller's to erase.

        Searches under way end where they began. Raises what `remember` raises, and nothing has changed then.
        """
        async with self._writes.exclusive():
            _, former, grown = self._ready(), self._answering, self._growing
            if grown is None or former is None:
                raise VectorStoreAway
            await remember()
            self._answering, self._growing = grown, None
        async with former.searches.exclusive():
            await former.store.close()

    async def remove(self, name: str) -> None:
        """Erases a generation that is not in use."""
        await self._shelf.remove(name)

    async def upsert(self, points: Sequence[VectorPoint]) -> None:
        async with self._writes.shared():
            answering, growing = self._ready(), self._growing
            if any(point.dense.shape != (self._dimension(),) for point in points):
                raise VectorIndexRebuilding
            with self._noticing():
                # First into the one that grows: so the other never has what is wanting there.
                if growing is not None:
                    await growing.store.upsert(points)
                if not self.answers_whole:
                    nowhere = np.zeros(answering.info.dimension, np.float32)
                    points = [replace(point, dense=nowhere) for point in points]
                await answering.store.upsert(points)

    async def search_dense(
        self,
        vector: NDArray[np.float32],
        access: AccessFilter,
        *,
        limit: int,
        document_ids: Collection[str] | None = None,
    ) -> list[VectorHit]:
        async with self._searched() as store:
            if not self.answers_whole or vector.shape != (self._dimension(),):
                raise VectorIndexRebuilding
            return await store.search_dense(vector, access, limit=limit, document_ids=document_ids)

    async def search_sparse(
        self,
        vector: SparseVector,
        access: AccessFilter,
        *,
        limit: int,
        document_ids: Collection[str] | None = None,
    ) -> list[VectorHit]:
        async with self._searched() as store:
            return await store.search_sparse(vector, access, limit=limit, document_ids=document_ids)

    async def set_visibility(self, document_id: str, visibility: Sequence[str]) -> None:
        await self._write(lambda store: store.set_visibility(document_id, visibility))

    async def delete_document(self, document_id: str) -> None:
        await self._write(lambda store: store.delete_document(document_id))

    async def delete_points(self, chunk_ids: Collection[str]) -> None:
        await self._write(lambda store: store.delete_points(chunk_ids))

    async def count_by_document(self) -> dict[str, int]:
        async with self._searched() as store:
            return await store.count_by_document()

    async def count_by_visibility(self) -> dict[str, int]:
        async with self._searched() as store:
            return await store.count_by_visibility()

    async def list_points(
        self, *, after: str | None = None, limit: int, document_id: str | None = None
    ) -> list[StoredPoint]:
        async with self._searched() as store:
            return await store.list_points(after=after, limit=limit, document_id=document_id)

    async def reset(self) -> None:
        await self.discard(self._answering.name if self._answering else FIRST)

    async def discard(self, name: str) -> None:
        """Empties a generation that perhaps cannot be opened, and lets go of all."""
        await self.close()
        store = self._shelf.store(name)
        try:
            await store.reset()
        finally:
            await store.close()

    async def close(self) -> None:
        opened = [each for each in (self._growing, self._answering) if each is not None]
        self._growing = self._answering = None
        for generation in opened:
            await generation.store.close()

    def _ready(self) -> _Generation:
        if self._answering is None:
            raise VectorStoreAway
        return self._answering

    def _dimension(self) -> int:
        return self._configured.dimension if self._configured else 0

    @asynccontextmanager
    async def _searched(self) -> AsyncIterator[VectorStore]:
        answering = self._ready()
        async with answering.searches.shared():
            with self._noticing():
                yield answering.store

    async def _write(self, change: Callable[[VectorStore], Awaitable[None]]) -> None:
        async with self._writes.shared():
            answering, growing = self._ready(), self._growing
            with self._noticing():
                await change(answering.store)
                if growing is not None:
                    await change(growing.store)

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        try:
            yield
        except VectorIndexLost:
            self.lost.set()
            raise


async def _prepared(store: VectorStore, info: IndexInfo, *, strictly: bool) -> IndexInfo:
    """Opens a store as what it is. Returns which model made it."""
    try:
        await store.prepare(info)
    except IndexMismatch as error:
        if strictly:
            raise
        made = IndexInfo(str(error.details["made_with"]), int(error.details["made_dimension"] or 0))
        await store.prepare(made)
        return made
    return info


async def _begun(store: VectorStore, info: IndexInfo) -> None:
    """Opens a store to be filled, with what an earlier try put in if that was the same model."""
    try:
        await store.prepare(info)
    except (IndexMismatch, VectorIndexDamaged):
        await store.reset()
        await store.prepare(info)
