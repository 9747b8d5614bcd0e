"""Groups and who is in them: the use cases. Who is in a group is decided in the transaction that changes it."""

from typing import Final

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.audit.service import AuditService
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.errors import NotFound
from youworker_app.core.names import is_plain_text, visible_name
from youworker_app.groups.errors import (
    GroupAdminOnly,
    GroupDescriptionNotUsable,
    GroupNameNotUsable,
    LastAdmin,
    RoleUnknown,
    UserNotFound,
)
from youworker_app.groups.repository import GroupRepository
from youworker_app.groups.schemas import CreateGroup, GroupView, MemberView

LONGEST_NAME: Final = 128
LONGEST_DESCRIPTION: Final = 500
_ROLES: Final = ("member", "admin")


class GroupService:
    """Creating groups, and who is in them. A stranger gets NotFound for a group, whatever they ask of it."""

    def __init__(self, db: Database, audit: AuditService) -> None:
        self._db, self._audit = db, audit

    async def create_group(self, actor: Actor, wanted: CreateGroup) -> GroupView:
        """A new group with the actor as its admin. Raises GroupNameNotUsable, GroupDescriptionNotUsable, GroupNameTaken."""
        require_scope(actor, Scope.GROUPS_WRITE)
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
        """Admins remove, and anyone leaves. Raises NotFound, GroupAdminOnly, LastAdmin."""
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
    if role not in _ROLES:
        raise RoleUnknown
