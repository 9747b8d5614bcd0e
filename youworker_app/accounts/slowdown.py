"""Slows guessing down: after some failures for one name from one address, the next attempt has to wait, longer each time.

In memory and bounded; a quarter of an hour without a failure forgets, and so does a restart. Attempts for one pair are
checked one after the other, so that many at once gain nothing.
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from youworker_app.accounts.errors import TooManyAttempts

FREE_FAILURES: Final = 5
FIRST_WAIT_S: Final = 30.0
LONGEST_WAIT_S: Final = 15 * 60.0
FORGET_AFTER_S: Final = 15 * 60.0
_REMEMBERED: Final = 10_000


@dataclass
class _Pair:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    failures: int = 0
    quiet_since: float = 0.0  # the last failure, or the end of the wait that it brought


class Attempt:
    """One attempt under way; say how it ended."""

    def __init__(self, pair: _Pair, moment: float) -> None:
        self._pair, self._moment = pair, moment

    def failed(self) -> None:
        """Counts; from the fifth failure on, the next attempt waits 30 s, then 60 s, up to 15 minutes."""
        self._pair.failures += 1
        over = self._pair.failures - FREE_FAILURES
        wait = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(over, 10)) if over >= 0 else 0.0
        self._pair.quiet_since = self._moment + wait

    def succeeded(self) -> None:
        """Forgets the failures."""
        self._pair.failures = 0


class Slowdown:
    """Failures by (name, address). `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pairs: OrderedDict[tuple[str, str], _Pair] = OrderedDict()

    @asynccontextmanager
    async def attempt(self, name: str, address: str) -> AsyncIterator[Attempt]:
        """Raises TooManyAttempts (with the seconds to wait) instead of letting the attempt happen."""
        pair = self._pair(name, address)
        async with pair.lock:
            moment = self._clock()
            if pair.quiet_since > moment:
                raise TooManyAttempts(retry_after_s=math.ceil(pair.quiet_since - moment))
            if moment - pair.quiet_since >= FORGET_AFTER_S:
                pair.failures = 0
            yield Attempt(pair, moment)

    def _pair(self, name: str, address: str) -> _Pair:
        pair = self._pairs.setdefault((name, address), _Pair())
        self._pairs.move_to_end((name, address))
        if len(self._pairs) > _REMEMBERED:
            self._pairs.popitem(last=False)
        return pair
