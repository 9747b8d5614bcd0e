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
    """Run once: `sweep` and `hand_back` before requests are served, `recover` as soon as the index is open."""

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

    async def sweep(self) -> None:
        """Deletes bytes that were written but never acknowledged, or whose document was deleted as the process died.

        Never while requests are served: an upload's bytes are stored before there is a row that knows them.
        """
        async with self._db.read() as unit:
            known = await self._intake.stored_file_ids(unit)
        stray = [blob_id async for blob_id in self._blobs.list_ids() if blob_id not in known]
        for blob_id in stray:
            await self._blobs.delete(blob_id)
        if stray:
            log.info("stray_blobs_swept", count=len(stray))

    async def recover(self) -> None:
        """Compares, and delivers unfinished jobs. Requests may be served already, where the index had to be waited for."""
        reopened = await self._maintenance.compare_counts()
        async with self._db.read() as unit:
            tickets = await unfinished(unit)
        for ticket in tickets:
            self._queue.deliver(ticket.kind, ticket.id)
        log.info("recovered", documents_reopened=reopened, jobs_delivered=len(tickets))

    async def hand_back(self) -> None:
        """At a stop, and for those who were killed at the next start: what was being worked on waits again, and shows so."""
        async with self._db.write() as unit:
            await self._intake.hand_back(unit, await hand_back(unit))
