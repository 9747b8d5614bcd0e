"""The audit trail."""

from datetime import datetime

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from youworker_app.models.base import id_field, time_field


class AuditEvent(SQLModel, table=True):
    """Who did what to which resource, when and with what outcome: ids and counts, never words. `mac` is keyed."""

    __tablename__ = "audit_events"

    id: str = id_field()
    at: datetime = time_field(index=True)
    actor_id: str | None = Field(
        default=None, max_length=36, index=True
    )  # no foreign key: the trail outlives the person
    action: str = Field(max_length=64, index=True)
    resource_type: str = Field(default="", max_length=32)
    resource_id: str = Field(default="", max_length=64)
    outcome: str = Field(default="ok", max_length=16)
    details: dict[str, str | int | float | bool | None] = Field(default_factory=dict, sa_type=JSON)
    correlation_id: str = Field(default="", max_length=64)
    mac: str = Field(default="", max_length=64)
