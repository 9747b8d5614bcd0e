"""What the audit trail does when a person goes: what happened stays, who it was is blanked."""

from collections.abc import AsyncIterator
from typing import Final

from youworker_app.audit.repository import ReaderRepository
from youworker_app.audit.service import AuditService
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.exports import ExportedFile, json_list
from youworker_app.core.ports import Erasure

_AT_ONCE: Final = 500


class KeptTrail:
    """The trail as a port: a removal is told by the id of who was removed, and nothing else leads to them.

    Events of before 0002 keep the actor's id, which is in their MAC; without the person's row it leads to nobody.
    Fulfils `PersonalData`.
    """

    name = "audit trail"
    tables = frozenset({"audit_events"})

    def __init__(self, db: Database, audit: AuditService) -> None:
        self._db, self._audit = db, audit

    async def export(self, user_id: str) -> AsyncIterator[ExportedFile]:
        """What the person did."""
        yield json_list("audit.json", self._events(user_id))

    async def _events(self, user_id: str) -> AsyncIterator[object]:
        position = None
        while True:
            async with self._db.read() as unit:
                found = await ReaderRepository(unit).own_events(user_id, position, _AT_ONCE)
            for event in found:
                yield event
            if len(found) < _AT_ONCE:
                return
            position = (found[-1]["at"], found[-1]["id"])

    async def erase(self, unit: UnitOfWork, user_id: str) -> Erasure:
        """Blanks the person in every event; MACs, blocks and anchors hold all the same."""
        return Erasure({"audit_names": await self._audit.blank(unit, user_id)})
