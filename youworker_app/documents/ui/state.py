"""The documents that a person can see, as list; and the files added in the chat."""

from collections.abc import Sequence

import reflex as rx
from reflex.event import EventSpec

from youworker_app.access.actor import Actor
from youworker_app.core.errors import NotFound
from youworker_app.core.paging import PageRequest
from youworker_app.core.registry import service
from youworker_app.core.settings import Settings
from youworker_app.documents.schemas import DocumentFilter, DocumentView
from youworker_app.documents.service import DocumentService
from youworker_app.documents.ui.views import WORKING, DocumentItem, document_item
from youworker_app.ui import i18n
from youworker_app.ui.base_state import BaseState
from youworker_app.ui.errors import ToastState

PAGE = 50
NOBODY = DocumentItem("", "", "", "", "", "", "", 0, "", "", False, False, False, 0, "")


class DocumentsState(BaseState):
    """`working` changes often and is small; `items` are those at rest. `attached` were added in the chat."""

    loaded: bool = False
    largest: str = ""
    query: str = ""
    group: str = ""
    working: list[DocumentItem] = []
    items: list[DocumentItem] = []
    attached: list[DocumentItem] = []
    more: bool = False
    doomed: DocumentItem = NOBODY
    _shown: int = PAGE
    _attached_ids: list[str] = []

    @rx.event
    async def refresh(self) -> None:
        """Reads the list again, as long as it is now."""
        await self._load(await self._actor())

    @rx.event
    async def search(self, query: str) -> None:
        """Narrows the list to names with these words."""
        actor = await self._actor()
        self.query, self._shown = query[:200], PAGE
        await self._load(actor)

    @rx.event
    async def show_more(self) -> None:
        """Reads further back."""
        actor = await self._actor()
        self._shown = min(self._shown + PAGE, 200)
        await self._load(actor)

    @rx.event
    async def choose_group(self, group_id: str) -> None:
        """For whom the next files are: a group, or "" for oneself."""
        await self._actor()
        self.group = group_id

    @rx.event
    async def stored(self, document_id: str, duplicate_of: str) -> EventSpec | None:
        """A file has arrived."""
        actor = await self._actor()
        await self._load(actor)
        return await _told_duplicate(actor, duplicate_of)

    @rx.event
    async def attach(self, document_id: str, duplicate_of: str) -> EventSpec | None:
        """A file has arrived in the chat."""
        actor = await self._actor()
        self._attached_ids = [*self._attached_ids, document_id][-8:]
        await self._load(actor)
        return await _told_duplicate(actor, duplicate_of)

    @rx.event
    async def detach(self, document_id: str) -> None:
        """Takes a file off the chat's list; the document stays."""
        actor = await self._actor()
        self._attached_ids = [each for each in self._attached_ids if each != document_id]
        await self._load(actor)

    @rx.event
    async def settle(self, all_of_them: bool) -> None:
        """Takes off the chat's list what has been read, or everything when another conversation is opened."""
        await self._actor()
        kept = [] if all_of_them else [item.id for item in self.attached if item.state in WORKING]
        self._attached_ids = kept
        self.attached = [item for item in self.attached if item.id in kept]

    @rx.event
    async def doom(self, document_id: str) -> None:
        """Asks before a document is deleted."""
        actor = await self._actor()
        self.doomed = document_item(
            await service(DocumentService).get_document(actor, document_id), self.language
        )

    @rx.event
    async def keep(self) -> None:
        """Does not delete."""
        await self._actor()
        self.doomed = NOBODY

    @rx.event
    async def delete(self) -> EventSpec:
        """Deletes the document that was confirmed."""
        actor = await self._actor()
        doomed, self.doomed = self.doomed, NOBODY
        await service(DocumentService).delete_document(actor, doomed.id)
        await self._load(actor)
        return ToastState.show("documents.deleted", {"name": doomed.name})

    async def _load(self, actor: Actor) -> None:
        documents = service(DocumentService)
        page = PageRequest(limit=self._shown)
        found = await documents.list_documents(actor, DocumentFilter(q=self.query or None), page)
        self._show(found.items)
        self.more = found.next_cursor is not None and self._shown < 200
        self.loaded = True
        self.largest = i18n.size_text(service(Settings).ingestion.max_file_bytes, self.language)
        known = {view.id: view for view in found.items}
        attached = [known.get(each) or await _find(actor, each) for each in self._attached_ids]
        items = [document_item(view, self.language) for view in attached if view is not None]
        if items != self.attached:
            self.attached = items

    def _show(self, views: Sequence[DocumentView]) -> None:
        """Assigns what changed and nothing else: only that is sent."""
        items = [document_item(view, self.language) for view in views]
        working = [item for item in items if item.state in WORKING]
        resting = [item for item in items if item.state not in WORKING]
        if working != self.working:
            self.working = working
        if resting != self.items:
            self.items = resting


async def _find(actor: Actor, document_id: str) -> DocumentView | None:
    try:
        return await service(DocumentService).get_document(actor, document_id)
    except NotFound:
        return None


async def _told_duplicate(actor: Actor, duplicate_of: str) -> EventSpec | None:
    view = await _find(actor, duplicate_of) if duplicate_of else None
    return ToastState.show("documents.duplicate", {"name": view.filename}) if view else None
