"""What people did and what they were told: what was answered must hold, what was not may have happened once or not at all."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

PRIVATE = ""  # the place of what is in no group; every other place is a group's id


@dataclass
class Paper:
    """A document as its owner knows it. `places`: where it may be, more than one while a move was not answered."""

    owner: str
    filename: str
    content: bytes
    mark: str  # a word that stands in each of its passages and nowhere else
    places: set[str]
    id: str | None = None  # known once an upload was answered
    deletion: Literal["none", "asked", "done"] = "none"
    times_new: int = 0  # uploads that were told that it was not there before
    moves: int = 0
    moves_in_doubt: int = 0

    @property
    def is_certain(self) -> bool:
        """Whether its owner knows that it is there, and where."""
        return self.id is not None and self.deletion == "none" and len(self.places) == 1


@dataclass
class Talk:
    """A question. `heard` is what was received of its answer, `ending` the state that was told."""

    owner: str
    question: str
    session_id: str = ""
    message_id: str = ""
    run_id: str = ""
    heard: str = ""
    ending: str = ""


@dataclass
class Journal:
    """Everything that people remember. `wrong` holds answers that nobody should ever get."""

    papers: list[Paper] = field(default_factory=list)
    talks: list[Talk] = field(default_factory=list)
    questions_in_doubt: Counter[str] = field(default_factory=Counter)
    guest: str = ""  # somebody whom anna lets into her group and out of it
    guest_id: str = ""
    guest_group: str = ""
    guest_may_be_member: set[bool] = field(default_factory=lambda: {False})
    wrong: list[str] = field(default_factory=list)

    def of(self, owner: str) -> list[Paper]:
        """What a person knows to be there."""
        return [paper for paper in self.papers if paper.owner == owner and paper.is_certain]
