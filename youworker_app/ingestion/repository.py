"""All SQL of jobs."""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Executable, Select, bindparam, select, tuple_
from sqlmodel import col

from youworker_app.access.actor import Actor
from youworker_app.access.authenticate import actor_for_user
from youworker_app.access.repository import Repository
from youworker_app.access.visible import SystemReason, erase_rows, insert_rows, system_scope, visible
from youworker_app.core.clock import now
from youworker_app.core.db import UnitOfWork
from youworker_app.core.errors import NotFound
from youworker_app.core.ids import new_id
from youworker_app.core.names import is_plain_text
from youworker_app.gateways.parsing.media_types import MARKDOWN, PLAIN_TEXT
from youworker_app.ingestion.errors import RequesterGone
from youworker_app.ingestion.schemas import JobView, Stage
from youworker_app.models.accounts import InstallationFact
from youworker_app.models.documents import Document, StoredFile
from youworker_app.models.jobs import Job

UNFINISHED = ("queued", "running")
# Built once: each job asks it first.
_REQUESTER = system_scope(
    select(col(Job.requester_id)).where(col(Job.id) == bindparam("job_id")), SystemReason.RECOVERY
)
_GENERATIONS = "index_generations"
_AT_ONCE = 500  # ids in one statement: databases bound their number
JobRow = Job  # the name by which services speak of a row that a repository gave them


@dataclass(frozen=True)
class JobTicket:
    """Enough of a job to deliver it."""

    id: str
    kind: str


@dataclass(frozen=True)
class Generations:
    """The search index by names of its generations (see gateways/vectors/generations.py): which one answers, which one
    grows beside it, and which have been given up and may still have to be erased."""

    answering: str = ""
    growing: str | None = None
    retired: tuple[str, ...] = ()


@lru_cache(maxsize=512)
def _job_of(actor: Actor) -> Select[Job]:
    """Kept for an actor as `visible()` keeps the policies: making it costs more than running it."""
    return visible(Job, actor).where(col(Job.id) == bindparam("job_id"))


@lru_cache(maxsize=512)
def _job_to_change(actor: Actor) -> Select[Job]:
    return _job_of(actor).with_for_update()


class JobRepository(Repository):
    """Jobs that the actor asked for."""

    async def add_job(self, kind: str, document_id: str) -> str:
        """A new job in the actor's name. Returns its id."""
        job_id, moment = new_id(), now()
        row = {
            "id": job_id,
            "kind": kind,
            "requester_id": self._actor.user_id,
            "document_id": document_id,
            "state": "queued",
            "stage": Stage.STORED.value,
            "progress": 0.0,
            "cursor": 0,
            "attempts": 0,
            "error_code": "",
            "error_details": {},
            "created_at": moment,
            "updated_at": moment,
        }
        await self._session.execute(insert_rows(Job), [row])
        return job_id

    async def get(self, job_id: str) -> Job:
        """One of the actor's jobs. Raises NotFound."""
        job = await self._one(_job_of(self._actor), job_id)
        if job is None:
            raise NotFound
        return job

    async def find_locked(self, job_id: str) -> Job | None:
        """One of the actor's jobs, to be changed, or None: another writer waits, so that no change is written over."""
        return await self._one(_job_to_change(self._actor), job_id)

    async def _one(self, statement: Executable, job_id: str) -> Job | None:
        if not is_plain_text(job_id):
            return None
        return (await self._session.execute(statement, {"job_id": job_id})).scalar_one_or_none()

    async def running_locked(self, job_ids: Collection[str]) -> dict[str, Job]:
        """Those of the actor's jobs that are being worked on, to be changed, by id."""
        return await self._all_locked(job_ids, ("running",))

    async def unfinished_locked(self, job_ids: Collection[str]) -> dict[str, Job]:
        """Those of the actor's jobs that have not ended, to be changed, by id."""
        return await self._all_locked(job_ids, UNFINISHED)

    async def _all_locked(self, job_ids: Collection[str], states: Collection[str]) -> dict[str, Job]:
        statement = (
            visible(Job, self._actor)
            .where(col(Job.id).in_(list(job_ids)), col(Job.state).in_(states))
            .order_by(col(Job.id))  # whoever locks several does it in the same order
            .with_for_update()
        )
        return {job.id: job for job in (await self._session.execute(statement)).scalars()}

    async def get_locked(self, job_id: str) -> Job:
        """One of the actor's jobs, to be changed. Raises NotFound."""
        job = await self.find_locked(job_id)
        if job is None:
            raise NotFound
        return job

    async def views_after(self, after: tuple[datetime, str] | None, limit: int) -> list[JobView]:
        """The actor's jobs, oldest first."""
        statement = visible(Job, self._actor).order_by(col(Job.created_at), col(Job.id)).limit(limit)
        if after is not None:
            statement = statement.where(tuple_(col(Job.created_at), col(Job.id)) > after)
        return [job_view(job) for job in (await self._session.execute(statement)).scalars()]

    async def latest_for(self, document_id: str) -> Job | None:
        """The newest job of a document."""
        statement = (
            visible(Job, self._actor)
            .where(col(Job.document_id) == document_id)
            .order_by(col(Job.created_at).desc())
        )
        return (await self._session.execute(statement.limit(1))).scalar_one_or_none()


