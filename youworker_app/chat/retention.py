"""The rule for how long conversations are kept: what nobody has written in for so many days is deleted, a few at a time.

Off unless root sets a number of days. Nothing of people on hold goes, and nothing in which an answer is being written.
"""

from datetime import timedelta
from typing import Final

from youworker_app.audit.service import AuditService
from youworker_app.chat.repository import retire_chats
from youworker_app.core.clock import now
from youworker_app.core.db import Database
from youworker_app.core.events import Event, EventBus, user_topic

_AT_ONCE: Final = 100  # conversations in one transaction, so that nobody waits for it


class RetentionService:
    """Runs in nobody's name."""

    def __init__(
        self, db: Database, audit: AuditService, bus: EventBus, *, days: int, at_once: int = _AT_ONCE
    ) -> None:
        self._db, self._audit, self._bus = db, audit, bus
        self._days, self._at_once = days, at_once

    async def sweep(self) -> int:
        """Deletes what is over its time. Returns how many conversations."""
        if not self._days:
            return 0
        before, total = now() - timedelta(days=self._days), 0
        while True:
            async with self._db.write() as unit:
                counts, owners = await retire_chats(unit, before, self._at_once)
                if not counts["conversations"]:
                    return total
                await self._audit.record(
                    unit,
                    None,
                    "chat.retired",
                    resource_type="session",
                    details={**counts, "days": self._days},
                )
            total += counts["conversations"]
            for owner in owners:
                self._bus.publish(user_topic(owner), Event("sessions_changed"))
