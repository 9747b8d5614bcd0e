"""Rebuilds the search index beside the one that answers, then lets the two change places.

Which generations there are stands in the database, so that a process that dies at any moment goes on at its next start.
Owns the one rebuilding that can be under way, and waits for what is away.
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from dataclasses import dataclass, replace

from youworker_app.core.db import Database
from youworker_app.core.errors import DependencyAway
from youworker_app.core.telemetry import get_logger
from youworker_app.documents.indexed import IndexedDocuments
from youworker_app.gateways.embeddings.errors import EmbeddingDimensionChanged
from youworker_app.gateways.embeddings.protocol import Embedder
from youworker_app.gateways.vectors.errors import VectorIndexDamaged, VectorStoreAway
from youworker_app.gateways.vectors.generations import GenerationStore
from youworker_app.gateways.vectors.protocol import IndexInfo, VectorStore
from youworker_app.gateways.vectors.sparse import SparseEncoder
from youworker_app.ingestion.filling import IndexFilling
from youworker_app.ingestion.repository import Generations, read_generations, write_generations

log = get_logger(__name__)

_LOOK_S = 0.2  # between two tellings of how far it has come
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0


@dataclass(frozen=True)
class ReindexProgress:
    """How far a rebuilding has come. `waiting_for`: the code of what is away (an `AppError.code`), "" while it goes on."""

    documents_done: int = 0
    documents_total: int = 0
    passages_embedded: int = 0  # since this process took the work up
    waiting_for: str = ""
    is_done: bool = False


class IndexRebuilding:
    """Opens the generations that the database names, and brings a new one up."""

    def __init__(
        self,
        db: Database,
        documents: IndexedDocuments,
        index: GenerationStore,
        embedder: Embedder,
        sparse: SparseEncoder,
        *,
        settle_s: float = 1.0,
    ) -> None:
        self._db, self._documents, self._index = db, documents, index
        self._embedder, self._sparse = embedder, sparse
        self.settle_s = settle_s
        self._progress = ReindexProgress()
        self._task: asyncio.Task[None] | None = None
        self._opening, self._is_open = asyncio.Lock(), False
        self._beginning = asyncio.Lock()  # two who ask at once begin one generation

    @property
    def is_due(self) -> bool:
        """Whether a generation waits to be filled."""
        return self._index.growing is not None

    async def open(self) -> None:
        """Opens the index. One that another model made answers by its words, and a new one begins to grow beside it. In the place
        of one that is damaged there is an empty one.

        Raises VectorFolderInUse, VectorServerTooOld, VectorCollectionForeign, and what is away.
        """
        async with self._opening:
            if self._is_open:
                return
            info = IndexInfo(self._embedder.model_id, await self._embedder.dimension())
            generations = await self._read()
            await self._open_answering(info, generations.answering)
            await self._erase_retired(generations)
            if not self._index.answers_whole:
                log.warning("index_of_another_model", configured=info.model_id, dimension=info.dimension)
            if not self._index.answers_whole or generations.growing is not None:
                await self._grow(info)
            self._is_open = True

    async def _open_answering(self, info: IndexInfo, name: str) -> None:
        try:
            await self._index.open(info, name)
        except VectorIndexDamaged:
            # All that it held follows from SQL. Its files stay until that is done: perhaps it was merely out of reach.
            where = await self._index.open_anew(info, name)
            log.warning("index_damaged", set_aside=where, documents="are embedded again in the background")

    async def embed(self, document_ids: Collection[str]) -> None:
        """Embeds what of these documents is wanting, in both generations."""
        filling = self._filling(self._index)
        for document_id in document_ids:
            await filling.fill(document_id)

    async def follow(self) -> AsyncIterator[ReindexProgress]:
        """Begins a rebuilding, or joins the one that is under way or was cut short; tells how it goes until it is done.

        Who stops listening does not stop it. Raises what ended it.
        """
        async with self._beginning:
            await self._begin()
            task = self.start()
        while not task.done():
            yield self._progress
            await asyncio.wait({task}, timeout=_LOOK_S)
        if task.cancelled():
            raise VectorStoreAway
        task.result()
        yield self._progress

    def start(self) -> asyncio.Task[None]:
        """The rebuilding, in the background from now on if it was not."""
        if self._task is None or self._task.done():
            self._progress = ReindexProgress()
            self._task = asyncio.create_task(self._run())
            self._task.add_done_callback(_tell)
        return self._task

    async def stop(self) -> None:
        """Stops where it is; the next start goes on from there."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait({self._task})

    async def _begin(self) -> None:
        await self.open()
        if not self.is_due:
            await self._grow(IndexInfo(self._embedder.model_id, await self._embedder.measure()))

    async def _grow(self, info: IndexInfo) -> None:
        generations = await self._read()
        name = generations.growing or str(int(generations.answering or "1") + 1)
        # Noted first: what a crash leaves behind it has a name.
        await self._write(replace(generations, growing=name))
        await self._index.grow(name, info)

    async def _run(self) -> None:
        pause = _FIRST_PAUSE_S
        log.info("index_rebuilding")
        while True:
            try:
                if (growing := self._index.growing) is not None:
                    await self._filling(growing).run()
                    await self._index.change_places(self._remember_change)
                await self._erase_retired(await self._read())
                await self._index.clear_aside()
            except EmbeddingDimensionChanged:
                # Another model under the same name: what has grown is of no use.
                await self._grow(IndexInfo(self._embedder.model_id, await self._embedder.measure()))
            except DependencyAway as error:
                log.warning("index_rebuilding_waits", code=error.code)
                self._progress = replace(self._progress, waiting_for=error.code)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_S)
            else:
                self._progress = replace(self._progress, waiting_for="", is_done=True)
                log.info("index_rebuilt", documents=self._progress.documents_total)
                return

    def _filling(self, growing: VectorStore) -> IndexFilling:
        return IndexFilling(
            self._db,
            self._documents,
            self._embedder,
            self._sparse,
            answering=self._index,
            growing=growing,
            settle_s=self.settle_s,
            report=self._report,
        )

    def _report(self, done: int | None, total: int | None, embedded: int) -> None:
        so_far = self._progress
        self._progress = ReindexProgress(
            so_far.documents_done if done is None else done,
            so_far.documents_total if total is None else total,
            so_far.passages_embedded + embedded,
        )

    async def _remember_change(self) -> None:
        generations = await self._read()
        retired = (*generations.retired, generations.answering)
        await self._write(Generations(generations.growing or "", None, retired))

    async def _erase_retired(self, generations: Generations) -> None:
        for name in generations.retired:
            await self._index.remove(name)
        if generations.retired:
            await self._write(replace(generations, retired=()))

    async def _read(self) -> Generations:
        async with self._db.read() as unit:
            return await read_generations(unit)

    async def _write(self, generations: Generations) -> None:
        async with self._db.write() as unit:
            await write_generations(unit, generations)


def _tell(task: asyncio.Task[None]) -> None:
    """Nobody may be listening when a rebuilding ends for a reason that it could not wait for."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("index_rebuilding_failed", exc_info=error)
