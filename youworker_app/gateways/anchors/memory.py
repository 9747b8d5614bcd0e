"""Anchors in memory, for tests."""

from collections.abc import Sequence

from youworker_app.gateways.anchors.protocol import Anchor, AnchorsAway


class MemoryAnchors:
    """An `AnchorStore`; `is_away` makes it fail."""

    def __init__(self) -> None:
        self.kept: list[Anchor] = []
        self.is_away = False

    async def put(self, anchors: Sequence[Anchor]) -> None:
        if self.is_away:
            raise AnchorsAway(reason="away")
        self.kept += anchors

    async def newest(self) -> Anchor | None:
        if self.is_away:
            raise AnchorsAway(reason="away")
        return self.kept[-1] if self.kept else None

    async def close(self) -> None:
        """There is nothing to let go of."""
