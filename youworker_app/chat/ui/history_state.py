"""Clearing all of one's conversations, asked before it is done."""

import reflex as rx
from reflex.event import EventSpec

from youworker_app.chat.history import HistoryService
from youworker_app.core.registry import service
from youworker_app.ui.base_state import BaseState
from youworker_app.ui.errors import ToastState


class HistoryState(BaseState):
    """`asks`: whether everything is about to be cleared."""

    asks: bool = False

    @rx.event
    async def ask(self) -> None:
        """Asks first."""
        await self._actor()
        self.asks = True

    @rx.event
    async def keep(self) -> None:
        """Leaves it."""
        await self._actor()
        self.asks = False

    @rx.event
    async def clear(self) -> EventSpec:
        """Clears it all."""
        actor = await self._actor()
        self.asks = False
        cleared = await service(HistoryService).clear(actor)
        return ToastState.show("data.history.cleared", {"n": str(cleared.conversations)})
