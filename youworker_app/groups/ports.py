"""What groups do when a person goes, or a group."""

from collections.abc import AsyncIterator

from youworker_app.access.authenticate import actor_for_user
from youworker_app.audit.service import AuditService
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.exports import ExportedFile, json_file
from youworker_app.core.ports import Erasure
from youworker_app.groups.repository import GroupRepository, erase_group, leave_everywhere


class MembershipData:
    """A person's memberships. Fulfils `PersonalData`."""

    name = "memberships"
    tables = frozenset({"memberships"})

    def __init__(self, db: Database, audit: AuditService) -> None:
        self._db, self._audit = db, audit

    async def export(self, user_id: str) -> AsyncIterator[ExportedFile]:
        """Which groups they are in, and as what; nobody else in them is named."""
        async with self._db.read() as unit:
            actor = await actor_for_user(unit, user_id)
            groups = await GroupRepository(unit, actor).list_mine()
        told = [{"id": each.id, "name": each.name, "is_admin": each.is_admin} for each in groups]
        yield json_file(self.name + ".json", told)

    async def erase(self, unit: UnitOfWork, user_id: str) -> Erasure:
        """A group that would be left without an admin who can sign in gets one: its longest-standing member."""
        count, heirs = await leave_everywhere(unit, user_id)
        for group_id, heir_id in heirs:
            await self._audit.record(
                unit,
                None,
                "member.changed",
                resource_type="group",
                resource_id=group_id,
                details={"user_id": heir_id, "role": "admin"},
            )
        return Erasure({"memberships": count})


class GroupData:
    """The group's row and memberships. Asked last: rows of other domains point here. Fulfils `GroupContents`."""

    tables = frozenset({"groups", "memberships", "api_key_groups"})

    async def release(self, unit: UnitOfWork, group_id: str) -> Erasure:
        """Takes them away."""
        return Erasure(await erase_group(unit, group_id))
