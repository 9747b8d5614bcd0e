"""Seals the trail: once a second, and only when there is something, what is in no block goes under a root in a chain.

Writers wait for nothing of it: an event that commits late is taken by a later block. Blocks are numbered from 1; of two
processes that seal at once, one wins and the other comes again. What a block promises is said by forms.py.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from youworker_app.audit.forms import block_mac, root_of
from youworker_app.audit.repository import SealRepository
from youworker_app.audit.retirement import Retirement
from youworker_app.audit.schemas import TrailBlock, TrailEvent
from youworker_app.audit.service import AuditService
from youworker_app.core.clock import now
from youworker_app.core.db import Database
from youworker_app.core.errors import AppError
from youworker_app.core.telemetry import get_logger
from youworker_app.gateways.anchors.protocol import Anchor, AnchorStore

log = get_logger(__name__)

MOST_EVENTS: Final = 1_000  # in a block: what one transaction does in some 30 ms
_INTERVAL_S: Final = 1.0
_PATIENCE: Final = timedelta(seconds=30)
_RETIRE_EVERY: Final = timedelta(hours=1)


def in_order(events: Sequence[TrailEvent]) -> list[TrailEvent]:
    """The events of a block as its root takes them, the same whatever the database's order of texts is."""
    return sorted(events, key=lambda event: (event.at, event.id))


def make_block(
    key: bytes, last: TrailBlock | None, events: Sequence[TrailEvent], sealed_at: datetime
) -> TrailBlock:
    """The block after `last` over some events, of which there is at least one."""
    ordered = in_order(events)
    bare = TrailBlock(
        seq=last.seq + 1 if last else 1,
        first_at=ordered[0].at,
        last_at=ordered[-1].at,
        event_count=len(ordered),
        root=root_of([event.mac for event in ordered]),
        previous=last.mac if last else "",
        sealed_at=sealed_at,
        mac="",
    )
    return TrailBlock(**{**vars(bare), "mac": block_mac(key, bare)})


class Sealer:
    """Runs from `start` to `stop`."""

    def __init__(
        self,
        db: Database,
        audit: AuditService,
        key: bytes,
        anchors: Sequence[AnchorStore],
        retirement: Retirement,
        *,
        interval_s: float = _INTERVAL_S,
    ) -> None:
        self._db, self._audit, self._key, self._anchors = db, audit, key, anchors
        self._retirement, self._interval_s = retirement, interval_s
        self._task: asyncio.Task[None] | None = None
        self._anchor_after = self._retire_after = now()

    def start(self) -> None:
        """Begins; what an earlier process left unsealed is taken first."""
        self._audit.news.set()
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(_ended)

    async def stop(self) -> None:
        """Ends, with everything sealed that is committed, unless the database is away: then the next start does it."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.wait((self._task,))
        self._task = None
        self._audit.refusals.end_minute(at_once=True)
        if self._audit.news.is_set():
            await self._turn()

    async def seal(self) -> int:
        """Puts everything that is in no block into one or more; answers how many blocks it took. Raises SealedMeanwhile."""
        blocks = 0
        while True:
            async with self._db.write() as unit:
                repository = SealRepository(unit)
                # In this order: who sealed between the two reads has taken the number that we would want.
                last = await repository.last_block()
                events = await repository.unsealed(MOST_EVENTS)
                if not events:
                    return blocks
                await repository.seal(
                    make_block(self._key, last, events, now()), [event.id for event in events]
                )
            blocks += 1
            if len(events) < MOST_EVENTS:
                return blocks

    async def anchor(self) -> None:
        """Tells every block that was not told yet to each place. Raises AnchorsAway, and then it is told again later."""
        while self._anchors:
            async with self._db.read() as unit:
                blocks = await SealRepository(unit).unanchored(MOST_EVENTS)
            if not blocks:
                return
            told = [Anchor(block.seq, block.mac, block.sealed_at.isoformat()) for block in blocks]
            for place in self._anchors:
                await place.put(told)
            async with self._db.write() as unit:
                await SealRepository(unit).set_anchored(blocks[-1].seq, now())

    async def _run(self) -> None:
        while True:
            await self._audit.news.wait()
            await asyncio.sleep(self._interval_s)
            await self._turn()

    async def _turn(self) -> None:
        self._audit.news.clear()
        try:
            await self._audit.write_noted(self._db)
            await self.seal()
            if now() >= self._retire_after:
                self._retire_after = now() + _RETIRE_EVERY
                await self._retirement.retire_old()
            if now() >= self._anchor_after:
                await self.anchor()
        except AppError as error:
            log.warning("audit_seal_waits", code=error.code)
            # What could not be told is not asked of a place that is away each second.
            self._anchor_after = now() + _PATIENCE
            self._audit.news.set()


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("audit_sealer_failed", exc_info=error)
