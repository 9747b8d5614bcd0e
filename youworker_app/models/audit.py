"""The audit trail: what happened, and the blocks that seal it."""

from datetime import datetime

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from youworker_app.models.base import ID_LENGTH, id_field, optional_time_field, time_field


class AuditEvent(SQLModel, table=True):
    """Who did what to which resource, when, from where and with what outcome: ids and counts, never words.

    `mac` is keyed. Of `version` 2 it covers the two commitments instead of the persons beside them (`actor_id`, `address`
    and `credential_id`; `subject_id`), so that these can be blanked. No foreign keys: the trail outlives the person.
    """

    __tablename__ = "audit_events"

    id: str = id_field()
    at: datetime = time_field(index=True)
    actor_id: str | None = Field(default=None, max_length=ID_LENGTH, index=True)
    action: str = Field(max_length=64, index=True)
    resource_type: str = Field(default="", max_length=32)
    resource_id: str = Field(default="", max_length=64)
    outcome: str = Field(default="ok", max_length=16)
    details: dict[str, str | int | float | bool | None] = Field(default_factory=dict, sa_type=JSON)
    correlation_id: str = Field(default="", max_length=64)
    mac: str = Field(default="", max_length=64)
    version: int = 2
    address: str = Field(default="", max_length=64)
    credential_id: str = Field(default="", max_length=64)
    subject_id: str | None = Field(default=None, max_length=ID_LENGTH, index=True)
    actor_salt: str = Field(default="", max_length=64)
    actor_commitment: str = Field(default="", max_length=64)
    subject_salt: str = Field(default="", max_length=64)
    subject_commitment: str = Field(default="", max_length=64)
    block_seq: int | None = Field(default=None, index=True)  # None: not sealed yet


class AuditBlock(SQLModel, table=True):
    """A stretch of the trail under one root; `mac` is keyed, and covers the MAC of the block before."""

    __tablename__ = "audit_blocks"

    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    first_at: datetime = time_field()
    last_at: datetime = time_field()
    event_count: int
    root: str = Field(max_length=64)
    previous: str = Field(max_length=64)
    sealed_at: datetime = time_field()
    mac: str = Field(max_length=64)
    anchored_at: datetime | None = optional_time_field()
    retired_at: datetime | None = optional_time_field()  # its events were taken away behind the seal
    retirement: str = Field(default="", max_length=64)  # a keyed MAC, so that nobody else can say so
