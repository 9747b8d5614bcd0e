"""Clearing all of one's conversations at once."""

from dataclasses import dataclass

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.access.permissions import Permission, require
from youworker_app.accounts.errors import AccountHeld
from youworker_app.audit.service import AuditService
from youworker_app.chat.ports import RunningAnswers
from youworker_app.chat.repository import ChatRepository
from youworker_app.core.db import Database
from youworker_app.core.events import Event, EventBus, user_topic


@dataclass(frozen=True)
class HistoryCleared:
    """How much went."""

    conversations: int
    messages: int


class HistoryService:
    """A person's own conversations, all of them."""

    def __init__(self, db: Database, answers: RunningAnswers, audit: AuditService, bus: EventBus) -> None:
        self._db, self._answers, self._audit, self._bus = db, answers, audit, bus

    async def clear(self, actor: Actor) -> HistoryCleared:
        """Removes them with their messages, citations and runs; answers that are being written end first.

        The audit trail keeps that it was done, and how much it was; it never held a word. Raises AccountHeld,
        and KeyNarrowed: a key that sees some of them does not remove all.
        """
        require_scope(actor, Scope.CHAT_WRITE)
        require(actor, Permission.KEEP_TO_ONESELF)
        await self._answers.stop(actor.user_id)
        async with self._db.write() as unit:
            repository = ChatRepository(unit, actor)
            if await repository.is_held():
                raise AccountHeld
            counts = await repository.clear()
            cleared = HistoryCleared(counts["chat_sessions"], counts["messages"])
            await self._audit.record(
                unit, actor, "chat.history_cleared", resource_type="session", details=vars(cleared)
            )
            unit.after_commit(lambda: self._bus.publish(user_topic(actor.user_id), Event("sessions_changed")))
        # One that was begun in between has nowhere to be kept any more.
        await self._answers.stop(actor.user_id)
        return cleared
