"""At start: what a stopped process left unfinished goes on, and what belongs to nobody is swept away."""

from youworker_app.core.db import Database
from youworker_app.core.jobs import JobQueue
from youworker_app.core.telemetry import get_logger
from youworker_app.documents.intake import DocumentIntake
from youworker_app.gateways.blobs.protocol import BlobStore
from youworker_app.ingestion.maintenance import IndexMaintenance
from youworker_app.ingestion.repository import hand_back, unfinished

log = get_logger(__name__)


class IngestionRecovery:
    """Run once, before requests are served; `hand_back` at the end."""

    def __init__(
        self,
        db: Database,
        blobs: BlobStore,
        maintenance: IndexMaintenance,
        intake: DocumentIntake,
        queue: JobQueue,
    ) -> None:
        self._db, self._blobs, self._intake, self._queue = db, blobs, intake, queue
        self._maintenance = maintenance

    async def recover(self) -> None:
        """Sweeps, compares, and delivers unfinished jobs."""
        swept = await self._sweep_blobs()
        reopened = await self._maintenance.compare_counts()
        await self.hand_back()
        async with self._db.read() as unit:
            tickets = await unfinished(unit)
        for ticket in tickets:
            self._queue.deliver(ticket.kind, ticket.id)
        log.info("recovered", blobs_swept=swept, documents_reopened=reopened, jobs_delivered=len(tickets))

    async def hand_back(self) -> None:
        """At a stop: what was being worked on waits again, and shows so."""
        async with self._db.write() as unit:
            await self._intake.hand_back(unit, await hand_back(unit))

    async def _sweep_blobs(self) -> int:
        """Bytes that were written but never acknowledged, or whose document was deleted as the process died."""
        async with self._db.read() as unit:
            known = await self._intake.stored_file_ids(unit)
        stray = [blob_id async for blob_id in self._blobs.list_ids() if blob_id not in known]
        for blob_id in stray:
            await self._blobs.delete(blob_id)
        return len(stray)
