"""Frozen inputs and views of documents."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Locator:
    """Where a passage stands. `kind`: page, slide, sheet, section, part or time. `section`: the headings above it."""

    kind: str
    label: str
    section: str = ""


@dataclass(frozen=True)
class DocumentView:
    id: str
    title: str
    author: str  # as the file itself says, or empty
    filename: str
    file_id: str
    mime_type: str
    size_bytes: int
    pages: int | None
    state: str  # queued, working, ready, failed, cancelled
    stage: str
    progress: float  # 0 to 1 within the whole way
    error_code: str
    error: str  # English sentence, empty when there is none
    error_details: dict[str, str | int | float | bool | None]
    job_id: str
    owner: str  # user name
    owner_id: str
    group_id: str | None
    is_private: bool
    is_mine: bool
    can_download: bool
    tags: tuple[str, ...]
    collection: str | None
    language: str
    created_at: datetime


@dataclass(frozen=True)
class DocumentFilter:
    """None does not filter."""

    group_id: str | None = None
    tag: str | None = None
    collection: str | None = None
    q: str | None = None
    state: str | None = None


@dataclass(frozen=True)
class ChangeDocument:
    """Fields that are None stay. `group_id` "" takes the document out of its group."""

    title: str | None = None
    tags: tuple[str, ...] | None = None
    is_private: bool | None = None
    group_id: str | None = None


@dataclass(frozen=True)
class ChunkView:
    id: str
    ordinal: int
    page: int | None
    locator: Locator
    text: str


@dataclass(frozen=True)
class Passage:
    """A passage as its reader may see it now. `mark_start` and `mark_end` frame the telling sentence in `text`."""

    chunk_id: str
    document_id: str
    file_id: str
    filename: str
    title: str
    page: int | None
    locator: Locator
    text: str
    group_id: str | None
    is_private: bool
    can_view: bool  # page pictures and the text
    can_download: bool
    language: str
    ordinal: int
    mime_type: str
    score: float = 0.0
    mark_start: int | None = None
    mark_end: int | None = None


@dataclass(frozen=True)
class FileView:
    """A stored file under the name that the reader knows it by."""

    id: str
    document_id: str
    filename: str
    mime_type: str
    size_bytes: int
    pages: int | None
    created_at: datetime
    etag: str


@dataclass(frozen=True)
class FileContent:
    """`stream` yields the plain bytes [start, end) of the file."""

    file: FileView
    start: int
    end: int
    stream: AsyncIterator[bytes] = field(compare=False)


@dataclass(frozen=True)
class NewFile:
    """A file whose bytes are safe in the blob store under `file_id`."""

    file_id: str
    space: str
    content_hash: str
    size_bytes: int
    media_type: str


@dataclass(frozen=True)
class NewDocument:
    """What the uploader says, checked."""

    title: str
    filename: str
    group_id: str | None
    is_private: bool
    tags: tuple[str, ...]
    collection: str | None


@dataclass(frozen=True)
class NewPassage:
    """A passage ready to be stored: its text sealed under the file's key, bound to its id."""

    chunk_id: str
    ordinal: int
    unit: int
    page: int | None
    start: int
    end: int
    locator: Locator
    sealed_text: bytes


@dataclass(frozen=True)
class SourceFile:
    """What ingestion needs of a document: where its bytes are, and the key that reads them."""

    document_id: str
    title: str
    filename: str
    language: str
    file_id: str
    media_type: str
    data_key: bytes
    visibility: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """What reading a document told about the document itself."""

    pages: int | None
    language: str
    title: str | None
    author: str | None


@dataclass(frozen=True)
class PlainPassage:
    """A passage in the clear, for embedding."""

    chunk_id: str
    ordinal: int
    locator: Locator
    text: str
