"""Fills the generation of the index that grows with what SQL says it should hold, while people go on working.

What was put in before, by an earlier try or by a job, is not embedded again. The work is done when a comparison of every
point finds nothing: what people change meanwhile goes into both generations, and what slipped between is put right.
"""

from collections.abc import Callable

from youworker_app.core.crypto import DecryptionFailed
from youworker_app.core.db import Database
from youworker_app.core.telemetry import get_logger
from youworker_app.documents.following import follow_visibility
from youworker_app.documents.indexed import IndexedDocuments
from youworker_app.gateways.embeddings.protocol import Embedder
from youworker_app.gateways.vectors.protocol import VectorStore
from youworker_app.gateways.vectors.sparse import SparseEncoder
from youworker_app.ingestion.comparison import Difference, IndexComparison, all_points
from youworker_app.ingestion.points import BATCH, points_of

log = get_logger(__name__)

Report = Callable[[int | None, int | None, int], None]
"""Is told documents done and documents in all (None: as before), and passages embedded just now."""


class IndexFilling:
    """Fills `growing`; `answering` says what of a document that is not ready belongs into an index."""

    def __init__(
        self,
        db: Database,
        documents: IndexedDocuments,
        embedder: Embedder,
        sparse: SparseEncoder,
        *,
        answering: VectorStore,
        growing: VectorStore,
        settle_s: float,
        report: Report,
    ) -> None:
        self._db, self._documents, self._embedder, self._sparse = db, documents, embedder, sparse
        self._answering, self._growing = answering, growing
        self._settle_s, self._report = settle_s, report
        self._unreadable: set[str] = set()

    async def run(self) -> None:
        """Until nothing is wanting. Raises what is away: call again, it goes on from there."""
        async with self._db.read() as unit:
            counts = await self._documents.counts(unit)
        held = await self._growing.count_by_document()
        wanting = [key for key, (_, count) in counts.items() if held.get(key, 0) != count]
        for done, document_id in enumerate(wanting, start=len(counts) - len(wanting)):
            self._report(done, len(counts), 0)
            await self.fill(document_id)
        while not (found := await self._compare()).is_none:
            await self._put_right(found)
        self._report(len(counts), len(counts), 0)

    async def _compare(self) -> Difference:
        comparison = IndexComparison(
            self._db, self._documents, self._growing, settle_s=self._settle_s, mirror=self._answering
        )
        found = await comparison.run()
        found.missing -= self._unreadable
        found.incomplete -= self._unreadable
        return found

    async def _put_right(self, found: Difference) -> None:
        for document_id in found.unknown:
            await self._growing.delete_document(document_id)
        for strays in found.surplus.values():
            await self._growing.delete_points(strays)
        for document_id in found.wrong_visibility:
            await follow_visibility(self._db, self._documents, self._growing, document_id)
        for document_id in found.missing | found.incomplete:
            await self.fill(document_id)

    async def fill(self, document_id: str) -> None:
        """Embeds what of a document is wanting, and then follows what became of it meanwhile."""
        try:
            await self._embed(document_id)
        except DecryptionFailed:
            # One damaged row must not keep all other documents from being found.
            log.error("passages_unreadable", document_id=document_id)
            self._unreadable.add(document_id)
        await follow_visibility(self._db, self._documents, self._growing, document_id)

    async def _embed(self, document_id: str) -> None:
        wanted = await self._wanted(document_id)
        held = {point.chunk_id for point in await all_points(self._growing, document_id)}
        after = -1
        while True:
            async with self._db.read() as unit:
                read = await self._documents.passages(unit, document_id, after_ordinal=after, limit=BATCH)
            if read is None or not read[1]:
                break
            source, passages = read
            after = passages[-1].ordinal
            batch = [each for each in passages if each.chunk_id in wanted and each.chunk_id not in held]
            if batch:
                await self._growing.upsert(await points_of(self._embedder, self._sparse, source, batch))
                self._report(None, None, len(batch))

    async def _wanted(self, document_id: str) -> set[str]:
        """All passages of a document that is ready; of another one those that the index holds today."""
        async with self._db.read() as unit:
            document = await self._documents.find(unit, document_id)
            chunks = await self._documents.chunk_ids(unit, document_id)
        if document is None or document.is_ready:
            return chunks
        return chunks & {point.chunk_id for point in await all_points(self._answering, document_id)}
