"""What the account's page shows beside the person: how the last form ended, and the devices."""

from dataclasses import dataclass

import reflex as rx
from reflex.event import EventSpec

from youworker_app.access.actor import Actor
from youworker_app.accounts.devices import DeviceService
from youworker_app.accounts.provider_sign_in import ProviderSignIn
from youworker_app.accounts.schemas import DeviceView
from youworker_app.core.registry import service
from youworker_app.core.settings import Settings
from youworker_app.ui import i18n
from youworker_app.ui.base_state import BaseState
from youworker_app.ui.errors import ToastState

PHONES = frozenset({"iPhone", "iPad", "Android"})


@dataclass(frozen=True)
class DeviceItem:
    """A signed-in browser in the list. `name` is empty where nothing is known of it."""

    id: str
    name: str
    is_phone: bool
    address: str
    last_seen_at: str
    is_current: bool


class AccountPageState(BaseState):
    """`done` and `problem` say how the form that led here ended, `about` which one it was where it is not the password's."""

    done: str = ""
    problem: str = ""
    about: str = ""
    shortest: int = 10
    issuers: list[str] = []

    @rx.event
    async def open(self) -> None:
        """Reads what the address tells, and how one signs in."""
        doors = await service(ProviderSignIn).list_doors(await self._actor())
        self.issuers = [each.issuer for each in doors.identities]
        told = dict(self.router.url.query_parameters)
        self.done, code = told.pop("done", ""), told.pop("error", "")
        self.about = told.pop("about", "")
        self.problem = i18n.error_by_code(self.language, code, {k: v[:80] for k, v in told.items()})
        self.shortest = service(Settings).security.min_password_length


class DevicesState(BaseState):
    """Where one is signed in. `asks`: whether all others are about to be signed out."""

    devices: list[DeviceItem] = []
    asks: bool = False

    @rx.event
    async def refresh(self) -> None:
        """Reads the list again."""
        await self._load(await self._actor())

    @rx.event
    async def sign_out(self, login_id: str) -> EventSpec:
        """Signs out there."""
        actor = await self._actor()
        await service(DeviceService).sign_out_device(actor, login_id)
        await self._load(actor)
        return ToastState.show("account.devices.signed_out", {})

    @rx.event
    async def ask_others(self) -> None:
        """Asks before all others are signed out."""
        await self._actor()
        self.asks = True

    @rx.event
    async def keep_others(self) -> None:
        """Leaves them."""
        await self._actor()
        self.asks = False

    @rx.event
    async def sign_out_others(self) -> EventSpec:
        """Signs out everywhere else."""
        actor = await self._actor()
        self.asks = False
        await service(DeviceService).sign_out_others(actor)
        await self._load(actor)
        return ToastState.show("account.devices.signed_out", {})

    async def _load(self, actor: Actor) -> None:
        self.devices = [_item(view) for view in await service(DeviceService).list_devices(actor)]


def _item(view: DeviceView) -> DeviceItem:
    name = " · ".join(part for part in (view.browser, view.system) if part)
    seen = view.last_seen_at.isoformat()
    return DeviceItem(view.id, name, view.system in PHONES, view.address, seen, view.is_current)
