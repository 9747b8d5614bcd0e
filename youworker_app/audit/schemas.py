"""Frozen inputs of the audit trail."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from youworker_app.core.errors import Detail


@dataclass(frozen=True)
class NewAuditEvent:
    """One event as its MAC covers it: ids and counts, never words that people wrote."""

    id: str
    at: datetime
    actor_id: str | None
    action: str
    resource_type: str
    resource_id: str
    outcome: str
    details: Mapping[str, Detail]
    correlation_id: str
