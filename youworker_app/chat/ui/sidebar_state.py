"""The conversations in the sidebar: list, find, rename, delete."""

import reflex as rx
from reflex.event import EventSpec

from youworker_app.access.actor import Actor
from youworker_app.chat.conversations import ConversationService
from youworker_app.chat.ui.state import ChatState
from youworker_app.chat.ui.views import SessionItem, session_item
from youworker_app.core.paging import PageRequest
from youworker_app.core.registry import service
from youworker_app.ui.base_state import BaseState
from youworker_app.ui.errors import ToastState

PAGE = 40


class SidebarState(BaseState):
    """A cache of the newest conversations. `doomed` is the one that is about to be deleted, once confirmed."""

    sessions: list[SessionItem] = []
    query: str = ""
    more: bool = False
    renaming: str = ""
    doomed: SessionItem = SessionItem("", "")
    _shown: int = PAGE

    @rx.event
    async def refresh(self) -> None:
        """Reads the list again, as long as it is now."""
        await self._load(await self._actor())

    @rx.event
    async def search(self, query: str) -> None:
        """Narrows the list to titles with these words."""
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
    async def choose(self, session_id: str, action: str) -> None:
        """Takes an action of a conversation's menu."""
        await self._actor()
        item = next((item for item in self.sessions if item.id == session_id), None)
        if item and action == "rename":
            self.renaming = item.id
        elif item and action == "delete":
            self.doomed = item

    @rx.event
    async def rename(self, form: dict[str, str]) -> None:
        """Gives the conversation its new title; an empty one changes nothing."""
        actor = await self._actor()
        session_id, title = self.renaming, form.get("title", "").strip()
        self.renaming = ""
        if session_id and title:
            await service(ConversationService).rename_session(actor, session_id, title)
            await self._load(actor)

    @rx.event
    async def keep_title(self) -> None:
        """Leaves the title as it is."""
        await self._actor()
        self.renaming = ""

    @rx.event
    async def keep(self) -> None:
        """Does not delete."""
        await self._actor()
        self.doomed = SessionItem("", "")

    @rx.event
    async def delete(self) -> list[EventSpec]:
        """Deletes the conversation that was confirmed."""
        actor = await self._actor()
        session_id, self.doomed = self.doomed.id, SessionItem("", "")
        await service(ConversationService).delete_session(actor, session_id)
        await self._load(actor)
        return [ToastState.show("chats.deleted", {}), ChatState.leave(session_id)]

    async def _load(self, actor: Actor) -> None:
        page = PageRequest(limit=self._shown)
        found = await service(ConversationService).list_sessions(actor, self.query or None, page)
        items = [session_item(view, self.language) for view in found.items]
        if items != self.sessions:
            self.sessions = items
        self.more = found.next_cursor is not None and self._shown < 200
