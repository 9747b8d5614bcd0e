"""What keeps anchors: the number and MAC of each sealed block, out of reach of who can change the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from youworker_app.core.errors import DependencyAway


@dataclass(frozen=True)
class Anchor:
    """One block as it was sealed. `sealed_at` is ISO 8601 with an offset."""

    seq: int
    mac: str
    sealed_at: str


class AnchorsAway(DependencyAway):
    code = "ANCHORS_AWAY"
    template = "The place for the audit trail's anchors does not answer ({reason})."


class AnchorStore(Protocol):
    """Takes anchors in order. The same one can come again, after a crash between two steps."""

    async def put(self, anchors: Sequence[Anchor]) -> None:
        """Keeps them for good. Raises AnchorsAway, and then some of them may be kept."""
        ...

    async def newest(self) -> Anchor | None:
        """The last one kept; None where there is none, or where it cannot be asked. Raises AnchorsAway."""
        ...

    async def close(self) -> None:
        """Lets go of connections."""
        ...
