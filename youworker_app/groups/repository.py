"""All SQL of groups and memberships."""

from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from youworker_app.access.repository import Repository
from youworker_app.access.visible import SystemReason, count_visible, erase_rows, system_scope, visible
from youworker_app.core.db import UnitOfWork
from youworker_app.core.errors import NotFound
from youworker_app.core.names import is_plain_text, name_key
from youworker_app.groups.errors import AlreadyMember, GroupNameTaken
from youworker_app.groups.schemas import GroupView, MemberView
from youworker_app.models.accounts import ApiKeyGroup, User
from youworker_app.models.groups import Group, Membership


class GroupRepository(Repository):
    """Groups as one actor sees them: their own."""

    async def create(self, name: str, description: str) -> GroupView:
        """A new group with the actor as its admin. Raises GroupNameTaken."""
        group = Group(name=name, name_key=name_key(name), description=description)
        self.add(group)
        try:
            await self.flush()
        except IntegrityError as error:
            raise GroupNameTaken from error
        self.add(Membership(group_id=group.id, user_id=self._actor.user_id, role="admin"))
        await self.flush()
        return _view(group, 1, "admin")

    async def list_mine(self) -> tuple[GroupView, ...]:
        """The actor's groups by name."""
        groups = (
            (await self._session.execute(visible(Group, self._actor).order_by(col(Group.name_key))))
            .scalars()
            .all()
        )
        counts, roles = await self._counts(), await self._own_roles()
        return tuple(_view(group, counts.get(group.id, 0), roles.get(group.id, "")) for group in groups)

    async def get_view(self, group_id: str) -> GroupView:
        """One of the actor's groups. Raises NotFound."""
        group = await self._get(Group, group_id)
        counts, roles = await self._counts(), await self._own_roles()
        return _view(group, counts.get(group_id, 0), roles.get(group_id, ""))

    async def lock(self, group_id: str) -> None:
        """Holds one of the actor's groups, so that changes to its members come one after the other. Raises NotFound."""
        await self._get(Group, group_id)
        statement = visible(Group, self._actor).where(col(Group.id) == group_id).with_for_update()
        await self._session.execute(statement)

    async def _counts(self) -> dict[str, int]:
        statement = visible(Membership, self._actor).with_only_columns(col(Membership.group_id), func.count())
        rows = await self._session.execute(statement.group_by(col(Membership.group_id)))
        return {row[0]: row[1] for row in rows}

    async def _own_roles(self) -> dict[str, str]:
        statement = visible(Membership, self._actor).where(col(Membership.user_id) == self._actor.user_id)
        return {row.group_id: row.role for row in (await self._session.execute(statement)).scalars()}

    async def list_members(self, group_id: str) -> tuple[MemberView, ...]:
        """The members by name; empty for a group that is not the actor's."""
        statement = (
            visible(Membership, self._actor, joined=(User,))
            .join(User, col(User.id) == col(Membership.user_id))
            .where(col(Membership.group_id) == group_id)
            .order_by(col(User.username_key))
            .with_only_columns(Membership, col(User.username))
        )
        return tuple(_member(row, username) for row, username in await self._session.execute(statement))

    async def own_role(self, group_id: str) -> str | None:
        """The actor's own role in the group as it stands now."""
        return await self.role_of(group_id, self._actor.user_id)

    async def role_of(self, group_id: str, user_id: str) -> str | None:
        """Somebody's role in one of the actor's groups, or None."""
        row = await self._membership(group_id, user_id)
        return row.role if row else None

    async def _membership(self, group_id: str, user_id: str) -> Membership | None:
        if not is_plain_text(user_id):
            return None
        statement = visible(Membership, self._actor).where(
            col(Membership.group_id) == group_id, col(Membership.user_id) == user_id
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def count_admins(self, group_id: str) -> int:
        """How many admins the group has."""
        statement = count_visible(
            Membership, self._actor, col(Membership.group_id) == group_id, col(Membership.role) == "admin"
        )
        return (await self._session.execute(statement)).scalar_one()

    async def find_user(self, username: str) -> tuple[str, str] | None:
        """(id, name) of a colleague by name, however it is written."""
        statement = visible(User, self._actor).where(
            col(User.username_key) == name_key(username), col(User.is_active).is_(True)
        )
        row = (await self._session.execute(statement)).scalar_one_or_none()
        return (row.id, row.username) if row else None

    async def add_member(self, group_id: str, user_id: str, username: str, role: str) -> MemberView:
        """A new membership. Raises AlreadyMember."""
        row = Membership(group_id=group_id, user_id=user_id, role=role)
        self.add(row)
        try:
            await self.flush()
        except IntegrityError as error:
            raise AlreadyMember from error
        return _member(row, username)

    async def set_role(self, group_id: str, user_id: str, role: str) -> None:
        """Changes a membership's role. Raises NotFound."""
        row = await self._membership(group_id, user_id)
        if row is None:
            raise NotFound
        row.role = role

    async def remove(self, group_id: str, user_id: str) -> None:
        """Ends a membership. Raises NotFound."""
        row = await self._membership(group_id, user_id)
        if row is None:
            raise NotFound
        await self._session.delete(row)


# --- for the ports: what stands in the way of erasing a person or a group, whoever may see it


async def deserted_by(unit: UnitOfWork, user_id: str) -> list[str]:
    """Ids of the groups in which there is nobody but this person."""
    theirs = select(col(Membership.group_id)).where(col(Membership.user_id) == user_id)
    statement = (
        select(col(Membership.group_id))
        .where(col(Membership.group_id).in_(theirs))
        .group_by(col(Membership.group_id))
        .having(func.count() == 1)
    )
    return list((await unit.session.execute(system_scope(statement, SystemReason.ERASURE))).scalars())


async def hold_deserted(unit: UnitOfWork, group_id: str, user_id: str) -> None:
    """Holds a group in which there is nobody but this person. Raises NotFound for one that is gone, or not theirs alone."""
    held = select(col(Group.id)).where(col(Group.id) == group_id).with_for_update()
    await unit.session.execute(system_scope(held, SystemReason.ERASURE))
    if group_id not in await deserted_by(unit, user_id):
        raise NotFound


async def leave_everywhere(unit: UnitOfWork, user_id: str) -> tuple[int, list[tuple[str, str]]]:
    """Ends a person's memberships. Returns how many, and (group, new admin) where nobody else could have acted as one."""
    theirs = select(col(Membership.group_id)).where(col(Membership.user_id) == user_id)
    held = select(col(Group.id)).where(col(Group.id).in_(theirs)).order_by(col(Group.id)).with_for_update()
    await unit.session.execute(system_scope(held, SystemReason.ERASURE))
    heirs = _heirs(await _others(unit, user_id))
    count = await erase_rows(unit, Membership, col(Membership.user_id) == user_id)
    for row in heirs:
        statement = update(Membership).where(col(Membership.id) == row.id).values(role="admin")
        await unit.session.execute(system_scope(statement, SystemReason.ERASURE))
    return count, [(row.group_id, row.user_id) for row in heirs]


async def _others(unit: UnitOfWork, user_id: str) -> Sequence[tuple[Membership, bool]]:
    """The other members of the groups that a person administers, those who can sign in first, then by how long."""
    administered = select(col(Membership.group_id)).where(
        col(Membership.user_id) == user_id, col(Membership.role) == "admin"
    )
    statement = (
        select(Membership, col(User.is_active))
        .join(User, col(User.id) == col(Membership.user_id))
        .where(col(Membership.group_id).in_(administered), col(Membership.user_id) != user_id)
        .order_by(col(User.is_active).desc(), col(Membership.joined_at), col(Membership.id))
    )
    rows = await unit.session.execute(system_scope(statement, SystemReason.ERASURE))
    return [(row, is_active) for row, is_active in rows]


def _heirs(others: Sequence[tuple[Membership, bool]]) -> list[Membership]:
    """For each group without an admin who can sign in, the first of its members; a suspended admin will do if all are."""
    first: dict[str, Membership] = {}
    for row, _ in others:
        first.setdefault(row.group_id, row)
    able = {row.group_id for row, is_active in others if row.role == "admin" and is_active}
    someone = {row.group_id for row, is_active in others if is_active}
    suspended = {row.group_id for row, _ in others if row.role == "admin"} - someone
    return [row for group_id, row in first.items() if group_id not in able | suspended]


async def erase_group(unit: UnitOfWork, group_id: str) -> dict[str, int]:
    """The group's row with its memberships and what keys have of it. Returns how many rows of each table."""
    return {
        "api_key_groups": await erase_rows(unit, ApiKeyGroup, col(ApiKeyGroup.group_id) == group_id),
        "memberships": await erase_rows(unit, Membership, col(Membership.group_id) == group_id),
        "groups": await erase_rows(unit, Group, col(Group.id) == group_id),
    }


def _view(group: Group, members: int, role: str) -> GroupView:
    return GroupView(group.id, group.name, group.description, members, role == "admin", group.created_at)


def _member(row: Membership, username: str) -> MemberView:
    return MemberView(row.user_id, username, row.role, row.joined_at)
