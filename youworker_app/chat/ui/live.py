"""Keeps a page up to date without reloading: follows the person's own events while the page is open."""

import asyncio
from collections.abc import AsyncIterator

import reflex as rx
from reflex.event import EventSpec

from youworker_app.accounts.ui.export_state import ExportState
from youworker_app.accounts.ui.state import AccountState
from youworker_app.chat.ui.sidebar_state import SidebarState
from youworker_app.chat.ui.state import ChatState
from youworker_app.core.events import Event, EventBus, user_topic
from youworker_app.core.registry import service
from youworker_app.documents.ui.state import DocumentsState
from youworker_app.ui.base_state import BaseState

GATHER_SECONDS = 0.3


class LiveState(BaseState):
    """Holds nothing. Reflex ends the watch when the tab goes to another page, reconnects or closes."""

    @rx.event(background=True)
    async def watch(self) -> AsyncIterator[list[EventSpec]]:
        """Asks the states to read again what changed, a few times a second at most."""
        actor = await self._actor()
        async with service(EventBus).subscribe(user_topic(actor.user_id)) as queue:
            while True:
                events = await _gathered(queue)
                names = {event.name for event in events}
                stale = [refresh for name, refresh in _REFRESH.items() if name in names]
                if await self._is_news([event for event in events if event.name in _RUNS]):
                    stale.append(ChatState.refresh())
                if stale:
                    yield stale

    async def _is_news(self, runs: list[Event]) -> bool:
        """Whether one of these answers concerns the open conversation, which knows what was asked and seen in this tab."""
        if not runs:
            return False
        async with self:
            chat = await self.get_state(ChatState)
            return any(chat._concerns(event) for event in runs)


async def _gathered(queue: asyncio.Queue[Event]) -> list[Event]:
    events = [await queue.get()]
    await asyncio.sleep(GATHER_SECONDS)
    while not queue.empty():
        events.append(queue.get_nowait())
    return events


_RUNS = {"run_started", "run_finished"}
_REFRESH: dict[str, EventSpec] = {
    "documents_changed": DocumentsState.refresh(),
    "sessions_changed": SidebarState.refresh(),
    "export_changed": ExportState.refresh(),
    "account_changed": AccountState.open(),
}
