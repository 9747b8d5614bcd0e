"""Writes one answer: a task of the server, whoever is listening. What is written is saved as it grows."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing, suppress

from youworker_app.access.actor import Actor
from youworker_app.agent.schemas import (
    AgentEvent,
    Evidence,
    Question,
    Searching,
    Thinking,
    Token,
    Usage,
    Writing,
)
from youworker_app.agent.service import AgentService
from youworker_app.chat.errors import AnswerFailed, AnswerInterrupted
from youworker_app.chat.live import LiveRun, LiveRuns
from youworker_app.chat.repository import ChatRepository, NewCitation
from youworker_app.chat.vault import Vault
from youworker_app.chat.views import citation_json, citation_view
from youworker_app.core.database_errors import DatabaseTrouble
from youworker_app.core.db import Database
from youworker_app.core.errors import AppError, NotFound
from youworker_app.core.events import Event, EventBus, user_topic
from youworker_app.core.settings import ChatSettings
from youworker_app.core.telemetry import correlation_id, get_logger
from youworker_app.documents.schemas import Passage

log = get_logger(__name__)

_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 10.0


class Draft:
    """The answer so far."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.model = ""
        self.usage: dict[str, int | None] = {}
        self.keeping: asyncio.Task[None] | None = None
        self.saved_at = time.monotonic()

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    async def kept(self) -> None:
        """Waits until the evidence is safe. Raises what keeping it raised."""
        if self.keeping is not None:
            await asyncio.shield(self.keeping)
            self.keeping = None

    async def settle(self) -> None:
        """On the way out by another failure or a stop: what was begun is finished, whatever comes of it."""
        while self.keeping is not None and not self.keeping.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait((self.keeping,))
        if self.keeping is not None and not self.keeping.cancelled():
            self.keeping.exception()


class AnswerRunner:
    """Runs the agent and keeps what it says."""

    def __init__(
        self, db: Database, agent: AgentService, runs: LiveRuns, bus: EventBus, settings: ChatSettings
    ) -> None:
        self._db, self._agent, self._runs, self._bus, self._settings = db, agent, runs, bus, settings

    async def run(self, actor: Actor, run: LiveRun, question: Question, vault: Vault) -> None:
        """Writes the answer to its end, its stop or its failure; every way out is saved and told."""
        draft = Draft()
        state = "complete"
        error: AppError | None = None
        try:
            await self._write(actor, run, question, vault, draft)
        except asyncio.CancelledError:
            state = "stopped" if run.stop_requested else "interrupted"
            error = None if run.stop_requested else AnswerInterrupted()
        except AppError as told:
            state, error = "failed", told
        except Exception:
            log.exception("answer_failed", run_id=run.run_id)
            state, error = "failed", AnswerFailed(reference=correlation_id.get())
        # No further cancellation, however many there are, must lose what was written.
        ending = asyncio.create_task(self._end(actor, run, vault, draft, state, error))
        while not ending.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait((ending,))
        ending.result()

    async def _write(
        self, actor: Actor, run: LiveRun, question: Question, vault: Vault, draft: Draft
    ) -> None:
        try:
            async with aclosing(self._agent.answer(actor, question)) as events:
                async for event in events:
                    await self._take(actor, run, vault, draft, event)
            await draft.kept()
        finally:
            await draft.settle()

    async def _take(self, actor: Actor, run: LiveRun, vault: Vault, draft: Draft, event: AgentEvent) -> None:
        match event:
            case Token():
                await draft.kept()
                draft.pieces.append(event.text)
                run.emit("token", text=event.text)
                await self._save_sometimes(actor, run, vault, draft)
            case Thinking():
                await draft.kept()
                run.emit("thinking", text=event.text)
            case Searching():
                run.emit("status", stage="searching")
            case Evidence():
                # The model is asked meanwhile: its first word waits for the disk, its beginning does not.
                draft.keeping = self._keep_evidence(actor, run, event.passages)
            case Writing():
                draft.model = event.model
                run.emit("status", stage="writing", model=event.model)
            case Usage():
                draft.usage = {
                    "prompt_tokens": event.prompt_tokens,
                    "completion_tokens": event.completion_tokens,
                }

    def _keep_evidence(
        self, actor: Actor, run: LiveRun, passages: Sequence[Passage]
    ) -> asyncio.Task[None] | None:
        numbered = list(enumerate(passages, start=1))
        views = [citation_view(n, p, score=p.score, mark=(p.mark_start, p.mark_end)) for n, p in numbered]
        run.emit("citations", citations=[citation_json(view) for view in views])
        rows = [
            NewCitation(n, p.document_id, p.chunk_id, p.mark_start, p.mark_end, p.score) for n, p in numbered
        ]
        return asyncio.create_task(self._add_citations(actor, run, rows)) if rows else None

    async def _add_citations(self, actor: Actor, run: LiveRun, rows: Sequence[NewCitation]) -> None:
        async with self._db.write() as unit:
            await ChatRepository(unit, actor).add_citations(run.message_id, rows)

    async def _save_sometimes(self, actor: Actor, run: LiveRun, vault: Vault, draft: Draft) -> None:
        if (time.monotonic() - draft.saved_at) * 1_000 < self._settings.save_every_ms:
            return
        try:
            async with self._db.write() as unit:
                await ChatRepository(unit, actor).change_message(
                    run.message_id, sealed_content=vault.seal(draft.text), model=draft.model
                )
        except DatabaseTrouble as trouble:
            log.warning(
                "answer_unsaved", run_id=run.run_id, code=trouble.code
            )  # its end is saved with more patience
        draft.saved_at = time.monotonic()

    async def _end(
        self, actor: Actor, run: LiveRun, vault: Vault, draft: Draft, state: str, error: AppError | None
    ) -> None:
        try:
            await self._save_end_in_the_end(actor, run, vault, draft, state, error)
        except NotFound:
            pass  # the conversation was deleted while its answer was being written
        finally:
            if error is None:
                run.emit("done", message_id=run.message_id, state=state, usage=draft.usage)
            else:
                run.emit(
                    "error",
                    code=error.code,
                    message=error.message,
                    details=error.details,
                    message_id=run.message_id,
                )
            self._runs.retire(run)
            self._bus.publish(user_topic(actor.user_id), Event("run_finished", run.run_id))

    async def _save_end_in_the_end(
        self, actor: Actor, run: LiveRun, vault: Vault, draft: Draft, state: str, error: AppError | None
    ) -> None:
        """A database that is away is waited for; only the server's own end leaves the rest to the next start."""
        pause = _FIRST_PAUSE_S
        while True:
            try:
                await self._save_end(actor, run, vault, draft, state, error)
            except DatabaseTrouble as trouble:
                log.warning("answer_waits", run_id=run.run_id, code=trouble.code)
            else:
                return
            if await self._runs.is_given_up_within(pause):
                return
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    async def _save_end(
        self, actor: Actor, run: LiveRun, vault: Vault, draft: Draft, state: str, error: AppError | None
    ) -> None:
        async with self._db.write() as unit:
            repository = ChatRepository(unit, actor)
            await repository.change_message(
                run.message_id,
                sealed_content=vault.seal(draft.text),
                model=draft.model,
                state=state,
                usage=draft.usage,
                error_code=error.code if error else "",
                error_details={**error.details, "message": error.message} if error else {},
            )
            await repository.end_run(run.run_id, "done" if state == "complete" else state)
