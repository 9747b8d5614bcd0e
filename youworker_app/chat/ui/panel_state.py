"""The source beside the answer: read again at the moment that it is opened."""

from dataclasses import dataclass, replace

import reflex as rx
from reflex.event import EventSpec

from youworker_app.access.actor import Actor
from youworker_app.chat.conversations import ConversationService
from youworker_app.chat.schemas import CitationView
from youworker_app.chat.ui.views import cut_mark, place
from youworker_app.core.errors import NotFound
from youworker_app.core.registry import service
from youworker_app.documents.schemas import Locator
from youworker_app.documents.service import DocumentService
from youworker_app.ui.base_state import BaseState


@dataclass(frozen=True)
class SourceView:
    """A source on screen. `before`, `marked` and `after` make the passage; `page` is 0 where there are no pages."""

    n: int = 0
    available: bool = False
    filename: str = ""
    where: str = ""
    sections: str = ""
    file_id: str = ""
    chunk_id: str = ""
    page: int = 0
    pages: int = 0
    can_download: bool = False
    before: str = ""
    marked: str = ""
    after: str = ""


class PanelState(BaseState):
    """At most one source is open."""

    shown: bool = False
    source: SourceView = SourceView()

    @rx.event
    async def open(self, message_id: str, n: int) -> EventSpec | None:
        """Opens citation `n` of a message."""
        actor = await self._actor()
        message = await service(ConversationService).get_message(actor, message_id)
        citation = next((each for each in message.citations if each.n == n), None)
        if citation is None:
            raise NotFound
        self.source = await _source(actor, citation, self.language)
        self.shown = True
        return None

    @rx.event
    async def close(self) -> None:
        """Closes the panel."""
        await self._actor()
        self.shown, self.source = False, SourceView()


def _sections(locator: Locator | None) -> str:
    """The headings above the passage, where its place does not say them already."""
    return locator.section if locator and locator.kind != "section" else ""


async def _source(actor: Actor, citation: CitationView, language: str) -> SourceView:
    if not citation.available:
        return SourceView(n=citation.n)
    before, marked, after = cut_mark(citation.quote, citation.mark_start, citation.mark_end)
    source = SourceView(
        n=citation.n,
        available=True,
        filename=citation.filename,
        where=place(citation.locator, language),
        sections=_sections(citation.locator),
        file_id=citation.file_id,
        chunk_id=citation.chunk_id,
        can_download=citation.can_download,
        before=before,
        marked=marked,
        after=after,
    )
    if citation.page is None or not citation.can_view:
        return source
    file = await service(DocumentService).get_file(actor, citation.file_id)
    return replace(source, page=citation.page, pages=file.pages or citation.page)
