"""Retires an old stretch of the trail: its events go, its blocks stay, so that everything after them still verifies.

Only whole blocks, from the beginning on, and none that is not as it was sealed: a broken one is evidence. A keyed MAC says
that the product took the events away.
"""

from datetime import datetime, timedelta
from typing import Final

from youworker_app.audit.errors import TrailBroken
from youworker_app.audit.forms import retirement_mac
from youworker_app.audit.repository import SealRepository
from youworker_app.audit.schemas import Retired
from youworker_app.audit.service import AuditService
from youworker_app.audit.verification import Checker
from youworker_app.core.clock import now
from youworker_app.core.db import Database
from youworker_app.core.ports import Identified

_AT_ONCE: Final = 20  # blocks in one transaction


class Retirement:
    """Takes events away that are older than so many days."""

    def __init__(self, db: Database, audit: AuditService, checker: Checker, *, keep_days: int) -> None:
        self._db, self._audit, self._checker, self._keep_days = db, audit, checker, keep_days

    async def retire_old(self) -> Retired:
        """What the setting says; nothing where it says 0. Raises TrailBroken."""
        if not self._keep_days:
            return Retired(0, 0)
        return await self.retire(None, now() - timedelta(days=self._keep_days))

    async def retire(self, actor: Identified | None, before: datetime) -> Retired:
        """Retires the blocks whose last event is older than `before`, and records it. Raises TrailBroken at the first that
        is not as it was sealed; those before it are retired then.
        """
        blocks = events = 0
        while True:
            found = await self._some(actor, before)
            if not found.blocks:
                return Retired(blocks, events)
            blocks, events = blocks + found.blocks, events + found.events

    async def _some(self, actor: Identified | None, before: datetime) -> Retired:
        async with self._db.write() as unit:
            repository = SealRepository(unit)
            found = await repository.blocks_after(0, _AT_ONCE, unretired=True)
            young = next((n for n, block in enumerate(found) if block.last_at >= before), len(found))
            blocks = found[:young]
            if not blocks:
                return Retired(0, 0)
            earlier = await repository.find_block(blocks[0].seq - 1)
            contents = await repository.events_in([block.seq for block in blocks])
            if (broken := self._checker.blocks(earlier, blocks, contents)) is not None:
                raise TrailBroken(block=broken.block)
            at = now()
            for block in blocks:
                await repository.retire(block, at, retirement_mac(self._checker.block_key, block, at))
            retired = Retired(len(blocks), sum(block.event_count for block in blocks))
            told = {"first_block": blocks[0].seq, "last_block": blocks[-1].seq, "events": retired.events}
            await self._audit.record(unit, actor, "audit.retired", resource_type="audit", details=told)
        return retired
