"""Who did what: one row an action, in the transaction of what it tells, under a keyed MAC.

Owns the form of the MAC. Ids and counts only: no text that people wrote, no name, no secret.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC

from youworker_app.audit.repository import AuditRepository
from youworker_app.audit.schemas import NewAuditEvent
from youworker_app.core.clock import now
from youworker_app.core.db import UnitOfWork
from youworker_app.core.errors import Detail
from youworker_app.core.ids import new_id
from youworker_app.core.keys import DataKeys
from youworker_app.core.ports import Identified
from youworker_app.core.telemetry import correlation_id

_LONGEST_CORRELATION = 64


class AuditService:
    """Writes the trail. `record` is awaited inside the caller's unit of work."""

    def __init__(self, keys: DataKeys) -> None:
        self._key = keys.derive("audit")

    async def record(
        self,
        unit: UnitOfWork,
        actor: Identified | None,
        action: str,
        *,
        resource_type: str = "",
        resource_id: str = "",
        outcome: str = "ok",
        details: Mapping[str, Detail] | None = None,
    ) -> None:
        """Adds one event to the unit; it is there if, and only if, the unit commits. `actor` None: nobody signed in."""
        event = NewAuditEvent(
            id=new_id(),
            at=now(),
            actor_id=actor.user_id if actor else None,
            action=action,
            resource_type=resource_type,
            resource_id=resource_id,
            outcome=outcome,
            details=details or {},
            correlation_id=correlation_id.get()[:_LONGEST_CORRELATION],
        )
        await AuditRepository(unit).add(event, self.mac(event))

    def mac(self, event: NewAuditEvent) -> str:
        """HMAC-SHA-256 (hex) over the event's fields in one fixed form: JSON array, sorted details, time in UTC."""
        fields = [
            event.id,
            event.at.astimezone(UTC).isoformat(timespec="microseconds"),
            event.actor_id,
            event.action,
            event.resource_type,
            event.resource_id,
            event.outcome,
            dict(event.details),
            event.correlation_id,
        ]
        form = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hmac.new(self._key, form.encode(), hashlib.sha256).hexdigest()
