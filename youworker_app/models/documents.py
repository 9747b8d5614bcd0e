"""Documents, the stored files behind them, their tags and their passages."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from youworker_app.models.base import id_field, optional_reference, optional_time_field, reference, time_field


class StoredFile(SQLModel, table=True):
    """Encrypted bytes, once for each content in one space (`u:<user>` or `g:<group>`). `content_hash` is keyed."""

    __tablename__ = "stored_files"
    __table_args__ = (UniqueConstraint("space", "content_hash"),)

    id: str = id_field()  # also the blob's id
    space: str = Field(max_length=40)
    content_hash: str = Field(max_length=64)
    size_bytes: int = Field(sa_type=BigInteger)
    media_type: str = Field(max_length=128)
    key_id: str = reference("encryption_keys.id", index=False, on_delete="RESTRICT")
    created_at: datetime = time_field()


class Document(SQLModel, table=True):
    """What a person uploaded: a name and rights over a stored file, and how far the machine has read it."""

    __tablename__ = "documents"
    __table_args__ = (
        Index("ix_documents_owner_created", "owner_id", "created_at"),
        Index("ix_documents_group_created", "group_id", "created_at"),
    )

    id: str = id_field()
    title: str = Field(max_length=512)
    author: str = Field(default="", max_length=256)  # as the file itself says
    filename: str = Field(max_length=512)
    file_id: str = reference("stored_files.id", on_delete="RESTRICT")
    owner_id: str = reference("users.id", index=False)
    group_id: str | None = optional_reference("groups.id", index=False)
    is_private: bool = True
    member_right: int | None = Field(default=None)  # the owner's narrowing of the group's default
    state: str = Field(default="queued", max_length=16, index=True)
    pages: int | None = None
    language: str = Field(default="", max_length=8)
    collection: str | None = Field(default=None, max_length=128)
    created_at: datetime = time_field()
    deleted_at: datetime | None = optional_time_field()


class DocumentTag(SQLModel, table=True):
    """One tag on one document."""

    __tablename__ = "document_tags"

    document_id: str = Field(foreign_key="documents.id", ondelete="CASCADE", primary_key=True, max_length=36)
    tag: str = Field(primary_key=True, max_length=64, index=True)


class Chunk(SQLModel, table=True):
    """A passage. Its text is sealed under the file's key; `start` and `end` are offsets in its unit's cleaned text."""

    __tablename__ = "chunks"
    __table_args__ = (UniqueConstraint("document_id", "ordinal"),)

    id: str = id_field()  # also the vector's id
    document_id: str = reference("documents.id", index=False)
    ordinal: int
    unit: int
    page: int | None = None
    start: int
    end: int
    locator: dict[str, str] = Field(sa_type=JSON)
    sealed_text: bytes = Field(sa_type=LargeBinary)
