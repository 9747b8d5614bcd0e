"""One's own API keys. A new one is shown once and then forgotten here too."""

from collections.abc import Mapping
from dataclasses import dataclass

import reflex as rx
from reflex.event import EventSpec

from youworker_app.access.actor import Actor, Scope
from youworker_app.access.credentials import KEY_WARNING
from youworker_app.accounts.api_keys import OVERLAP_HOURS, ApiKeyService
from youworker_app.accounts.errors import KeyLifeNotUsable
from youworker_app.accounts.schemas import ApiKeyView, CreateApiKey
from youworker_app.core.clock import now
from youworker_app.core.registry import service
from youworker_app.core.settings import Settings
from youworker_app.groups.service import GroupService
from youworker_app.ui.base_state import BaseState
from youworker_app.ui.errors import ToastState

GROUP_BOX = "group:"  # how the form's boxes of groups are named, before the group's id


@dataclass(frozen=True)
class KeyItem:
    """A key in the list. `life`: "" while it is far from its end, soon, ended, replaced by a successor, or
    foreign: made and ended in Authentik."""

    id: str
    name: str
    prefix: str
    scopes: str
    groups: str
    is_narrowed: bool
    expires_at: str
    used_at: str
    used_from: str
    life: str


NO_KEY = KeyItem("", "", "", "", "", False, "", "", "", "")


class KeysState(BaseState):
    """`secret` is a new key while it is shown; `doomed` and `turning` are keys about to be deleted or rotated."""

    keys: list[KeyItem] = []
    ending: int = 0
    longest: int = 90
    secret: str = ""
    doomed: KeyItem = NO_KEY
    turning: KeyItem = NO_KEY

    @rx.event
    async def refresh(self) -> None:
        """Reads the list again; a key that was shown is not any more."""
        actor = await self._actor()
        self.secret, self.longest = "", service(Settings).security.api_key_days
        await self._load(actor)

    @rx.event
    async def create(self, form: dict[str, str]) -> None:
        """A new key, as the form says: its boxes are named after the scopes and the groups."""
        actor = await self._actor()
        days = form.get("days", "").strip()
        if not days.isascii() or not days.isdecimal() or len(days) > 6:
            raise KeyLifeNotUsable(max_days=self.longest)
        scopes = tuple(scope.value for scope in Scope if form.get(scope.value))
        groups = tuple(
            name.removeprefix(GROUP_BOX) for name in form if name.startswith(GROUP_BOX) and form[name]
        )
        wanted = CreateApiKey(form.get("key_name", ""), scopes, int(days), groups or None)
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
        self.doomed = self._find(key_id)

    @rx.event
    async def turn(self, key_id: str) -> None:
        """Asks how long a key lives on beside its successor."""
        await self._actor()
        self.turning = self._find(key_id)

    @rx.event
    async def keep(self) -> None:
        """Neither deletes nor rotates."""
        await self._actor()
        self.doomed = self.turning = NO_KEY

    @rx.event
    async def rotate(self, form: dict[str, str]) -> None:
        """Shows the successor of the key that was chosen."""
        actor = await self._actor()
        turning, self.turning = self.turning, NO_KEY
        hours = form.get("overlap", "")
        overlap = int(hours) if hours.isascii() and hours.isdecimal() and len(hours) < 6 else OVERLAP_HOURS
        self.secret = (await service(ApiKeyService).rotate_key(actor, turning.id, overlap)).key
        await self._load(actor)

    @rx.event
    async def delete(self) -> EventSpec:
        """Deletes the key that was confirmed."""
        actor = await self._actor()
        doomed, self.doomed = self.doomed, NO_KEY
        await service(ApiKeyService).delete_key(actor, doomed.id)
        await self._load(actor)
        return ToastState.show("account.keys.deleted", {"name": doomed.name})

    def _find(self, key_id: str) -> KeyItem:
        return next((key for key in self.keys if key.id == key_id), NO_KEY)

    async def _load(self, actor: Actor) -> None:
        names = {group.id: group.name for group in await service(GroupService).list_mine(actor)}
        self.keys = [_item(view, names) for view in await service(ApiKeyService).list_keys(actor)]
        self.ending = sum(key.life == "soon" for key in self.keys)


def _item(view: ApiKeyView, names: Mapping[str, str]) -> KeyItem:
    groups = sorted(names.get(group_id, "?") for group_id in view.group_ids or ())
    return KeyItem(
        view.id,
        view.name,
        view.prefix,
        ", ".join(view.scopes),
        ", ".join(groups),
        view.group_ids is not None,
        view.expires_at.isoformat() if view.expires_at else "",
        view.last_used_at.isoformat() if view.last_used_at else "",
        view.last_used_from,
        _life(view),
    )


def _life(view: ApiKeyView) -> str:
    if view.expires_at is None:
        return "foreign"
    left = view.expires_at - now()
    if left.total_seconds() <= 0:
        return "ended"
    if view.is_replaced:
        return "replaced"
    return "soon" if left <= KEY_WARNING else ""
