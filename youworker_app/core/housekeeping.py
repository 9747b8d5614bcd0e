"""What is done now and then while the server runs: each task by itself, and one that fails waits for its next turn."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final

from youworker_app.core.errors import AppError
from youworker_app.core.telemetry import get_logger

log = get_logger(__name__)

_EVERY_S: Final = 3_600.0
_FIRST_S: Final = 60.0


class Housekeeping:
    """Runs `tasks`, by name, once an hour, from `start` to `stop`; each answers how much it did."""

    def __init__(
        self,
        tasks: Mapping[str, Callable[[], Awaitable[int]]],
        *,
        first_s: float = _FIRST_S,
        every_s: float = _EVERY_S,
    ) -> None:
        self._tasks, self._first_s, self._every_s = tasks, first_s, every_s
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins: the first turn comes when the start is over."""
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Ends. May be called twice."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running

    async def turn(self) -> None:
        """Each task once."""
        for name, task in self._tasks.items():
            try:
                if done := await task():
                    log.info("housekeeping_done", task=name, count=done)
            except AppError as error:
                log.warning("housekeeping_waits", task=name, code=error.code)

    async def _run(self) -> None:
        await asyncio.sleep(self._first_s)
        while True:
            await self.turn()
            await asyncio.sleep(self._every_s)
