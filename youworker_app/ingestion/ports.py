"""What ingestion does when a person goes, or may no longer do what they did."""

from functools import partial

from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.jobs import JobQueue
from youworker_app.core.ports import Erasure, Step
from youworker_app.ingestion.repository import JobTicket, bequeath, erase_jobs, unfinished_of


class JobData:
    """A person's jobs. Asked after documents, which may have got another owner. Fulfils `PersonalData`."""

    name = "jobs"
    tables = frozenset({"jobs"})

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue

    async def erase(self, unit: UnitOfWork, user_id: str) -> Erasure:
        """Work on a document of somebody else goes on in that owner's name; all other work goes."""
        open_again = await bequeath(unit, user_id)
        count = await erase_jobs(unit, user_id)
        steps: tuple[Step, ...] = tuple(partial(self._deliver, ticket) for ticket in open_again)
        return Erasure({"jobs": count}, steps)

    async def _deliver(self, ticket: JobTicket) -> None:
        await self._queue.interrupt(ticket.id)  # a delivery in the name of who was erased
        self._queue.deliver(ticket.kind, ticket.id)


class RunningJobs:
    """Documents that are being read. Fulfils `RunningWork`."""

    def __init__(self, db: Database, queue: JobQueue) -> None:
        self._db, self._queue = db, queue

    async def stop(self, user_id: str) -> None:
        """Interrupts the person's work and begins it anew from its stage, in the name of who they are now.

        What waits needs no interruption: a job asks who its person is when it begins.
        """
        async with self._db.read() as unit:
            tickets = await unfinished_of(unit, user_id)
        for ticket in tickets:
            if await self._queue.interrupt(ticket.id):
                self._queue.deliver(ticket.kind, ticket.id)
