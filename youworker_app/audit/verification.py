"""Verifies the trail: every event under its MAC, every block under its root and the chain, the end against anchors.

Goes through in stretches, each read in a short unit and computed in a thread, so that others are served meanwhile, nothing
piles up and whoever waits can be told how far it is. What is retired or sealed while it looks is looked at again before it
is called broken.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from youworker_app.audit.forms import block_mac, is_genuine, retirement_mac, root_of
from youworker_app.audit.repository import SealRepository
from youworker_app.audit.schemas import Broken, Span, TrailBlock, TrailEvent, TrailReport
from youworker_app.core.db import Database
from youworker_app.gateways.anchors.protocol import Anchor, AnchorStore

_STRETCH: Final = 200  # blocks, of mostly few events
_MOST_EVENTS: Final = 2_000
_WHOLE: Final = Span()


@dataclass(frozen=True)
class Checker:
    """Whether blocks and events are as they were written. Pure: no storage."""

    event_key: bytes
    block_key: bytes

    def is_sealed(self, block: TrailBlock) -> bool:
        """Whether a block by itself is as it was sealed."""
        return block.mac == block_mac(self.block_key, block)

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
        if not self.is_sealed(block):
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
    until: int = 0
    is_to_the_end: bool = True
    events: int = 0
    blocks: int = 0
    retired: int = 0
    unsealed: int = 0
    anchors: int = 0
    given: list[Anchor] = field(default_factory=list)

    def report(self, broken: Broken | None = None, *, is_over: bool = True) -> TrailReport:
        """What was seen so far."""
        last = self.last.seq if self.last else 0
        return TrailReport(
            is_intact=broken is None,
            first_broken=broken,
            events=self.events,
            blocks=self.blocks,
            retired_blocks=self.retired,
            unsealed=self.unsealed,
            last_block=last,
            last_mac=self.last.mac if self.last else "",
            until_block=self.until,
            anchors=self.anchors,
            next_cursor=None if is_over else str(last),
        )


class Verifier:
    """Goes through the trail, or a span of it, from its beginning."""

    def __init__(self, db: Database, checker: Checker, anchors: Sequence[AnchorStore]) -> None:
        self._db, self._checker, self._anchors = db, checker, anchors

    async def verify(
        self, known: Anchor | None = None, span: Span = _WHOLE, *, most: int | None = None
    ) -> TrailReport:
        """Ends at the first thing broken, or after `most` events and blocks. `known`: an anchor that was kept elsewhere.

        Raises AnchorsAway.
        """
        async with aclosing(self.steps(known, span)) as steps:
            async for report in steps:
                is_much = most is not None and report.events + report.blocks >= most
                if report.next_cursor is None or is_much:
                    return report
        raise AssertionError("the last step is the end")

    async def steps(
        self, known: Anchor | None = None, span: Span = _WHOLE
    ) -> AsyncGenerator[TrailReport, None]:
        """The same, told after every stretch; the last report is the one without `next_cursor`. Raises AnchorsAway."""
        seen = _Seen()
        # Asked first: a block that is anchored while we look would else be missed at the end.
        seen.given = [each for place in self._anchors if (each := await place.newest()) is not None]
        seen.given += [known] if known else []
        broken = await self._begin(seen, span)
        while broken is None:
            blocks, contents, broken = await self._stretch(seen)
            if broken is not None:
                blocks, contents, broken = await self._stretch(seen)
            if broken is not None or not blocks:
                break
            seen.last = blocks[-1]
            seen.blocks += len(blocks)
            seen.retired += sum(block.retired_at is not None for block in blocks)
            seen.events += sum(map(len, contents.values()))
            yield seen.report(is_over=False)
        broken = broken or await self._open_end(seen) or await self._anchored(seen)
        yield seen.report(broken)

    async def _begin(self, seen: _Seen, span: Span) -> Broken | None:
        """Finds where to begin and to end; the block before the first is what the chain is held against."""
        async with self._db.read() as unit:
            repository = SealRepository(unit)
            seen.until = await repository.last_block_before(span.until)
            seen.is_to_the_end = span.until is None
            before = span.after
            if span.since is not None:
                before = max(before, await repository.first_block_since(span.since) - 1)
            seen.last = await repository.find_block(before) if before else None
        if before and seen.last is None:
            return Broken("block_missing", before)
        if seen.last is not None and not self._checker.is_sealed(seen.last):
            return Broken("block_changed", before)
        return None

    async def _stretch(
        self, seen: _Seen
    ) -> tuple[Sequence[TrailBlock], Mapping[int, Sequence[TrailEvent]], Broken | None]:
        last = seen.last
        async with self._db.read() as unit:
            repository = SealRepository(unit)
            blocks = await repository.blocks_after(last.seq if last else 0, _STRETCH)
            if not seen.is_to_the_end:
                blocks = [block for block in blocks if block.seq <= seen.until]
            blocks = blocks[: _some(blocks)]
            contents = await repository.events_in([block.seq for block in blocks])
        return blocks, contents, await asyncio.to_thread(self._checker.blocks, last, blocks, contents)

    async def _open_end(self, seen: _Seen) -> Broken | None:
        if not seen.is_to_the_end:
            return None
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
