"""The rules of who may see what, written down a second time and as plainly as can be: what the product is held against.

No database, no product code: people, groups and documents are names here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class Level(IntEnum):
    """What somebody may do with something, each implying those before it. `ASK` to `DOWNLOAD` are a document's rights."""

    NOTHING = 0
    ASK = 1
    VIEW = 2
    DOWNLOAD = 3
    OWN = 4


@dataclass
class Team:
    """A group: what its members may do with its documents, and who is in it as what."""

    default_right: int = 3
    roles: dict[str, str] = field(default_factory=dict)

    def admins(self) -> set[str]:
        return {person for person, role in self.roles.items() if role == "admin"}


@dataclass
class Paper:
    """A document: its owner, the group it lies in, and how the owner narrowed it."""

    owner: str
    team: str | None = None
    is_private: bool = True
    member_right: int | None = None

    @property
    def is_shared(self) -> bool:
        return self.team is not None and not self.is_private


def level(person: str, paper: Paper, teams: Mapping[str, Team]) -> Level:
    """The owner has all; a member what neither the group nor the owner holds back; everybody else, root too, nothing."""
    if person == paper.owner:
        return Level.OWN
    if paper.team is None or paper.is_private or person not in teams[paper.team].roles:
        return Level.NOTHING
    return Level(min(teams[paper.team].default_right, paper.member_right or 3))


def team_level(person: str, team: Team) -> Level:
    """Admins change a group, members see it, for others it does not exist."""
    role = team.roles.get(person)
    return Level.NOTHING if role is None else Level.OWN if role == "admin" else Level.VIEW
