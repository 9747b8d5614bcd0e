"""From an exception to what a person reads: a toast, or the way to the sign-in. One of the two translators of errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import reflex as rx
from reflex.event import EventSpec
from reflex_base.event.context import EventContext

from youworker_app.core.errors import AppError, Detail, Unauthenticated
from youworker_app.core.refusals import refused
from youworker_app.core.telemetry import get_logger
from youworker_app.ui import i18n
from youworker_app.ui.base_state import BaseState

log = get_logger(__name__)

MOST_TOASTS = 4


@dataclass(frozen=True)
class Toast:
    """One passing message. `kind`: info or error."""

    id: int
    kind: str
    text: str


class ToastState(BaseState):
    """The messages on screen, oldest first."""

    toasts: list[Toast] = []
    _last_id: int = 0

    @rx.event
    async def show(self, key: str, details: dict[str, Detail]) -> None:
        """Says a text of the catalogue."""
        await self._actor()
        if key in i18n.CATALOGUES[i18n.DEFAULT]:
            self._add("info", self._text(key, **details))

    # The next two ask nobody: they say why asking failed, and reach no further than this tab's own messages.
    @rx.event
    async def show_error(self, code: str, fallback: str, details: dict[str, Detail]) -> None:
        """Says what an error is about."""
        self._add("error", i18n.error_text(self.language, code, fallback, details))

    @rx.event
    async def show_failure(self, reference: str) -> None:
        """Says that something unknown went wrong, with the number to look for in the log."""
        self._add("error", self._text("app.error.unknown", correlation_id=reference))

    @rx.event
    async def close(self, toast_id: int) -> None:
        """Takes a message away."""
        await self._actor()
        self.toasts = [toast for toast in self.toasts if toast.id != toast_id]

    def _add(self, kind: str, text: str) -> None:
        self._last_id += 1
        self.toasts = [*self.toasts, Toast(self._last_id, kind, text)][-MOST_TOASTS:]


def on_browser_error(exception: Exception) -> None:
    """What the app does with an exception of the page's scripts: its kind is logged, never what it says."""
    log.warning("browser_error", kind=str(exception).partition(":")[0][:80])


def _back(router_data: Mapping[str, Any]) -> str:
    """Where to go after signing in, as the sign-in page takes it."""
    path = str(router_data.get("asPath", ""))
    return f"?{urlencode({'next': path})}" if path.startswith("/") and path != "/" else ""


def on_error(exception: Exception) -> EventSpec:
    """What the app does with an exception of a handler."""
    if isinstance(exception, AppError):
        refused(exception)
    if isinstance(exception, Unauthenticated):
        return rx.redirect(f"/login{_back(EventContext.get().router_data)}", replace=True)
    if isinstance(exception, AppError):
        log.info("handler_refused", code=exception.code)
        return ToastState.show_error(exception.code, exception.message, exception.details)
    reference = EventContext.get().txid
    log.error("handler_failed", reference=reference, exc_info=exception)
    return ToastState.show_failure(reference)
