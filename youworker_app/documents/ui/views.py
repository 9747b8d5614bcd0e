"""What the documents' screens show: small frozen views, made from the service's own for one language."""

from dataclasses import dataclass

from youworker_app.documents.schemas import DocumentView
from youworker_app.ui import i18n

WORKING = frozenset({"queued", "working"})


@dataclass(frozen=True)
class DocumentItem:
    """A document in the list. `percent` is -1 while nothing is known of its progress."""

    id: str
    name: str
    kind: str
    file_id: str
    job_id: str
    state: str
    stage: str
    percent: int
    problem: str
    facts: str
    private: bool
    mine: bool
    downloadable: bool
    pages: int
    created_at: str


def document_item(view: DocumentView, language: str) -> DocumentItem:
    """The list's view of a document."""
    return DocumentItem(
        id=view.id,
        name=view.filename or view.title,
        kind=_kind(view.mime_type),
        file_id=view.file_id,
        job_id=view.job_id,
        state=view.state,
        stage=_stage(view, language),
        percent=round(view.progress * 100),
        problem=_problem(view, language),
        facts=_facts(view, language),
        private=view.is_private,
        mine=view.is_mine,
        downloadable=view.can_download,
        pages=view.pages or 0,
        created_at=view.created_at.isoformat(),
    )


def _kind(mime_type: str) -> str:
    return "pdf" if mime_type == "application/pdf" else "text"


def _stage(view: DocumentView, language: str) -> str:
    if _waits(view):
        return i18n.text(language, "documents.state.waiting")
    key = f"documents.state.{view.stage if view.state == 'working' and view.stage else view.state}"
    known = key in i18n.CATALOGUES[i18n.DEFAULT]
    return i18n.text(language, key if known else "documents.state.stored")


def _problem(view: DocumentView, language: str) -> str:
    reason = i18n.error_by_code(language, view.error_code, view.error_details) or view.error
    if _waits(view):
        return i18n.text(language, "documents.waits", reason=reason)
    return reason if view.state == "failed" else ""


def _waits(view: DocumentView) -> bool:
    """Whether it waits for something that is away."""
    return view.state in WORKING and view.error_code != ""


def _facts(view: DocumentView, language: str) -> str:
    """Size, pages, and the owner where it is somebody else, in one line."""
    facts = [i18n.size_text(view.size_bytes, language)]
    if view.pages:
        key = "documents.pages.one" if view.pages == 1 else "documents.pages.many"
        facts.append(i18n.text(language, key, n=view.pages))
    if not view.is_mine:
        facts.append(i18n.text(language, "documents.owner", name=view.owner))
    return " · ".join(facts)
