"""Works on jobs: in the requester's name. While something that a job needs is away, it waits, and says for what.

The actor is rebuilt from the row at each attempt, so access that was taken away stops the work.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from youworker_app.access.actor import Actor
from youworker_app.access.authenticate import actor_for_user
from youworker_app.core.clock import now
from youworker_app.core.database_errors import DatabaseTrouble
from youworker_app.core.db import Database
from youworker_app.core.errors import AppError, DependencyAway, NotFound, Unauthenticated
from youworker_app.core.events import Event, EventBus, user_topic
from youworker_app.core.telemetry import correlation_id, get_logger
from youworker_app.documents.intake import DocumentIntake
from youworker_app.ingestion.convoy import LIGHT_BYTES, Convoy
from youworker_app.ingestion.errors import InternalFailure
from youworker_app.ingestion.pipeline import IngestionPipeline, Stopped
from youworker_app.ingestion.repository import JobRepository, fail_unattended, light_jobs, requester
from youworker_app.ingestion.turns import Outcome, Turns
from youworker_app.ingestion.waiting import WaitingRoom

log = get_logger(__name__)

# For what waiting may not help, such as a model that fails over a text.
MAX_ATTEMPTS = 5


class IngestionWorker:
    """The handler of ingestion jobs."""

    def __init__(
        self,
        db: Database,
        intake: DocumentIntake,
        pipeline: IngestionPipeline,
        bus: EventBus,
        room: WaitingRoom,
        convoy: Convoy,
        *,
        workers: int,
        retry_seconds: float = 2.0,
    ) -> None:
        self._db, self._intake, self._pipeline, self._bus, self._room = db, intake, pipeline, bus, room
        self._convoy, self._retry_seconds = convoy, retry_seconds
        self._turns = Turns(self._work_alone, self._work_together, workers=workers)

    async def work(self, job_id: str) -> None:
        """Works on a job until it is done, failed, stopped or has to wait. Raises nothing but cancellation."""
        await self._turns.take(job_id)

    async def _work_together(self, job_ids: Sequence[str]) -> Outcome:
        """One person's small texts in one go. Whatever comes in their way is found out by each alone."""
        token = correlation_id.set(f"job-{job_ids[0]}")
        try:
            async with self._db.read() as unit:
                light = await light_jobs(unit, job_ids, max_bytes=LIGHT_BYTES)
                user_id = max(light, key=lambda each: len(light[each]), default="")
                if len(light.get(user_id, ())) < 2:
                    return Outcome()
                actor = await actor_for_user(unit, user_id)
            done = await self._convoy.run(actor, light[user_id])
            self._room.open()
            return Outcome(done, {each for key, ids in light.items() if key != user_id for each in ids})
        except AppError as error:
            log.info("convoy_broken_up", code=error.code)
        except Exception:
            log.exception("convoy_failed")
        finally:
            correlation_id.reset(token)
        return Outcome()

    async def _work_alone(self, job_id: str) -> None:
        token = correlation_id.set(f"job-{job_id}")
        try:
            attempts = 0
            while True:
                try:
                    if await self._attempt(job_id, is_last=attempts + 1 == MAX_ATTEMPTS):
                        return
                    attempts += 1
                except DatabaseTrouble as trouble:
                    # Not even that it failed could be written down: it is waited for, however long that takes.
                    log.warning("ingestion_waits", job_id=job_id, code=trouble.code)
                await asyncio.sleep(self._retry_seconds * 2 ** max(attempts - 1, 0))
        finally:
            correlation_id.reset(token)

    async def _attempt(self, job_id: str, *, is_last: bool) -> bool:
        """One attempt; False when it is worth another one later."""
        try:
            async with self._db.read() as unit:
                actor = await requester(unit, job_id)
        except Unauthenticated:
            await self._fail_unattended(job_id)
            return True
        if actor is None:
            return True
        return await self._run(actor, job_id, is_last=is_last)

    async def _run(self, actor: Actor, job_id: str, *, is_last: bool) -> bool:
        try:
            await self._pipeline.run(actor, job_id)
            self._room.open()
        except Stopped:
            return True
        except DatabaseTrouble:
            raise
        except DependencyAway as error:
            if error.passes:
                await self._wait(actor, job_id, error)
                return True
            if not is_last:
                log.warning("ingestion_repeated", job_id=job_id, code=error.code)
                return False
            await self._fail(actor, job_id, error)
        except AppError as error:
            await self._fail(actor, job_id, error)
        except Exception:
            log.exception("ingestion_failed", job_id=job_id)
            await self._fail(actor, job_id, InternalFailure(reference=correlation_id.get()))
        return True

    async def _wait(self, actor: Actor, job_id: str, error: DependencyAway) -> None:
        log.info("document_waits", job_id=job_id, code=error.code)
        if await self._leave(actor, job_id, error, "queued"):
            self._room.enter(job_id)

    async def _fail(self, actor: Actor, job_id: str, error: AppError) -> None:
        log.info("document_failed", job_id=job_id, code=error.code)
        await self._leave(actor, job_id, error, "failed")

    async def _leave(self, actor: Actor, job_id: str, error: AppError, state: str) -> bool:
        """Leaves the job and its document in this state, with the reason. False when it is no longer ours to work on."""
        async with self._db.write() as unit:
            job = await JobRepository(unit, actor).find_locked(job_id)
            if job is None or job.state == "cancelled":
                return False
            job.state, job.error_code, job.updated_at = state, error.code, now()
            job.error_details = {**error.details, "message": error.message}
            if job.document_id:
                with suppress(NotFound):  # what they can no longer see stays as it is
                    await self._intake.set_state(unit, actor, job.document_id, state)
            document_id = job.document_id or ""
            unit.after_commit(
                lambda: self._bus.publish(user_topic(actor.user_id), Event("documents_changed", document_id))
            )
        return True

    async def _fail_unattended(self, job_id: str) -> None:
        async with self._db.write() as unit:
            document_id = await fail_unattended(unit, job_id)
            if document_id:
                await self._intake.give_up(unit, document_id)
