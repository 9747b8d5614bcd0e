"""A document that is open to read: its pages as pictures, or what was read from it."""

import reflex as rx

from youworker_app.access.actor import Actor
from youworker_app.core.paging import PageRequest
from youworker_app.core.registry import service
from youworker_app.documents.schemas import ChunkView
from youworker_app.documents.service import DocumentService
from youworker_app.documents.ui.state import NOBODY
from youworker_app.documents.ui.views import DocumentItem, document_item
from youworker_app.ui.base_state import BaseState

CHUNKS = 20


class ViewerState(BaseState):
    """At most one document is open. `texts` are passages in their order, for documents without pages."""

    shown: bool = False
    item: DocumentItem = NOBODY
    texts: list[str] = []
    more: str = ""

    @rx.event
    async def open(self, document_id: str) -> None:
        """Opens a document."""
        actor = await self._actor()
        view = await service(DocumentService).open_document(actor, document_id)
        self.item, self.texts, self.more = document_item(view, self.language), [], ""
        if self.item.kind != "pdf":
            await self._read(actor)
        self.shown = True

    @rx.event
    async def read_on(self) -> None:
        """Shows more of the text."""
        await self._read(await self._actor())

    @rx.event
    async def close(self) -> None:
        """Closes the document."""
        await self._actor()
        self.shown, self.item, self.texts, self.more = False, NOBODY, [], ""

    async def _read(self, actor: Actor) -> None:
        page = PageRequest(limit=CHUNKS, cursor=self.more or None)
        found = await service(DocumentService).list_chunks(actor, self.item.id, page, is_open=True)
        self.texts = [*self.texts, *(_text(chunk) for chunk in found.items)]
        self.more = found.next_cursor or ""


def _text(chunk: ChunkView) -> str:
    return chunk.text
