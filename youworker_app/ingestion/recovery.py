"""At start: what a stopped process left unfinished goes on, and what belongs to nobody is swept away."""

from youworker_app.core.db import Database
from youworker_app.core.jobs import JobQueue
from youworker_app.core.telemetry import get_logger
from youworker_app.documents.intake import DocumentIntake
from youworker_app.gateways.blobs.protocol import BlobStore
from youworker_app.gateways.vectors.protocol import VectorStore
from youworker_app.ingestion.repository import reopen_for_vectors, unfinished

log = get_logger(__name__)


class IngestionRecovery:
    """Run once, before requests are served."""

    def __init__(
        self, db: Database, blobs: BlobStore, vectors: VectorStore, intake: DocumentIntake, queue: JobQueue
    ) -> None:
        self._db, self._blobs, self._vectors, self._intake, self._queue = db, blobs, vectors, intake, queue

    async def recover(self) -> None:
        """Sweeps, compares, and delivers unfinished jobs."""
        swept = await self._sweep_blobs()
        reopened = await self._compare_vectors()
        async with self._db.read() as unit:
            tickets = await unfinished(unit)
        for ticket in tickets:
            self._queue.deliver(ticket.kind, ticket.id)
        log.info("recovered", blobs_swept=swept, documents_reopened=reopened, jobs_delivered=len(tickets))

    async def reindex(self) -> int:
        """Empties the index and sends every ready document back to embedding. Returns how many; a start does the work."""
        async with self._db.read() as unit:
            expected = await self._intake.chunk_counts(unit)
        await self._vectors.reset()
        async with self._db.write() as unit:
            await reopen_for_vectors(unit, expected.keys())
        return len(expected)

    async def _sweep_blobs(self) -> int:
        """Bytes that were written but never acknowledged, or whose document was deleted as the process died."""
        async with self._db.read() as unit:
            known = await self._intake.stored_file_ids(unit)
        stray = [blob_id async for blob_id in self._blobs.list_ids() if blob_id not in known]
        for blob_id in stray:
            await self._blobs.delete(blob_id)
        return len(stray)

    async def _compare_vectors(self) -> int:
        """Vectors of unknown documents go; documents whose vectors are not all there are embedded again."""
        stored = await self._vectors.count_by_document()
        async with self._db.read() as unit:
            expected = await self._intake.chunk_counts(unit)
            known = await self._intake.document_ids(unit)
        for document_id in stored.keys() - known:
            await self._vectors.delete_document(document_id)
        wanting = [
            document_id for document_id, count in expected.items() if stored.get(document_id, 0) != count
        ]
        if wanting:
            async with self._db.write() as unit:
                await reopen_for_vectors(unit, wanting)
        return len(wanting)
