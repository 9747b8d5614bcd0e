"""Slows guessing down: after some failures for one name from one address, the next attempt has to wait, longer each time.

Failures for a name from all addresses together make strangers wait too, but no browser that the person has signed in from.

In memory and bounded; a quarter of an hour without a failure forgets, and so does a restart. Attempts for one pair are
checked one after the other, so that many at once gain nothing.
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Final

from youworker_app.accounts.errors import TooManyAttempts

FREE_FAILURES: Final = 5
# For one name from all addresses together: many addresses gain an attacker no more than this.
FREE_FAILURES_EVERYWHERE: Final = 20
FIRST_WAIT_S: Final = 30.0
LONGEST_WAIT_S: Final = 15 * 60.0
FORGET_AFTER_S: Final = 15 * 60.0
_REMEMBERED: Final = 10_000
# No address is written so.
_EVERYWHERE: Final = "*"
_DEVICE: Final = "device "


@dataclass
class _Pair:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    failures: int = 0
    quiet_since: float = 0.0  # the last failure, or the end of the wait that it brought


class Attempt:
    """One attempt under way; say how it ended."""

    def __init__(self, own: _Pair, everywhere: _Pair | None, moment: float) -> None:
        self._own, self._everywhere, self._moment = own, everywhere, moment

    def failed(self) -> None:
        """Counts; from the fifth failure on, the next attempt waits 30 s, then 60 s, up to 15 minutes."""
        _count(self._own, FREE_FAILURES, self._moment)
        if self._everywhere is not None:
            _count(self._everywhere, FREE_FAILURES_EVERYWHERE, self._moment)

    def succeeded(self) -> None:
        """Forgets the failures from here; those from elsewhere were somebody else's."""
        if self._everywhere is not None:
            self._everywhere.failures = max(0, self._everywhere.failures - self._own.failures)
        self._own.failures = 0


class Slowdown:
    """Failures by (name, address), and by name over all addresses. `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pairs: OrderedDict[tuple[str, str], _Pair] = OrderedDict()

    @asynccontextmanager
    async def attempt(self, name: str, address: str, device: str = "") -> AsyncIterator[Attempt]:
        """Raises TooManyAttempts (with the seconds to wait) instead of letting the attempt happen.

        A known `device` has a count of its own, wherever it is: what others fail at from elsewhere does not hold it up.
        """
        own = self._pair(name, f"{_DEVICE}{device}" if device else address)
        everywhere = None if device else self._pair(name, _EVERYWHERE)
        async with own.lock, everywhere.lock if everywhere else nullcontext():
            moment = self._clock()
            for pair in (own, everywhere):
                if pair is not None:
                    _let_pass(pair, moment)
            yield Attempt(own, everywhere, moment)

    def _pair(self, name: str, place: str) -> _Pair:
        pair = self._pairs.setdefault((name, place), _Pair())
        self._pairs.move_to_end((name, place))
        if len(self._pairs) > _REMEMBERED:
            self._pairs.popitem(last=False)
        return pair


def _count(pair: _Pair, free: int, moment: float) -> None:
    pair.failures += 1
    over = pair.failures - free
    wait = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(over, 10)) if over >= 0 else 0.0
    pair.quiet_since = moment + wait


def _let_pass(pair: _Pair, moment: float) -> None:
    """Raises TooManyAttempts; forgets what is long ago."""
    if pair.quiet_since > moment:
        raise TooManyAttempts(retry_after_s=math.ceil(pair.quiet_since - moment))
    if moment - pair.quiet_since >= FORGET_AFTER_S:
        pair.failures = 0
