"""Frozen inputs and views of groups."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

ROLES: Final = ("member", "admin")


@dataclass(frozen=True)
class CreateGroup:
    name: str
    description: str = ""


@dataclass(frozen=True)
class GroupView:
    id: str
    name: str
    description: str
    member_count: int
    is_admin: bool
    created_at: datetime


@dataclass(frozen=True)
class MemberView:
    user_id: str
    username: str
    role: str
    joined_at: datetime
