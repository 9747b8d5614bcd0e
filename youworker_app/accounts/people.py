"""Everybody's accounts: what an administrator does with them. Every method is for root alone."""

from dataclasses import replace
from functools import partial

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.access.permissions import Permission, require
from youworker_app.accounts.erasures import Erasures
from youworker_app.accounts.identity_repository import Doorway
from youworker_app.accounts.newcomers import Newcomers
from youworker_app.accounts.repository import AccountRepository, Entrance
from youworker_app.accounts.schemas import ChangeUser, CreateUser, Erased, UserView
from youworker_app.audit.service import AuditService
from youworker_app.core.db import Database
from youworker_app.core.endings import Endings
from youworker_app.core.paging import Page, PageRequest, cursor_for
from youworker_app.core.ports import Ports


class PeopleService:
    """Makes, lists, suspends, restores and removes people, and says who else is an administrator."""

    def __init__(
        self,
        db: Database,
        audit: AuditService,
        ports: Ports,
        newcomers: Newcomers,
        endings: Endings,
        erasures: Erasures,
    ) -> None:
        self._db, self._audit, self._erasures = db, audit, erasures
        self._ports, self._newcomers, self._endings = ports, newcomers, endings

    async def create_user(self, actor: Actor, wanted: CreateUser) -> UserView:
        """Root only. Raises UsernameNotUsable, UsernameTaken, PasswordTooShort, PasswordTooLong, PasswordTooCommon."""
        require_scope(actor, Scope.ADMIN)
        require(actor, Permission.ADMINISTER)
        new = await self._newcomers.prepare(wanted)
        async with self._db.write() as unit:
            view = await Entrance(unit).add_user(new)
            await self._audit.record(unit, actor, "user.created", resource_type="user", resource_id=view.id)
        return view

    async def list_users(self, actor: Actor, page: PageRequest, query: str = "") -> Page[UserView]:
        """Everybody with `query` in their name, oldest first. Root only. Raises Malformed on a foreign cursor."""
        require_scope(actor, Scope.ADMIN)
        require(actor, Permission.ADMINISTER)
        async with self._db.read() as unit:
            found = await AccountRepository(unit, actor).list_users(page.position(), page.limit, query)
            elsewhere = await Doorway(unit).with_identities([user.id for user in found])
        items = tuple(replace(user, has_identity=user.id in elsewhere) for user in found[: page.limit])
        return Page(
            items, cursor_for(items[-1].created_at, items[-1].id) if len(found) > page.limit else None
        )

    async def set_active(self, actor: Actor, user_id: str, *, is_active: bool) -> UserView:
        """Suspends or restores a person: see `change_user`."""
        return await self.change_user(actor, user_id, ChangeUser(is_active=is_active))

    async def change_user(self, actor: Actor, user_id: str, wanted: ChangeUser) -> UserView:
        """Suspends or restores a person, makes an administrator or ends that, at once; holds or releases their conversations.

        Root only. Raises NotFound, LastRoot.

        Suspended, work in their name ends, sessions and keys are refused; what is theirs stays, and restored they find it,
        and their sessions and keys, as they were. Demoted, what they began as administrator ends. Either way what is open
        in their name (pages, streams, requests) is cut; a page comes again as who its person is then.
        """
        require_scope(actor, Scope.ADMIN)
        require(actor, Permission.ADMINISTER)
        async with self._db.write() as unit:
            view = await AccountRepository(unit, actor).change_user(user_id, wanted)
            for action in _actions(wanted):
                await self._audit.record(unit, actor, action, resource_type="user", resource_id=user_id)
            if False in (wanted.is_active, wanted.is_root):
                unit.after_commit(partial(self._endings.end, user_id))
                self._ports.stop_after(unit, user_id)
        await self._ports.settle()
        return view

    async def remove_user(self, actor: Actor, user_id: str) -> Erased:
        """Erases a person for good, as `Erasures` says. Root only, oneself too where another administrator stays.

        A removal that breaks off goes on by itself; asking again is safe. Raises NotFound, LastRoot, AccountHeld.
        """
        require_scope(actor, Scope.ADMIN)
        require(actor, Permission.ADMINISTER)
        is_own = user_id == actor.user_id
        async with self._db.write() as unit:
            await AccountRepository(unit, actor).lock(user_id)
            begun = await self._erasures.begin(unit, user_id, is_own=is_own)
            await self._audit.record(unit, actor, "user.suspended", resource_type="user", resource_id=user_id)
        return await self._erasures.carry_out(begun, None if is_own else actor)


def _actions(wanted: ChangeUser) -> list[str]:
    """What the audit trail calls the change."""
    names = (
        (wanted.is_active, "user.restored", "user.suspended"),
        (wanted.is_root, "user.promoted", "user.demoted"),
        (wanted.is_held, "user.held", "user.released"),
    )
    return [yes if given else no for given, yes, no in names if given is not None]
