"""Groups and who is in them: the use cases. Who is in a group is decided in the transaction that changes it."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.access.permissions import Permission, require
from youworker_app.audit.service import AuditService
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.errors import NotFound
from youworker_app.core.names import is_plain_text, visible_name
from youworker_app.core.ports import Identified, MoveFirst, Ports
from youworker_app.groups.errors import (
    GroupAdminOnly,
    GroupBusy,
    GroupDescriptionNotUsable,
    GroupNameNotUsable,
    LastAdmin,
    RoleUnknown,
    UserNotFound,
)
from youworker_app.groups.repository import GroupRepository, deserted_by, hold_deserted
from youworker_app.groups.schemas import ROLES, CreateGroup, GroupView, MemberView

LONGEST_NAME: Final = 128
LONGEST_DESCRIPTION: Final = 500
_ROUNDS: Final = 10

# Asked at the start of the unit that removes a group: may it go? Holds its row; answers whose work ends with it.
Admit: TypeAlias = Callable[[UnitOfWork], Awaitable[tuple[str, ...]]]


class GroupService:
    """Creating groups, and who is in them. A stranger gets NotFound for a group, whatever they ask of it."""

    def __init__(self, db: Database, audit: AuditService, ports: Ports) -> None:
        self._db, self._audit, self._ports = db, audit, ports

    async def create_group(self, actor: Actor, wanted: CreateGroup) -> GroupView:
        """A new group with the actor as its admin.

        Raises GroupNameNotUsable, GroupDescriptionNotUsable, GroupNameTaken, KeyNarrowed.
        """
        require_scope(actor, Scope.GROUPS_WRITE)
        require(actor, Permission.KEEP_TO_ONESELF)
        name = visible_name(wanted.name)
        if name is None or len(name) > LONGEST_NAME:
            raise GroupNameNotUsable(max_length=LONGEST_NAME)
        description = wanted.description.strip()
        if len(description) > LONGEST_DESCRIPTION or not is_plain_text(description):
            raise GroupDescriptionNotUsable(max_length=LONGEST_DESCRIPTION)
        async with self._db.write() as unit:
            view = await GroupRepository(unit, actor).create(name, description)
            await self._record(unit, actor, "group.created", view.id)
        return view

    async def list_mine(self, actor: Actor) -> tuple[GroupView, ...]:
        """The actor's groups by name."""
        require_scope(actor, Scope.GROUPS_READ)
        async with self._db.read() as unit:
            return await GroupRepository(unit, actor).list_mine()

    async def get_group(self, actor: Actor, group_id: str) -> GroupView:
        """One of the actor's groups. Raises NotFound."""
        require_scope(actor, Scope.GROUPS_READ)
        async with self._db.read() as unit:
            return await GroupRepository(unit, actor).get_view(group_id)

    async def list_members(self, actor: Actor, group_id: str) -> tuple[MemberView, ...]:
        """Who is in one of the actor's groups, by name. Raises NotFound."""
        require_scope(actor, Scope.GROUPS_READ)
        async with self._db.read() as unit:
            repository = GroupRepository(unit, actor)
            await repository.get_view(group_id)
            return await repository.list_members(group_id)

    async def add_member(
        self, actor: Actor, group_id: str, username: str, role: str = "member"
    ) -> MemberView:
        """Admins add. Raises NotFound, GroupAdminOnly, RoleUnknown, UserNotFound, AlreadyMember."""
        require_scope(actor, Scope.GROUPS_WRITE)
        async with self._db.write() as unit:
            repository = GroupRepository(unit, actor)
            await self._require_admin(repository, group_id)
            _check_role(role)
            name = visible_name(username)
            found = await repository.find_user(name) if name else None
            if found is None:
                raise UserNotFound
            view = await repository.add_member(group_id, *found, role)
            await self._record(unit, actor, "member.added", group_id, user_id=view.user_id, role=role)
        return view

    async def change_role(self, actor: Actor, group_id: str, user_id: str, role: str) -> None:
        """Admins change roles. Raises NotFound, GroupAdminOnly, RoleUnknown, LastAdmin."""
        require_scope(actor, Scope.GROUPS_WRITE)
        async with self._db.write() as unit:
            repository = GroupRepository(unit, actor)
            await self._require_admin(repository, group_id)
            _check_role(role)
            if role != "admin":
                await self._keep_an_admin(repository, group_id, user_id)
            await repository.set_role(group_id, user_id, role)
            await self._record(unit, actor, "member.changed", group_id, user_id=user_id, role=role)

    async def remove_member(self, actor: Actor, group_id: str, user_id: str) -> None:
        """Admins remove, and anyone leaves; work in their name ends or goes on without the group.

        Raises NotFound, GroupAdminOnly, LastAdmin.
        """
        require_scope(actor, Scope.GROUPS_WRITE)
        async with self._db.write() as unit:
            repository = GroupRepository(unit, actor)
            if user_id == actor.user_id:
                await repository.lock(group_id)
            else:
                await self._require_admin(repository, group_id)
            await self._keep_an_admin(repository, group_id, user_id)
            await repository.remove(group_id, user_id)
            await self._record(unit, actor, "member.removed", group_id, user_id=user_id)
            self._ports.stop_after(unit, user_id)
        await self._ports.settle()

    async def delete_group(self, actor: Actor, group_id: str) -> None:
        """Admins remove their group; its documents go back to their owners, private. Raises NotFound, GroupAdminOnly, GroupBusy.

        The group stands until the last document has left, so a removal that breaks off loses nothing; asking again goes on.
        """
        require_scope(actor, Scope.GROUPS_WRITE)

        async def admit(unit: UnitOfWork) -> tuple[str, ...]:
            repository = GroupRepository(unit, actor)
            await self._require_admin(repository, group_id)
            return tuple(member.user_id for member in await repository.list_members(group_id))

        await self._close(actor, group_id, admit)

    async def close_deserted(self, by: Identified | None, user_id: str) -> None:
        """Removes the groups that have nobody but this person, who is about to be erased. The caller has asked `require()`."""
        async with self._db.read() as unit:
            group_ids = await deserted_by(unit, user_id)
        for group_id in group_ids:

            async def admit(unit: UnitOfWork, group_id: str = group_id) -> tuple[str, ...]:
                await hold_deserted(unit, group_id, user_id)
                return ()

            try:
                await self._close(by, group_id, admit)
            except NotFound:
                continue  # somebody joined meanwhile: it is theirs now

    async def _close(self, by: Identified | None, group_id: str, admit: Admit) -> None:
        for _ in range(_ROUNDS):
            try:
                async with self._db.write() as unit:
                    members = await admit(unit)
                    await self._ports.release_group(unit, by, group_id)
                    for user_id in members:
                        self._ports.stop_after(unit, user_id)
            except MoveFirst as first:
                # Files are copied outside of a unit, one at a time; what came in meanwhile goes in the next round.
                for step in first.steps:
                    await step()
            else:
                await self._ports.settle()
                return
        raise GroupBusy

    async def _require_admin(self, repository: GroupRepository, group_id: str) -> None:
        await repository.lock(group_id)
        if await repository.own_role(group_id) != "admin":
            raise GroupAdminOnly

    async def _keep_an_admin(self, repository: GroupRepository, group_id: str, leaving: str) -> None:
        """Raises NotFound for somebody who is not in the group, LastAdmin when nobody but them is its admin."""
        role = await repository.role_of(group_id, leaving)
        if role is None:
            raise NotFound
        if role == "admin" and await repository.count_admins(group_id) == 1:
            raise LastAdmin

    async def _record(
        self, unit: UnitOfWork, actor: Actor, action: str, group_id: str, **details: str
    ) -> None:
        await self._audit.record(
            unit, actor, action, resource_type="group", resource_id=group_id, details=details
        )


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise RoleUnknown
