"""The way out of this process: `begin`, then nothing new is taken; `cut`, then what still runs is let go of.

Between the two, what was begun may come to its end. Ends nothing itself: who holds something registers for it here.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from youworker_app.core.errors import DependencyAway

COME_AGAIN_SECONDS = 3


class ServerStopping(DependencyAway):
    code = "SERVER_STOPPING"
    template = "The server is being stopped or restarted. Nothing of this was kept; try again in a moment."

    def __init__(self) -> None:
        super().__init__(retry_after_s=COME_AGAIN_SECONDS)


class Stopping:
    """One a process. Used on the event loop alone."""

    def __init__(self) -> None:
        self.has_begun = self.is_cut = False
        self._holders: dict[int, Callable[[], None]] = {}
        self._work = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._last = 0

    def begin(self) -> None:
        """From now on nothing new is taken."""
        self.has_begun = True

    def cut(self) -> None:
        """What still runs lets go now; calling it again does nothing."""
        self.begin()
        self.is_cut = True
        holders, self._holders = self._holders, {}
        for let_go in holders.values():
            let_go()

    @contextmanager
    def holding(self, let_go: Callable[[], None], *, is_work: bool = False) -> Iterator[None]:
        """`let_go` (quick, not awaited) is called by `cut` while this is open. `is_work` is waited for before that."""
        self._last += 1
        number = self._last
        self._holders[number] = let_go
        if is_work:
            self._work += 1
            self._idle.clear()
        try:
            yield
        finally:
            self._holders.pop(number, None)
            if is_work:
                self._work -= 1
                if not self._work:
                    self._idle.set()

    async def finished(self, seconds: float) -> bool:
        """Waits for work that is being held. Returns whether all of it ended in time."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True
