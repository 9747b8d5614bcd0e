"""Durable jobs: the row is the truth, a broker only delivers its id."""

from datetime import datetime

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from youworker_app.models.base import id_field, optional_reference, reference, time_field


class Job(SQLModel, table=True):
    """Work for somebody. `stage` is the last stage reached; a restart goes on from there."""

    __tablename__ = "jobs"

    id: str = id_field()
    kind: str = Field(max_length=32)
    requester_id: str = reference("users.id")
    document_id: str | None = optional_reference("documents.id", on_delete="CASCADE")
    state: str = Field(default="queued", max_length=16, index=True)
    stage: str = Field(default="stored", max_length=16)
    progress: float = 0.0
    cursor: int = 0  # passages of the stage that are done, so that a restart repeats none
    attempts: int = 0
    error_code: str = Field(default="", max_length=64)
    error_details: dict[str, str | int | float | bool | None] = Field(default_factory=dict, sa_type=JSON)
    created_at: datetime = time_field(index=True)
    updated_at: datetime = time_field()
