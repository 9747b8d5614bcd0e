"""One's own export, as the account's page shows it."""

from dataclasses import dataclass

import reflex as rx

from youworker_app.access.actor import Actor
from youworker_app.accounts.exports import ExportService
from youworker_app.accounts.schemas import ExportView
from youworker_app.core.errors import NotFound
from youworker_app.core.registry import service
from youworker_app.ui import i18n
from youworker_app.ui.base_state import BaseState


@dataclass(frozen=True)
class ExportItem:
    """`state` is empty where there is none; `percent` counts to 100; `problem` is in the reader's language."""

    state: str = ""
    percent: int = 0
    size: str = ""
    until: str = ""
    problem: str = ""


class ExportState(BaseState):
    """Read again with each event that tells of a change."""

    export: ExportItem = ExportItem()

    @rx.event
    async def refresh(self) -> None:
        """Reads how it stands."""
        await self._load(await self._actor())

    @rx.event
    async def begin(self) -> None:
        """A new one, in place of the last."""
        actor = await self._actor()
        await service(ExportService).start(actor)
        await self._load(actor)

    @rx.event
    async def discard(self) -> None:
        """Takes it away, made or not."""
        actor = await self._actor()
        await service(ExportService).discard(actor)
        await self._load(actor)

    async def _load(self, actor: Actor) -> None:
        try:
            self.export = _item(await service(ExportService).get(actor), self.language)
        except NotFound:
            self.export = ExportItem()


def _item(view: ExportView, language: str) -> ExportItem:
    return ExportItem(
        view.state,
        round(view.progress * 100),
        i18n.size_text(view.size_bytes, language),
        view.expires_at.isoformat() if view.expires_at else "",
        i18n.error_text(language, view.error_code, view.error, {}) if view.error_code else "",
    )
