"""Everybody's accounts: what an administrator does with them. Every method is for root alone."""

from functools import partial

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.access.permissions import Permission, require
from youworker_app.accounts.newcomers import Newcomers
from youworker_app.accounts.repository import AccountRepository, Entrance
from youworker_app.accounts.schemas import ChangeUser, CreateUser, UserView
from youworker_app.audit.service import AuditService
from youworker_app.core.db import Database
from youworker_app.core.endings import Endings
from youworker_app.core.paging import Page, PageRequest, cursor_for
from youworker_app.core.ports import Ports
from youworker_app.groups.service import GroupService


class PeopleService:
    """Makes, lists, suspends, restores and removes people, and says who else is an administrator."""

    def __init__(
        self,
        db: Database,
        audit: AuditService,
        groups: GroupService,
        ports: Ports,
        newcomers: Newcomers,
        endings: Endings,
    ) -> None:
        self._db, self._audit, self._groups = db, audit, groups
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
        items = found[: page.limit]
        return Page(
            items, cursor_for(items[-1].created_at, items[-1].id) if len(found) > page.limit else None
        )

    async def set_active(self, actor: Actor, user_id: str, *, is_active: bool) -> UserView:
        """Suspends or restores a person: see `change_user`."""
        return await self.change_user(actor, user_id, ChangeUser(is_active=is_active))

    async def change_user(self, actor: Actor, user_id: str, wanted: ChangeUser) -> UserView:
        """Suspends or restores a person, makes an administrator or ends that, at once. Root only. Raises NotFound, LastRoot.

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

    async def remove_user(self, actor: Actor, user_id: str) -> None:
        """Erases a person for good. Root only, oneself too where another administrator stays. Raises NotFound, LastRoot.

        Conversations, private documents, sessions, keys and the person's data key go in one transaction, bytes and vectors
        after it. What they shared with a group is the group's work and goes to its longest-standing other admin who can
        sign in; where there is none, the longest-standing other member becomes one. A group that was theirs alone is
        removed: what former members left in it goes back to them, what was this person's is erased. The audit trail keeps
        the id. They are suspended first, so that a removal which breaks off leaves nobody at work; asking again goes on.
        """
        require_scope(actor, Scope.ADMIN)
        require(actor, Permission.ADMINISTER)
        if user_id != actor.user_id:
            await self.set_active(actor, user_id, is_active=False)
        else:
            async with self._db.write() as unit:
                await AccountRepository(unit, actor).hold(user_id)
        await self._groups.close_deserted(actor, user_id)
        async with self._db.write() as unit:
            await AccountRepository(unit, actor).hold(user_id)
            await self._ports.erase_person(unit, actor, user_id)
            unit.after_commit(partial(self._endings.end, user_id))
            self._ports.stop_after(unit, user_id)
        await self._ports.settle()


def _actions(wanted: ChangeUser) -> list[str]:
    """What the audit trail calls the change."""
    names = (
        (wanted.is_active, "user.restored", "user.suspended"),
        (wanted.is_root, "user.promoted", "user.demoted"),
    )
    return [yes if given else no for given, yes, no in names if given is not None]
