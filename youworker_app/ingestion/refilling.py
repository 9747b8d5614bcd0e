"""Fills the index again, in its place, after its files were damaged or its server came back without it.

Documents are sent back to their jobs, which embed them again; what is done is found at once. Owns the watch over that.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from youworker_app.core.db import Database
from youworker_app.core.errors import DependencyAway
from youworker_app.core.telemetry import get_logger
from youworker_app.gateways.vectors.generations import GenerationStore
from youworker_app.ingestion.repository import unfinished

log = get_logger(__name__)

_LOOK_S, _AGAIN_S = 1.0, 5.0


class IndexRefilling:
    """`compare` sends documents back that are wanting, after a look at sums; `check` compares every point, and repairs."""

    def __init__(
        self,
        db: Database,
        index: GenerationStore,
        compare: Callable[[], Awaitable[Any]],
        check: Callable[[], Awaitable[Any]],
    ) -> None:
        self._db, self._index, self._compare, self._check = db, index, compare, check
        self.is_under_way = False
        """Whether what is searched may be incomplete."""

    async def run(self) -> None:
        """Watches, until it is cancelled. What a stopped process left half filled goes on."""
        self.is_under_way = await self._index.is_anything_aside()
        while True:
            if not self.is_under_way:
                await self._index.lost.wait()
                self.is_under_way = True
            try:
                await self._refill()
            except DependencyAway as error:
                log.warning("index_refilling_waits", code=error.code)
                await asyncio.sleep(_AGAIN_S)
            else:
                self.is_under_way = False
                log.info("index_refilled")

    async def _refill(self) -> None:
        if self._index.lost.is_set():
            log.error("index_lost", documents="are embedded again in the background")
            await self._index.remake()
            await self._compare()
            self._index.lost.clear()
        await self._jobs_done()
        # A document that was half in when the rest of it was lost counts as ready by now.
        await self._check()
        await self._jobs_done()
        await self._index.clear_aside()

    async def _jobs_done(self) -> None:
        while True:
            async with self._db.read() as unit:
                if not await unfinished(unit):
                    return
            await asyncio.sleep(_LOOK_S)
