"""What ingestion does when a person goes, or may no longer do what they did."""

from collections.abc import AsyncIterator
from dataclasses import asdict
from functools import partial

from youworker_app.access.actor import Actor
from youworker_app.access.authenticate import actor_for_user
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.exports import ExportedFile, json_list
from youworker_app.core.jobs import JobQueue
from youworker_app.core.ports import Erasure, Step
from youworker_app.ingestion.repository import JobRepository, JobTicket, bequeath, erase_jobs, unfinished_of

_AT_ONCE = 500


class JobData:
    """A person's jobs. Asked after documents, which may have got another owner. Fulfils `PersonalData`."""

    name = "jobs"
    tables = frozenset({"jobs"})

    def __init__(self, db: Database, queue: JobQueue) -> None:
        self._db, self._queue = db, queue

    def export(self, user_id: str) -> AsyncIterator[ExportedFile]:
        """What was asked of the machine, and how it ended."""
        return self._export(user_id)

    async def _export(self, user_id: str) -> AsyncIterator[ExportedFile]:
        async with self._db.read() as unit:
            actor = await actor_for_user(unit, user_id)
        yield json_list("jobs.json", self._jobs(actor))

    async def _jobs(self, actor: Actor) -> AsyncIterator[object]:
        after = None
        while True:
            async with self._db.read() as unit:
                views = await JobRepository(unit, actor).views_after(after, _AT_ONCE)
            for view in views:
                yield asdict(view)
            if len(views) < _AT_ONCE:
                return
            after = (views[-1].created_at, views[-1].id)

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
