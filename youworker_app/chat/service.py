"""Asking: a question becomes rows, a run and a task; anyone entitled may follow, stop or wait for it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.access.permissions import Permission, require
from youworker_app.agent.schemas import Question, Turn
from youworker_app.agent.service import AgentService
from youworker_app.audit.service import AuditService
from youworker_app.chat.conversations import ConversationService
from youworker_app.chat.errors import AnswerRunning, QuestionEmpty, QuestionTooLong, TooManyAnswers
from youworker_app.chat.live import LiveRun, LiveRuns
from youworker_app.chat.repository import ChatRepository, MessageRow, interrupt_unfinished
from youworker_app.chat.runner import AnswerRunner
from youworker_app.chat.schemas import AskQuestion, MessageView, ModelsView, RunEvent, StartedRun, first_title
from youworker_app.chat.vault import Vault, vault_of
from youworker_app.chat.views import citation_json
from youworker_app.core.clock import now
from youworker_app.core.db import Database
from youworker_app.core.events import Event, EventBus, user_topic
from youworker_app.core.keys import DataKeys
from youworker_app.core.settings import ChatSettings
from youworker_app.core.stopping import ServerStopping
from youworker_app.core.telemetry import get_logger

log = get_logger(__name__)


class ChatService:
    """Questions and the runs that answer them. Conversations as such: `ConversationService`."""

    def __init__(
        self,
        db: Database,
        keys: DataKeys,
        agent: AgentService,
        conversations: ConversationService,
        runs: LiveRuns,
        audit: AuditService,
        bus: EventBus,
        settings: ChatSettings,
    ) -> None:
        self._db, self._keys, self._agent, self._conversations = db, keys, agent, conversations
        self._runs, self._audit, self._bus, self._settings = runs, audit, bus, settings
        self._runner = AnswerRunner(db, agent, runs, bus, settings)

    async def ask(self, actor: Actor, asked: AskQuestion) -> StartedRun:
        """Commits the question and starts its answer.

        Raises NotFound for a session that is not the actor's, QuestionEmpty, QuestionTooLong, AnswerRunning, TooManyAnswers,
        ServerStopping.
        """
        require_scope(actor, Scope.CHAT_WRITE)
        if self._runs.is_closing:
            raise ServerStopping
        text = self._checked(asked.message)
        with self._runs.place(actor.user_id, limit=self._settings.max_runs_per_user) as is_free:
            if not is_free:
                raise TooManyAnswers(limit=self._settings.max_runs_per_user, retry_after_s=5)
            return await self._ask(actor, asked, text)

    async def _ask(self, actor: Actor, asked: AskQuestion, text: str) -> StartedRun:
        async with self._db.write() as unit:
            repository = ChatRepository(unit, actor)
            vault = await vault_of(repository, self._keys)
            session_id, earlier = await self._session(actor, repository, vault, asked.session_id, text)
            position = earlier[0].position + 1 if earlier else 1
            question_id, message_id = await repository.add_turn(
                session_id, position, vault.seal(text), vault.seal("")
            )
            run_id = await repository.add_run(session_id, message_id)
            await self._audit.record(unit, actor, "chat.asked", resource_type="run", resource_id=run_id)
            run = LiveRun(run_id, session_id, message_id, actor.user_id)
        self._start(actor, run, _question(asked, text, self._history(earlier, vault)), vault)
        return StartedRun(run.run_id, run.session_id, run.message_id, question_id)

    def _checked(self, message: str) -> str:
        text = message.strip()
        if not text:
            raise QuestionEmpty
        if len(text) > self._settings.max_question_chars:
            raise QuestionTooLong(length=len(text), limit=self._settings.max_question_chars)
        return text

    async def _session(
        self, actor: Actor, repository: ChatRepository, vault: Vault, session_id: str | None, text: str
    ) -> tuple[str, list[MessageRow]]:
        """The conversation's id, a new one's where none is named, and its latest messages, newest first."""
        if session_id is None:
            return await repository.add_session(vault.seal(first_title(text))), []
        session = await repository.lock_session(session_id)
        require(actor, Permission.CHANGE_CHAT, session)
        if await repository.is_answering(session.id):
            raise AnswerRunning
        session.updated_at = now()
        if session.key_line != (actor.key_line or None):
            session.key_line = None  # answered from more than that key may see
        # One at the least: the new turn comes after it.
        limit = max(self._settings.history_messages, 1)
        return session.id, await repository.list_messages(session.id, None, limit)

    def _history(self, earlier: list[MessageRow], vault: Vault) -> tuple[Turn, ...]:
        kept = earlier[: self._settings.history_messages]
        turns = [Turn(row.role, vault.open(row.sealed_content)) for row in reversed(kept)]
        return tuple(turn for turn in turns if turn.content)

    def _start(self, actor: Actor, run: LiveRun, question: Question, vault: Vault) -> None:
        self._runs.add(run)
        run.emit("session", run_id=run.run_id, session_id=run.session_id, message_id=run.message_id)
        run.task = asyncio.create_task(
            self._runner.run(actor, run, question, vault), name=f"run-{run.run_id}"
        )
        self._bus.publish(user_topic(actor.user_id), Event("sessions_changed", run.session_id))
        self._bus.publish(user_topic(actor.user_id), Event("run_started", run.run_id))

    async def stream(self, actor: Actor, asked: AskQuestion) -> AsyncIterator[Sequence[RunEvent]]:
        """Asks, and gives the events of the answer as they come (see `events`). Raises as `ask`, at once.

        The run was committed a moment ago in the actor's own name: it is not looked up again.
        """
        require_scope(actor, Scope.CHAT_READ)
        started = await self.ask(actor, asked)
        live = self._runs.find(started.run_id)
        if live is None:  # an answer that has ended and left memory already
            return self.events(actor, started.run_id)
        return self._follow(actor, live, 0)

    async def events(self, actor: Actor, run_id: str, *, after: int = 0) -> AsyncIterator[Sequence[RunEvent]]:
        """The run's events above `after`, as they come, those together that are there at once; from the database once
        the run has left memory.

        A stream rebuilt from the database begins with `reset`: whoever listened before forgets the text so far.
        Raises NotFound at the first step.
        """
        require_scope(actor, Scope.CHAT_READ)
        live = self._runs.find(run_id)
        # Who is being answered asks for it a moment after the question; it is theirs, and nobody else's.
        # A key that is narrowed to groups sees not even all that is theirs.
        if live is None or live.ended or live.owner_id != actor.user_id or actor.key_line:
            async with self._db.read() as unit:
                row = await ChatRepository(unit, actor).get_run(run_id)
            live = self._runs.find(run_id)
        if live is not None:
            async for batch in self._follow(actor, live, after if after <= len(live.events) else 0):
                yield batch
            return
        message = await self._conversations.get_message(actor, row.message_id)
        yield _rebuilt(run_id, message)

    async def _follow(self, actor: Actor, live: LiveRun, after: int) -> AsyncIterator[Sequence[RunEvent]]:
        async for batch in live.follow(after):
            yield [await self._by_right(actor, event) for event in batch]

    async def _by_right(self, actor: Actor, event: RunEvent) -> RunEvent:
        """The event as its reader may see it now: the evidence in memory was read when the answer began."""
        if event.name != "citations" or not event.data["citations"]:
            return event
        kept = cast("Sequence[Mapping[str, object]]", event.data["citations"])
        return replace(event, data={"citations": await self._conversations.by_right(actor, kept)})

    async def stop(self, actor: Actor, run_id: str) -> None:
        """Ends a running answer and keeps what was written; nothing happens to one that has ended. Raises NotFound."""
        require_scope(actor, Scope.CHAT_WRITE)
        async with self._db.read() as unit:
            row = await ChatRepository(unit, actor).get_run(run_id)
            require(actor, Permission.STOP_RUN, row)
        live = self._runs.find(run_id)
        if live is not None and live.task is not None and not live.ended:
            live.stop_requested = True
            live.task.cancel()
            await asyncio.wait([live.task])

    async def wait(self, actor: Actor, run_id: str) -> MessageView:
        """The answer, once it has ended. Raises NotFound."""
        async for _ in self.events(actor, run_id):
            pass
        async with self._db.read() as unit:
            row = await ChatRepository(unit, actor).get_run(run_id)
        return await self._conversations.get_message(actor, row.message_id)

    async def list_models(self, actor: Actor) -> ModelsView:
        """What can answer now."""
        require_scope(actor, Scope.CHAT_READ)
        connected, models, chosen = await self._agent.list_models()
        return ModelsView(connected, models, chosen)

    async def recover(self) -> None:
        """At start: marks what a stopped process left half written."""
        async with self._db.write() as unit:
            count = await interrupt_unfinished(unit)
        log.info("runs_interrupted", count=count)

    async def shut_down(self, seconds: float) -> None:
        """Waits for running answers, then cuts them; what was written is saved."""
        await self._runs.drain(seconds)


def _question(asked: AskQuestion, text: str, history: tuple[Turn, ...]) -> Question:
    return Question(
        text=text,
        history=history,
        language=asked.language or "",
        model=asked.model or None,
        group_ids=asked.group_ids,
        document_ids=asked.document_ids,
        use_documents=asked.use_documents,
    )


def _rebuilt(run_id: str, message: MessageView) -> list[RunEvent]:
    """The events of a run that has ended, made from what was kept."""
    parts: list[tuple[str, dict[str, object]]] = [
        ("session", {"run_id": run_id, "session_id": message.session_id, "message_id": message.id}),
        ("reset", {}),
        ("citations", {"citations": [citation_json(view) for view in message.citations]}),
        ("token", {"text": message.content}),
    ]
    if message.error_code:
        error: dict[str, object] = {
            "code": message.error_code,
            "message": message.error,
            "details": message.error_details,
            "message_id": message.id,
        }
        parts.append(("error", error))
    else:
        parts.append(("done", {"message_id": message.id, "state": message.state, "usage": message.usage}))
    return [RunEvent(number, name, data) for number, (name, data) in enumerate(parts, start=1)]
