"""All SQL of the audit trail. It only appends: a row is never changed or taken away here."""

from youworker_app.audit.schemas import NewAuditEvent
from youworker_app.core.db import UnitOfWork
from youworker_app.models.audit import AuditEvent


class AuditRepository:
    """Appends to the trail. It needs no actor: what nobody signed in did is told as well."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._session = unit.session

    def add(self, event: NewAuditEvent, mac: str) -> None:
        """Adds one event; it is written with the unit that it stands in."""
        self._session.add(
            AuditEvent(
                id=event.id,
                at=event.at,
                actor_id=event.actor_id,
                action=event.action,
                resource_type=event.resource_type,
                resource_id=event.resource_id,
                outcome=event.outcome,
                details=dict(event.details),
                correlation_id=event.correlation_id,
                mac=mac,
            )
        )
