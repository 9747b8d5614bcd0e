"""The counters of one process, for the `limits` library. Bounded, without a thread or a timer of its own.

Time is cut into windows; of each key the current and the previous count are kept, and older ones go together.
"""

import time
from collections.abc import Callable
from typing import Final

from limits.storage import SlidingWindowCounterSupport, Storage

# Keys in one window, far more than people work in a minute. Strangers' addresses can be made up without end: those that come
# after share one counter, so that a flood makes nobody's count forgotten.
MOST_PEOPLE: Final = 100_000
MOST_STRANGERS: Final = 10_000
_EVERYBODY_ELSE: Final = "/*"


class _Windows:
    """Two counts a key, all windows of one length."""

    def __init__(self, most: int) -> None:
        self._most, self._number = most, 0
        self._previous: dict[str, int] = {}
        self._current: dict[str, int] = {}

    def name(self, key: str) -> str:
        """The key that is counted for this one."""
        if key in self._current or len(self._current) < self._most:
            return key
        return key.partition("/")[0] + _EVERYBODY_ELSE

    def turn_to(self, number: int) -> None:
        """Lets go of what lies further back than one window."""
        if number != self._number:
            self._previous = self._current if number == self._number + 1 else {}
            self._current, self._number = {}, number

    def counts(self, key: str) -> tuple[int, int]:
        return self._previous.get(key, 0), self._current.get(key, 0)

    def add(self, key: str, amount: int) -> int:
        self._current[key] = total = self._current.get(key, 0) + amount
        return total

    def forget(self, key: str) -> None:
        self._previous.pop(key, None)
        self._current.pop(key, None)

    def __len__(self) -> int:
        return len(self._previous) + len(self._current)


class Counters(Storage, SlidingWindowCounterSupport):
    """Counts in memory. `clock` counts seconds and never goes back. All keys have windows of one length."""

    STORAGE_SCHEME = None

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        most_people: int = MOST_PEOPLE,
        most_strangers: int = MOST_STRANGERS,
    ) -> None:
        super().__init__()
        self._clock = clock
        self._people, self._strangers = _Windows(most_people), _Windows(most_strangers)

    def __len__(self) -> int:
        """How many counts are kept."""
        return len(self._people) + len(self._strangers)

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return ()

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Counts, if what the last `expiry` seconds hold leaves room for it."""
        windows, name, passed = self._at(key, expiry)
        previous, current = windows.counts(name)
        if int(previous * (1 - passed) + current) + amount > limit:
            return False
        windows.add(name, amount)
        return True

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """(previous count, seconds that it still counts, current count, seconds that it will)."""
        windows, name, passed = self._at(key, expiry)
        previous, current = windows.counts(name)
        rest = (1 - passed) * expiry
        return previous, rest if previous else 0.0, current, rest + expiry

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        windows, name, _ = self._at(key, expiry)
        windows.forget(name)

    def _at(self, key: str, expiry: int) -> tuple[_Windows, str, float]:
        number, passed = divmod(self._clock() / expiry, 1)
        windows = self._people if "/u:" in key else self._strangers
        windows.turn_to(int(number))
        return windows, windows.name(key), passed

    # --- what other strategies of the library would need; nothing here uses them

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        windows, name, _ = self._at(key, expiry)
        return windows.add(name, amount)

    def get(self, key: str) -> int:
        windows = self._people if "/u:" in key else self._strangers
        return windows.counts(key)[1]

    def get_expiry(self, key: str) -> float:
        return time.time()

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        count = len(self)
        self._people, self._strangers = _Windows(self._people._most), _Windows(self._strangers._most)
        return count

    def clear(self, key: str) -> None:
        (self._people if "/u:" in key else self._strangers).forget(key)
