"""One's own API keys. A new one is shown once and then forgotten here too."""

from dataclasses import dataclass

import reflex as rx
from reflex.event import EventSpec

from youworker_app.access.actor import Actor, Scope
from youworker_app.accounts.api_keys import ApiKeyService
from youworker_app.accounts.errors import KeyLifeNotUsable
from youworker_app.accounts.schemas import ApiKeyView, CreateApiKey
from youworker_app.core.registry import service
from youworker_app.core.settings import Settings
from youworker_app.ui.base_state import BaseState
from youworker_app.ui.errors import ToastState


@dataclass(frozen=True)
class KeyItem:
    """A key in the list."""

    id: str
    name: str
    prefix: str
    scopes: str
    expires_at: str
    used_at: str


NO_KEY = KeyItem("", "", "", "", "", "")


class KeysState(BaseState):
    """`secret` is a new key while it is shown."""

    keys: list[KeyItem] = []
    longest: int = 90
    secret: str = ""
    doomed: KeyItem = NO_KEY

    @rx.event
    async def refresh(self) -> None:
        """Reads the list again; a key that was shown is not any more."""
        actor = await self._actor()
        self.secret, self.longest = "", service(Settings).security.api_key_days
        await self._load(actor)

    @rx.event
    async def create(self, form: dict[str, str]) -> None:
        """A new key, as the form says: its boxes are named after the scopes."""
        actor = await self._actor()
        days = form.get("days", "").strip()
        if not days.isascii() or not days.isdecimal() or len(days) > 6:
            raise KeyLifeNotUsable(max_days=self.longest)
        scopes = tuple(scope.value for scope in Scope if form.get(scope.value))
        wanted = CreateApiKey(form.get("key_name", ""), scopes, int(days))
        self.secret = (await service(ApiKeyService).create_key(actor, wanted)).key
        await self._load(actor)

    @rx.event
    async def forget_secret(self) -> None:
        """The new key was taken down."""
        await self._actor()
        self.secret = ""

    @rx.event
    async def doom(self, key_id: str) -> None:
        """Asks before a key is deleted."""
        await self._actor()
        self.doomed = next((key for key in self.keys if key.id == key_id), NO_KEY)

    @rx.event
    async def keep(self) -> None:
        """Does not delete."""
        await self._actor()
        self.doomed = NO_KEY

    @rx.event
    async def delete(self) -> EventSpec:
        """Deletes the key that was confirmed."""
        actor = await self._actor()
        doomed, self.doomed = self.doomed, NO_KEY
        await service(ApiKeyService).delete_key(actor, doomed.id)
        await self._load(actor)
        return ToastState.show("account.keys.deleted", {"name": doomed.name})

    async def _load(self, actor: Actor) -> None:
        self.keys = [_item(view) for view in await service(ApiKeyService).list_keys(actor)]


def _item(view: ApiKeyView) -> KeyItem:
    used = view.last_used_at.isoformat() if view.last_used_at else ""
    scopes = ", ".join(view.scopes)
    return KeyItem(view.id, view.name, view.prefix, scopes, view.expires_at.isoformat(), used)
