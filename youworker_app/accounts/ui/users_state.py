"""Everybody's accounts, as administrators see them."""

from dataclasses import dataclass

import reflex as rx
from reflex.event import EventSpec

from youworker_app.access.actor import Actor
from youworker_app.accounts.people import PeopleService
from youworker_app.accounts.resets import ResetService
from youworker_app.accounts.schemas import ChangeUser, CreateUser, UserView
from youworker_app.core.paging import PageRequest
from youworker_app.core.registry import service
from youworker_app.ui.base_state import BaseState
from youworker_app.ui.errors import ToastState

PAGE, MOST = 50, 200
CHANGES = {
    "suspend": ChangeUser(is_active=False),
    "restore": ChangeUser(is_active=True),
    "promote": ChangeUser(is_root=True),
    "demote": ChangeUser(is_root=False),
    "hold": ChangeUser(is_held=True),
    "release": ChangeUser(is_held=False),
}


@dataclass(frozen=True)
class UserItem:
    """A person in the list."""

    id: str
    name: str
    is_root: bool
    is_active: bool
    has_password: bool
    is_me: bool
    created_at: str
    is_held: bool = False
    has_identity: bool = False


NOBODY = UserItem("", "", False, False, False, False, "")


class UsersState(BaseState):
    """`link` is a one-time link while it is shown, `link_name` whose it is."""

    loaded: bool = False
    query: str = ""
    users: list[UserItem] = []
    more: bool = False
    doomed: UserItem = NOBODY
    link: str = ""
    link_name: str = ""
    _shown: int = PAGE

    @rx.event
    async def refresh(self) -> None:
        """Reads the list again; a link that was shown is not any more."""
        actor = await self._actor()
        self.link = ""
        await self._load(actor)

    @rx.event
    async def search(self, query: str) -> None:
        """Narrows the list to names with this in them."""
        actor = await self._actor()
        self.query, self._shown = query[:64], PAGE
        await self._load(actor)

    @rx.event
    async def show_more(self) -> None:
        """Reads further on."""
        actor = await self._actor()
        self._shown = min(self._shown + PAGE, MOST)
        await self._load(actor)

    @rx.event
    async def create(self, form: dict[str, str]) -> None:
        """A new person, who chooses a password by the link that is shown then."""
        actor = await self._actor()
        wanted = CreateUser(form.get("newcomer", ""), is_root=bool(form.get("is_root")))
        view = await service(PeopleService).create_user(actor, wanted)
        await self._load(actor)
        await self._show_link(actor, view.id)

    @rx.event
    async def choose(self, user_id: str, action: str) -> None:
        """Takes a choice of a person's menu."""
        actor = await self._actor()
        if action in CHANGES:
            await service(PeopleService).change_user(actor, user_id, CHANGES[action])
            await self._load(actor)
        elif action == "reset":
            await self._show_link(actor, user_id)
        elif action == "remove":
            self.doomed = next((user for user in self.users if user.id == user_id), NOBODY)

    @rx.event
    async def forget_link(self) -> None:
        """The link was taken down."""
        await self._actor()
        self.link = self.link_name = ""

    @rx.event
    async def keep(self) -> None:
        """Does not remove."""
        await self._actor()
        self.doomed = NOBODY

    @rx.event
    async def remove(self) -> EventSpec:
        """Removes the person who was confirmed."""
        actor = await self._actor()
        doomed, self.doomed = self.doomed, NOBODY
        await service(PeopleService).remove_user(actor, doomed.id)
        await self._load(actor)
        return ToastState.show("users.removed", {"name": doomed.name})

    async def _show_link(self, actor: Actor, user_id: str) -> None:
        made = await service(ResetService).issue_reset(actor, user_id)
        self.link = f"{self.router.headers.origin}/reset?token={made.token}"
        self.link_name = made.username

    async def _load(self, actor: Actor) -> None:
        found = await service(PeopleService).list_users(actor, PageRequest(limit=self._shown), self.query)
        self.users = [_item(view, actor) for view in found.items]
        self.more = found.next_cursor is not None and self._shown < MOST
        self.loaded = True


def _item(view: UserView, actor: Actor) -> UserItem:
    is_me, at = view.id == actor.user_id, view.created_at.isoformat()
    told = (view.is_root, view.is_active, view.has_password, is_me)
    return UserItem(view.id, view.username, *told, at, view.is_held, view.has_identity)
