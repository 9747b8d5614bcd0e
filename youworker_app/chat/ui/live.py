"""Keeps a page up to date without reloading: follows the person's own events while the page is open."""

import asyncio
from collections.abc import AsyncIterator

import reflex as rx
from reflex.event import EventSpec

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
                names = await _gathered(queue)
                yield [event for name, event in _REFRESH.items() if name in names]


async def _gathered(queue: asyncio.Queue[Event]) -> set[str]:
    names = {(await queue.get()).name}
    await asyncio.sleep(GATHER_SECONDS)
    while not queue.empty():
        names.add(queue.get_nowait().name)
    return names


_REFRESH: dict[str, EventSpec] = {
    "documents_changed": DocumentsState.refresh(),
    "sessions_changed": SidebarState.refresh(),
    "run_started": ChatState.refresh(),
    "run_finished": ChatState.refresh(),
}