async def unfinished(unit: UnitOfWork) -> list[JobTicket]:
    """What a stopped process left: to be delivered again, oldest first."""
    statement = select(Job).where(col(Job.state).in_(UNFINISHED)).order_by(col(Job.created_at))
    rows = (await unit.session.execute(system_scope(statement, SystemReason.RECOVERY))).scalars()
    return [JobTicket(row.id, row.kind) for row in rows]


async def hand_back(unit: UnitOfWork) -> list[str]:
    """Jobs that were under way are queued again, where they stand. Returns their documents' ids."""
    statement = select(Job).where(col(Job.state) == "running")
    rows = (await unit.session.execute(system_scope(statement, SystemReason.RECOVERY))).scalars().all()
    for job in rows:
        job.state, job.updated_at = "queued", now()
    return [job.document_id for job in rows if job.document_id]


async def requester(unit: UnitOfWork, job_id: str) -> Actor | None:
    """The actor in whose name a job runs, as they stand now; None when the job is gone. Raises Unauthenticated."""
    user_id = (await unit.session.execute(_REQUESTER, {"job_id": job_id})).scalar_one_or_none()
    return await actor_for_user(unit, user_id) if user_id else None


async def light_jobs(unit: UnitOfWork, job_ids: Collection[str], *, max_bytes: int) -> dict[str, list[str]]:
    """Those of the jobs that have yet to begin with a text of at most `max_bytes`, by whose they are, in the given order."""
    statement = (
        select(col(Job.id), col(Job.requester_id))
        .join(Document, col(Document.id) == col(Job.document_id))
        .join(StoredFile, col(StoredFile.id) == col(Document.file_id))
        .where(
            col(Job.id).in_(list(job_ids)),
            col(Job.state).in_(UNFINISHED),
            col(Job.stage) == Stage.STORED.value,
            col(StoredFile.size_bytes) <= max_bytes,
            col(StoredFile.media_type).in_((PLAIN_TEXT, MARKDOWN)),
        )
    )
    rows = await unit.session.execute(system_scope(statement, SystemReason.RECOVERY))
    requesters = {row[0]: row[1] for row in rows}
    found: dict[str, list[str]] = {}
    for job_id in job_ids:
        if job_id in requesters:
            found.setdefault(requesters[job_id], []).append(job_id)
    return found


async def fail_unattended(unit: UnitOfWork, job_id: str) -> str | None:
    """Marks a job failed whose requester may no longer work here. Returns the document that it was about."""
    statement = select(Job).where(col(Job.id) == job_id)
    job = (await unit.session.execute(system_scope(statement, SystemReason.RECOVERY))).scalar_one_or_none()
    if job is None:
        return None
    job.state, job.error_code, job.updated_at = "failed", RequesterGone.code, now()
    job.error_details = {"message": RequesterGone().message}
    return job.document_id


