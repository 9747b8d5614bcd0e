"""Frozen inputs, views and events of chat."""

from dataclasses import dataclass, field
from datetime import datetime

from youworker_app.documents.schemas import Locator

_FIRST_TITLE_CHARS = 80


def first_title(question: str) -> str:
    """What a conversation is called until somebody calls it something else."""
    return " ".join(question.split())[:_FIRST_TITLE_CHARS]


@dataclass(frozen=True)
class AskQuestion:
    message: str
    session_id: str | None = None
    model: str | None = None
    language: str | None = None
    group_ids: tuple[str, ...] | None = None
    document_ids: tuple[str, ...] | None = None
    use_documents: bool = True


@dataclass(frozen=True)
class StartedRun:
    run_id: str
    session_id: str
    message_id: str
    question_id: str


@dataclass(frozen=True)
class RunEvent:
    """One event of a run, numbered from 1 without gaps. `name`: session, status, citations, thinking, token, done, error."""

    id: int
    name: str
    data: dict[str, object]


@dataclass(frozen=True)
class CitationView:
    """A citation as its reader may see it now; without access `available` is False and quote and names are empty."""

    n: int
    chunk_id: str
    document_id: str
    available: bool
    file_id: str = ""
    filename: str = ""
    title: str = ""
    page: int | None = None
    locator: Locator | None = None
    quote: str = ""
    mark_start: int | None = None
    mark_end: int | None = None
    score: float = 0.0
    can_view: bool = False
    can_download: bool = False
    mime_type: str = ""


@dataclass(frozen=True)
class MessageView:
    id: str
    session_id: str
    role: str  # user, assistant
    content: str
    state: str  # complete, running, stopped, failed, interrupted
    model: str
    error_code: str
    error: str
    run_id: str
    citations: tuple[CitationView, ...]
    created_at: datetime
    usage: dict[str, int | None] = field(default_factory=dict)
    error_details: dict[str, str | int | float | bool | None] = field(default_factory=dict)


@dataclass(frozen=True)
class SessionView:
    id: str
    title: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class ModelsView:
    """What can answer now: `models` empty and `connected` False means the built-in passages answerer."""

    connected: bool
    models: tuple[str, ...]
    chosen: str  # "" when passages answer


PASSAGES_MODEL = "passages"
