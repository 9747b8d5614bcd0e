"""Verifies the whole trail: every event under its MAC, every block under its root and the chain, the end against anchors.

Goes through in stretches, each read in a short unit and computed in a thread, so that others are served meanwhile. What is
retired or sealed while it looks is looked at again before it is called broken.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from youworker_app.audit.forms import block_mac, is_genuine, retirement_mac, root_of
from youworker_app.audit.repository import SealRepository
from youworker_app.audit.schemas import Broken, TrailBlock, TrailEvent, TrailReport
from youworker_app.core.db import Database
from youworker_app.gateways.anchors.protocol import Anchor, AnchorStore

_STRETCH: Final = 200  # blocks, of mostly few events
_MOST_EVENTS: Final = 2_000


@dataclass(frozen=True)
class Checker:
    """Whether blocks and events are as they were written. Pure: no storage."""

    event_key: bytes
    block_key: bytes

    def blocks(
        self,
        earlier: TrailBlock | None,
        blocks: Sequence[TrailBlock],
        contents: Mapping[int, Sequence[TrailEvent]],
    ) -> Broken | None:
        """The first thing broken in consecutive blocks that follow `earlier`."""
        for block in blocks:
            broken = self._chain(earlier, block) or self._content(block, contents.get(block.seq, ()))
            if broken is not None:
                return broken
            earlier = block
        return None

    def events(self, events: Sequence[TrailEvent], block: int | None = None) -> Broken | None:
        """The first event that is not as it was written."""
        for event in events:
            if not is_genuine(self.event_key, event):
                return Broken("event_changed", block, event.id)
        return None

    def _chain(self, earlier: TrailBlock | None, block: TrailBlock) -> Broken | None:
        expected = earlier.seq + 1 if earlier else 1
        if block.seq != expected:
            return Broken("block_missing", expected)
        if block.mac != block_mac(self.block_key, block):
            return Broken("block_changed", block.seq)
        if block.previous != (earlier.mac if earlier else ""):
            return Broken("chain_broken", block.seq)
        return None

    def _content(self, block: TrailBlock, events: Sequence[TrailEvent]) -> Broken | None:
        if block.retired_at is not None:
            if block.retirement != retirement_mac(self.block_key, block, block.retired_at):
                return Broken("retirement_forged", block.seq)
            return Broken("events_surplus", block.seq) if events else None
        ordered = sorted(events, key=lambda event: (event.at, event.id))
        if (broken := self.events(ordered, block.seq)) is not None:
            return broken
        if len(ordered) != block.event_count:
            kind = "events_missing" if len(ordered) < block.event_count else "events_surplus"
            return Broken(kind, block.seq)
        if root_of([event.mac for event in ordered]) != block.root:
            return Broken("events_exchanged", block.seq)
        return None


@dataclass
class _Seen:
    last: TrailBlock | None = None
    events: int = 0
    blocks: int = 0
    retired: int = 0
    unsealed: int = 0
    anchors: int = 0
    given: list[Anchor] = field(default_factory=list)


class Verifier:
    """Goes through the trail from its beginning."""

    def __init__(self, db: Database, checker: Checker, anchors: Sequence[AnchorStore]) -> None:
        self._db, self._checker, self._anchors = db, checker, anchors

    async def verify(self, known: Anchor | None = None) -> TrailReport:
        """Ends at the first thing broken. `known`: an anchor that somebody kept elsewhere. Raises AnchorsAway."""
        seen = _Seen()
        # Asked first: a block that is anchored while we look would else be missed at the end.
        seen.given = [each for place in self._anchors if (each := await place.newest()) is not None]
        seen.given += [known] if known else []
        broken = await self._sealed(seen) or await self._open_end(seen) or await self._anchored(seen)
        return TrailReport(
            is_intact=broken is None,
            first_broken=broken,
            events=seen.events,
            blocks=seen.blocks,
            retired_blocks=seen.retired,
            unsealed=seen.unsealed,
            last_block=seen.last.seq if seen.last else 0,
            last_mac=seen.last.mac if seen.last else "",
            anchors=seen.anchors,
        )

    async def _sealed(self, seen: _Seen) -> Broken | None:
        while True:
            blocks, contents, broken = await self._stretch(seen.last)
            if broken is not None:
                blocks, contents, broken = await self._stretch(seen.last)
            if broken is not None or not blocks:
                return broken
            seen.last = blocks[-1]
            seen.blocks += len(blocks)
            seen.retired += sum(block.retired_at is not None for block in blocks)
            seen.events += sum(map(len, contents.values()))

    async def _stretch(
        self, last: TrailBlock | None
    ) -> tuple[Sequence[TrailBlock], Mapping[int, Sequence[TrailEvent]], Broken | None]:
        async with self._db.read() as unit:
            repository = SealRepository(unit)
            blocks = await repository.blocks_after(last.seq if last else 0, _STRETCH)
            blocks = blocks[: _some(blocks)]
            contents = await repository.events_in([block.seq for block in blocks])
        return blocks, contents, await asyncio.to_thread(self._checker.blocks, last, blocks, contents)

    async def _open_end(self, seen: _Seen) -> Broken | None:
        async with self._db.read() as unit:
            if (lost := await SealRepository(unit).lost_block()) is not None:
                return Broken("tail_cut", lost)
        after = ""
        while True:
            async with self._db.read() as unit:
                events = await SealRepository(unit).unsealed(_MOST_EVENTS, after)
            if not events:
                return None
            if (broken := await asyncio.to_thread(self._checker.events, events)) is not None:
                return broken
            seen.unsealed += len(events)
            after = events[-1].id

    async def _anchored(self, seen: _Seen) -> Broken | None:
        for anchor in seen.given:
            async with self._db.read() as unit:
                block = await SealRepository(unit).find_block(anchor.seq)
            if block is None:
                return Broken("tail_cut", anchor.seq)
            if block.mac != anchor.mac:
                return Broken("anchor_differs", anchor.seq)
            seen.anchors += 1
        return None


def _some(blocks: Sequence[TrailBlock]) -> int:
    """How many blocks to look at together: at least one, then as long as they are few events."""
    count = 0
    for number, block in enumerate(blocks):
        count += block.event_count
        if count > _MOST_EVENTS:
            return max(1, number)
    return len(blocks)
