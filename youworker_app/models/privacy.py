"""What is kept of exports and erasures."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, UniqueConstraint
from sqlmodel import Field, SQLModel

from youworker_app.models.base import ID_LENGTH, id_field, optional_time_field, reference, time_field


class DataExport(SQLModel, table=True):
    """A person's export: one at a time. `state`: queued, running, ready or failed. Its bytes lie in a store under the id."""

    __tablename__ = "data_exports"
    __table_args__ = (UniqueConstraint("owner_id"),)

    id: str = id_field()
    owner_id: str = reference("users.id", index=False)
    state: str = Field(default="queued", max_length=16)
    progress: float = 0.0
    size_bytes: int = Field(default=0, sa_type=BigInteger)
    files: int = 0
    error_code: str = Field(default="", max_length=64)
    error_details: dict[str, str | int | float | bool | None] = Field(default_factory=dict, sa_type=JSON)
    created_at: datetime = time_field()
    expires_at: datetime | None = optional_time_field(index=True)


class ErasureRecord(SQLModel, table=True):
    """An erasure, and afterwards its receipt, which names nobody. `state`: running, erased (rows and keys) or done.

    `user_id` is there while it runs and goes with the person; no foreign key, since the receipt stays.
    """

    __tablename__ = "erasures"

    id: str = id_field()
    user_id: str | None = Field(default=None, max_length=ID_LENGTH, index=True)
    is_own: bool = False
    state: str = Field(default="running", max_length=16, index=True)
    token_hash: str = Field(max_length=64, unique=True)
    receipt: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    started_at: datetime = time_field(index=True)
    erased_at: datetime | None = optional_time_field()
    finished_at: datetime | None = optional_time_field()
