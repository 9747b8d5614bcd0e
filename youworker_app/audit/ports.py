"""What the audit trail does when a person goes: what happened stays, who it was is blanked."""

from youworker_app.audit.service import AuditService
from youworker_app.core.db import UnitOfWork
from youworker_app.core.ports import Erasure


class KeptTrail:
    """The trail as a port: a removal is told by the id of who was removed, and nothing else leads to them.

    Events of before 0002 keep the actor's id, which is in their MAC; without the person's row it leads to nobody.
    Fulfils `PersonalData`.
    """

    name = "audit trail"
    tables = frozenset({"audit_events"})

    def __init__(self, audit: AuditService) -> None:
        self._audit = audit

    async def erase(self, unit: UnitOfWork, user_id: str) -> Erasure:
        """Blanks the person in every event; MACs, blocks and anchors hold all the same."""
        return Erasure({"audit_names": await self._audit.blank(unit, user_id)})
