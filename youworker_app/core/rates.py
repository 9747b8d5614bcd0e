"""How much one person may ask for in a minute, by what it costs: counted here, or in a Redis that several servers share.

Owns who pays and what is told to whoever asked for too much. Who asks for what is declared by the API and the screens.
"""

import math
import time
from collections.abc import Callable
from contextvars import ContextVar
from enum import StrEnum
from ipaddress import IPv6Address, IPv6Network
from typing import Final

from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter as SharedLimiter
from limits.errors import StorageError
from limits.strategies import SlidingWindowCounterRateLimiter

from youworker_app.core.addresses import find_address
from youworker_app.core.errors import TooManyRequests
from youworker_app.core.rate_counters import Counters
from youworker_app.core.rate_settings import LimitSettings
from youworker_app.core.telemetry import client_address, get_logger

log = get_logger(__name__)

_WINDOW_S: Final = 60
_ROUNDING_S: Final = 1e-6
_REDIS_PATIENCE_S: Final = 0.5
# So long nobody waits for a Redis that was away.
_REDIS_REST_S: Final = 10.0


class Cost(StrEnum):
    """What something costs whoever asks; each has a setting of its name, but for what is free."""

    FREE = "free"
    SIGN_IN = "sign_in"
    KEYS = "keys"
    UPLOAD = "upload"
    CHAT = "chat"
    SEARCH = "search"
    READ = "read"
    WRITE = "write"
    POLL = "poll"


# What the event at work costs, until somebody has paid for it.
due: ContextVar[Cost] = ContextVar("due", default=Cost.FREE)


def person(user_id: str) -> str:
    """The one who pays, where somebody is signed in."""
    return f"u:{user_id}"


def stranger() -> str:
    """The one who pays where nobody is: the address; of IPv6 the network of one house, which holds more addresses than count."""
    found = find_address(client_address.get())
    if isinstance(found, IPv6Address):
        return f"a:{IPv6Network((int(found), 64), strict=False)}"
    return f"a:{found or ''}"


class RateLimits:
    """Counts over a minute that moves along. Nothing is awaited unless a Redis is set."""

    def __init__(self, settings: LimitSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._items: dict[Cost, RateLimitItemPerMinute] = {
            cost: RateLimitItemPerMinute(most, namespace=cost.value)
            for cost in Cost
            if cost is not Cost.FREE and (most := getattr(settings, cost.value))
        }
        self._clock, self._counters = clock, Counters(clock)
        self._here = SlidingWindowCounterRateLimiter(self._counters)
        url = settings.redis_url.get_secret_value()
        self._shared = SharedCounts(url) if url else None
        self._rests_until = 0.0

    async def charge(self, cost: Cost, who: str) -> None:
        """Takes one. Raises TooManyRequests (429) with the seconds after which there is one again."""
        item = self._items.get(cost)
        if item is None:
            return
        if self._shared is None or self._clock() < self._rests_until:
            wait = self._ask_here(item, who)
        else:
            wait = await self._ask_all(self._shared, item, who)
        if wait:
            log.info("rate_limited", cost=cost.value, is_stranger=not who.startswith("u:"))
            raise TooManyRequests(retry_after_s=wait)

    async def charge_due(self, who: str) -> None:
        """Takes what the event at work costs, once however often it asks who is there. Raises TooManyRequests."""
        cost = due.get()
        if cost is not Cost.FREE:
            due.set(Cost.FREE)
            await self.charge(cost, who)

    async def close(self) -> None:
        """Lets go of the Redis."""
        if self._shared is not None:
            await self._shared.close()

    def _ask_here(self, item: RateLimitItemPerMinute, who: str) -> int:
        if self._here.hit(item, who):
            return 0
        return _wait(item, self._counters.get_sliding_window(item.key_for(who), _WINDOW_S))

    async def _ask_all(self, shared: "SharedCounts", item: RateLimitItemPerMinute, who: str) -> int:
        """Seconds to wait. A Redis that is away stops nobody: this process counts by itself for a while."""
        try:
            return await shared.take(item, who)
        except (StorageError, OSError) as error:
            self._rests_until = self._clock() + _REDIS_REST_S
            log.warning("rate_limits_alone", cause=type(error.__cause__ or error).__name__)
            return self._ask_here(item, who)


class SharedCounts:
    """The same counts in a Redis, for several servers."""

    def __init__(self, url: str) -> None:
        self._storage = RedisStorage(
            f"async+{url}",
            wrap_exceptions=True,
            implementation="redispy",
            key_prefix="youworker",
            socket_timeout=_REDIS_PATIENCE_S,
            socket_connect_timeout=_REDIS_PATIENCE_S,
        )
        self._limiter = SharedLimiter(self._storage)

    async def take(self, item: RateLimitItemPerMinute, who: str) -> int:
        """Seconds to wait, 0 where it was counted. Raises StorageError."""
        if await self._limiter.hit(item, who):
            return 0
        return _wait(item, await self._storage.get_sliding_window(item.key_for(who), _WINDOW_S))

    async def close(self) -> None:
        """Closes its connections."""
        await self._storage.bridge.storage.aclose()  # type: ignore[attr-defined]  # of each of its clients


def _wait(item: RateLimitItemPerMinute, window: tuple[int, float, int, float]) -> int:
    """Whole seconds until one more fits; `window` is the previous count, how long it still counts, and the same of the current.

    What is counted is previous * rest / window + current, and the rest shrinks.
    """
    previous, rest, current, current_rest = window
    if not previous:
        rest = current_rest - _WINDOW_S
    elif current < item.amount:
        rest -= (item.amount - current) * _WINDOW_S / previous
    # At the very end of a window all of it still counts, and the rest may be rounded to just before.
    return max(1, math.floor(rest + _ROUNDING_S) + 1)