async def unfinished_of(unit: UnitOfWork, user_id: str) -> list[JobTicket]:
    """A person's jobs that have not ended, oldest first."""
    statement = select(Job).where(col(Job.requester_id) == user_id, col(Job.state).in_(UNFINISHED))
    rows = await unit.session.execute(
        system_scope(statement.order_by(col(Job.created_at)), SystemReason.RECOVERY)
    )
    return [JobTicket(row.id, row.kind) for row in rows.scalars()]


async def bequeath(unit: UnitOfWork, user_id: str) -> list[JobTicket]:
    """Gives a person's jobs on documents of others to these documents' owners. Returns those that have something to do.

    Finished ones are opened at their last stage: it tells the index whose the document is now. Since that stands in
    the row, a process that dies before it was done does it at its next start.
    """
    statement = (
        select(Job, col(Document.owner_id))
        .join(Document, col(Document.id) == col(Job.document_id))
        .where(col(Job.requester_id) == user_id, col(Document.owner_id) != user_id)
    )
    rows = (await unit.session.execute(system_scope(statement, SystemReason.ERASURE))).all()
    for job, owner_id in rows:
        job.requester_id, job.updated_at = owner_id, now()
        if job.state == "done":
            job.state, job.stage = "queued", Stage.EMBEDDED.value
        elif job.error_code == RequesterGone.code:
            job.state, job.error_code, job.error_details = "queued", "", {}
    await unit.session.flush()
    return [JobTicket(job.id, job.kind) for job, _ in rows if job.state in UNFINISHED]


async def erase_jobs(unit: UnitOfWork, user_id: str) -> int:
    """A person's jobs. Returns how many."""
    return await erase_rows(unit, Job, col(Job.requester_id) == user_id)


async def reopen_for_vectors(unit: UnitOfWork, document_ids: Collection[str]) -> dict[str, JobTicket]:
    """Sends finished documents back to the stage before embedding: their vectors are not all in the store.

    Returns the jobs by document; a document without a finished job has none.
    """
    ids, tickets = list(document_ids), dict[str, JobTicket]()
    for start in range(0, len(ids), _AT_ONCE):
        wanted = col(Job.document_id).in_(ids[start : start + _AT_ONCE])
        statement = select(Job).where(wanted, col(Job.state) == "done")
        for job in (await unit.session.execute(system_scope(statement, SystemReason.RECOVERY))).scalars():
            job.state, job.stage, job.cursor, job.updated_at = "queued", Stage.TEXT.value, 0, now()
            tickets[str(job.document_id)] = JobTicket(job.id, job.kind)
    return tickets


async def read_generations(unit: UnitOfWork) -> Generations:
    """Which generations of the search index there are."""
    fact = await _generations_fact(unit)
    if fact is None:
        return Generations()
    kept = json.loads(fact.value)
    return Generations(kept["answering"], kept["growing"], tuple(kept["retired"]))


async def write_generations(unit: UnitOfWork, generations: Generations) -> None:
    """Remembers which generations there are."""
    fact = await _generations_fact(unit)
    value = json.dumps(asdict(generations))
    if fact is None:
        unit.session.add(InstallationFact(name=_GENERATIONS, value=value))
    else:
        fact.value = value


async def _generations_fact(unit: UnitOfWork) -> InstallationFact | None:
    statement = select(InstallationFact).where(col(InstallationFact.name) == _GENERATIONS)
    found = await unit.session.execute(system_scope(statement, SystemReason.INDEX))
    return found.scalar_one_or_none()


def job_view(job: Job) -> JobView:
    """The job as its requester sees it."""
    message = str(job.error_details.get("message", ""))
    return JobView(
        job.id,
        job.state,
        job.stage,
        job.progress,
        job.error_code,
        message,
        job.document_id,
        (),
        job.created_at,
    )
