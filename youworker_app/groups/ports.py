"""What groups do when a person goes, or a group."""

from youworker_app.audit.service import AuditService
from youworker_app.core.db import UnitOfWork
from youworker_app.core.ports import Erasure
from youworker_app.groups.repository import erase_group, leave_everywhere


class MembershipData:
    """A person's memberships. Fulfils `PersonalData`."""

    name = "memberships"
    tables = frozenset({"memberships"})

    def __init__(self, audit: AuditService) -> None:
        self._audit = audit

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
