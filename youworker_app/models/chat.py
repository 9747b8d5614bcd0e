"""Conversations, messages, the passages they cite, and the runs that write answers."""

from datetime import datetime

from sqlalchemy import JSON, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from youworker_app.models.base import ID_LENGTH, id_field, optional_time_field, reference, time_field


class ChatSession(SQLModel, table=True):
    """A conversation. Its title is sealed under its owner's key."""

    __tablename__ = "chat_sessions"
    __table_args__ = (Index("ix_chat_sessions_owner_updated", "owner_id", "updated_at"),)

    id: str = id_field()
    owner_id: str = reference("users.id", index=False)
    # The line of the key narrowed to groups with which all of it was asked; nothing where anybody else asked too.
    key_line: str | None = Field(default=None, max_length=ID_LENGTH)
    sealed_title: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = time_field()
    updated_at: datetime = time_field()


class Message(SQLModel, table=True):
    """One turn's side. `state`: complete, running, stopped, failed or interrupted. The content is sealed."""

    __tablename__ = "messages"
    __table_args__ = (UniqueConstraint("session_id", "position"),)

    id: str = id_field()
    session_id: str = reference("chat_sessions.id", index=False)
    position: int
    role: str = Field(max_length=16)
    sealed_content: bytes = Field(sa_type=LargeBinary)
    state: str = Field(default="complete", max_length=16)
    model: str = Field(default="", max_length=128)
    error_code: str = Field(default="", max_length=64)
    error_details: dict[str, str | int | float | bool | None] = Field(default_factory=dict, sa_type=JSON)
    usage: dict[str, int | None] = Field(default_factory=dict, sa_type=JSON)
    created_at: datetime = time_field()


class Citation(SQLModel, table=True):
    """Which passage `[n]` points at. It holds no text and no name: both are read, with a new check, when shown."""

    __tablename__ = "citations"
    __table_args__ = (UniqueConstraint("message_id", "n"),)

    id: str = id_field()
    message_id: str = reference("messages.id", index=False)
    n: int
    document_id: str = Field(max_length=36, index=True)  # no foreign key: the answer outlives the document
    chunk_id: str = Field(max_length=36)
    mark_start: int | None = None  # the telling sentence, as offsets in the chunk's text
    mark_end: int | None = None
    score: float


class Run(SQLModel, table=True):
    """One answer being written. `state`: running, done, stopped, failed or interrupted."""

    __tablename__ = "runs"

    id: str = id_field()
    session_id: str = reference("chat_sessions.id")
    message_id: str = reference("messages.id", index=False)
    owner_id: str = reference("users.id")
    state: str = Field(default="running", max_length=16, index=True)
    started_at: datetime = time_field()
    ended_at: datetime | None = optional_time_field()
