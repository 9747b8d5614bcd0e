"""What the chat's screens show: small frozen views, made from the services' own for one language."""

from collections.abc import Sequence
from dataclasses import dataclass

from youworker_app.chat.schemas import PASSAGES_MODEL, CitationView, MessageView, SessionView, StartedRun
from youworker_app.documents.schemas import Locator
from youworker_app.ui import i18n

_BROKE_OFF = frozenset({"stopped", "interrupted", "failed"})


@dataclass(frozen=True)
class SessionItem:
    """A conversation in the sidebar."""

    id: str
    title: str


@dataclass(frozen=True)
class CitationItem:
    """What an answer needs to name its sources; the passage itself comes when it is opened."""

    n: int
    chunk_id: str
    available: bool
    filename: str
    where: str


@dataclass(frozen=True)
class MessageItem:
    """A message. `live` answers stream by themselves; `note` says in words how an answer ended that did not end well.

    `broke_off`: it is not whole, so that its question can be asked again.
    """

    id: str
    mine: bool
    content: str
    live: bool
    run_id: str
    model: str
    note: str
    note_kind: str
    broke_off: bool
    citations: list[CitationItem]


def session_item(view: SessionView, language: str) -> SessionItem:
    """The sidebar's view of a conversation."""
    return SessionItem(view.id, view.title or i18n.text(language, "chats.untitled"))


def message_item(view: MessageView, language: str) -> MessageItem:
    """The thread's view of a message."""
    note, kind = _note(view, language)
    live = view.state == "running"
    return MessageItem(
        id=view.id,
        mine=view.role == "user",
        content="" if live else view.content,
        live=live,
        run_id=view.run_id,
        model="" if view.model == PASSAGES_MODEL else view.model,
        note=note,
        note_kind=kind,
        broke_off=view.state in _BROKE_OFF,
        citations=citation_items(view.citations, language),
    )


def asked_items(started: StartedRun, question: str) -> list[MessageItem]:
    """A question that was asked a moment ago and its answer that begins, as `message_item` makes them once they are read."""
    asked = MessageItem(started.question_id, True, question, False, "", "", "", "", False, [])
    answer = MessageItem(started.message_id, False, "", True, started.run_id, "", "", "", False, [])
    return [asked, answer]


def citation_items(views: Sequence[CitationView], language: str) -> list[CitationItem]:
    """The citations of an answer."""
    return [CitationItem(v.n, v.chunk_id, v.available, v.filename, place(v.locator, language)) for v in views]


def place(locator: Locator | None, language: str) -> str:
    """Where a passage stands, in words; empty when nothing is known or said."""
    if locator is None or not locator.label:
        return ""
    key = f"locator.{locator.kind}"
    known = key in i18n.CATALOGUES[i18n.DEFAULT]
    return i18n.text(language, key, label=locator.label) if known else locator.label


def cut_mark(text: str, start: int | None, end: int | None) -> tuple[str, str, str]:
    """The passage before, inside and after its telling sentence."""
    if start is None or end is None or not 0 <= start < end <= len(text):
        return text, "", ""
    return text[:start], text[start:end], text[end:]


def _note(view: MessageView, language: str) -> tuple[str, str]:
    if view.state == "stopped":
        return i18n.text(language, "answer.stopped"), "quiet"
    if view.state == "interrupted":
        return i18n.text(language, "answer.interrupted"), "warn"
    if view.state == "failed":
        return _failure(view, language), "error"
    if view.state == "complete" and view.role == "assistant" and not view.content.strip():
        return i18n.text(language, "answer.empty"), "quiet"
    return "", ""


def _failure(view: MessageView, language: str) -> str:
    reason = i18n.error_text(language, view.error_code, view.error, view.error_details)
    if not reason:
        return i18n.text(language, "answer.failed.unknown")
    return i18n.text(language, "answer.failed", reason=reason)
