"""Frozen inputs and views of ingestion."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Stage(StrEnum):
    """The stages of a document's way, in order; a job holds the last one reached."""

    STORED = "stored"
    TEXT = "text"  # passages are in the database
    EMBEDDED = "embedded"  # vectors are in the store
    INDEXED = "indexed"  # everything is searchable


TEXT_SHARE = 0.2
"""Reading is quick beside embedding: where a document's bar stands when its text is in."""


@dataclass(frozen=True)
class Upload:
    """What the uploader says about one file."""

    filename: str
    group_id: str | None = None
    is_private: bool | None = None  # None: private without a group, shared with one
    tags: tuple[str, ...] = ()
    collection: str | None = None


@dataclass(frozen=True)
class UploadedItem:
    """One file of an upload: accepted (ids), or refused on its own (`error_code`, `error`)."""

    filename: str
    document_id: str | None = None
    job_id: str | None = None
    duplicate_of: str | None = None
    error_code: str = ""
    error: str = ""
    error_details: dict[str, str | int | float | bool | None] = field(default_factory=dict)


@dataclass(frozen=True)
class JobView:
    """`error_code` and `error`: why it failed, or, in a queued one, what it waits for; it goes on by itself."""

    id: str
    state: str  # queued, running, done, failed, cancelled
    stage: str
    progress: float
    error_code: str
    error: str
    document_id: str | None
    children: tuple[str, ...]
    created_at: datetime
