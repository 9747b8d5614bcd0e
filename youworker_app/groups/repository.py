"""All SQL of groups and memberships."""

from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from youworker_app.access.repository import Repository
from youworker_app.access.visible import count_visible, visible
from youworker_app.core.errors import NotFound
from youworker_app.core.names import is_plain_text, name_key
from youworker_app.groups.errors import AlreadyMember, GroupNameTaken
from youworker_app.groups.schemas import GroupView, MemberView
from youworker_app.models.accounts import User
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


def _view(group: Group, members: int, role: str) -> GroupView:
    return GroupView(group.id, group.name, group.description, members, role == "admin", group.created_at)


def _member(row: Membership, username: str) -> MemberView:
    return MemberView(row.user_id, username, row.role, row.joined_at)
