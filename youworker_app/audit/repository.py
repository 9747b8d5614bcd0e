"""All SQL of the audit trail. It only appends: a row is never changed or taken away here."""

from youworker_app.access.visible import insert_rows
from youworker_app.audit.schemas import NewAuditEvent
from youworker_app.core.db import UnitOfWork
from youworker_app.models.audit import AuditEvent


class AuditRepository:
    """Appends to the trail. It needs no actor: what nobody signed in did is told as well."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._session = unit.session

    async def add(self, event: NewAuditEvent, mac: str) -> None:
        """Adds one event; it is written with the unit that it stands in."""
        row = {**vars(event), "details": dict(event.details), "mac": mac}
        await self._session.execute(insert_rows(AuditEvent), [row])
