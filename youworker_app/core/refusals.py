"""What is refused, and to whom: counted here in a bounded way and handed to whoever keeps a trail of it.

The first refusal of a kind in a minute is told at once, those that follow as one number when the minute is over: whoever is
refused a million times fills no disk. Told are codes and ids, never what was asked for.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from youworker_app.core import registry
from youworker_app.core.errors import AppError, Forbidden, TooManyRequests, Unauthenticated

MINUTE_S: Final = 60.0
# So many kinds (who, from where, what for) are told apart in a minute; of the others only the code is.
MOST_KINDS: Final = 100
_REFUSALS: Final = frozenset({Forbidden.http_status, TooManyRequests.http_status})


@dataclass(frozen=True)
class Refusal:
    """One kind of refusal. `carrier`: "cookie" or "key", empty where no credential came. `place`: a route or a handler."""

    code: str
    carrier: str = ""
    user_id: str = ""
    credential_id: str = ""
    address: str = ""
    place: str = ""


class Refusals:
    """Counts by the minute. `tell` is given a kind and how often; `clock` counts seconds."""

    def __init__(
        self, tell: Callable[[Refusal, int], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell, self._clock = tell, clock
        self._again: dict[Refusal, int] = {}  # of the minute at work; the first was told
        self._began = 0.0

    def add(self, refusal: Refusal) -> None:
        """Counts one, in a running loop."""
        self.end_minute()
        if refusal not in self._again and len(self._again) >= MOST_KINDS:
            refusal = Refusal(refusal.code)
        if refusal in self._again:
            self._again[refusal] += 1
            return
        if not self._again:
            self._began = self._clock()
            asyncio.get_running_loop().call_later(MINUTE_S, self.end_minute)
        self._again[refusal] = 0
        self._tell(refusal, 1)

    def forget(self, user_id: str) -> None:
        """A person is erased: nothing more is told of them."""
        self._again = {kind: times for kind, times in self._again.items() if kind.user_id != user_id}

    def end_minute(self, *, at_once: bool = False) -> None:
        """Tells the sums of a minute that is over, or of what there is of it."""
        if not self._again or (self._clock() - self._began < MINUTE_S and not at_once):
            return
        ended, self._again = self._again, {}
        for refusal, times in ended.items():
            if times:
                self._tell(refusal, times)


def refused(error: AppError, place: str = "") -> None:
    """Counts the error if it refuses somebody: a right or a rate is lacking, or a credential came and opens nothing.

    Who just is not signed in was refused nothing. Without a trail nothing happens.
    """
    asked_by = error.asked_by
    is_wrong_credential = error.http_status == Unauthenticated.http_status and asked_by.carrier
    if not is_wrong_credential and error.http_status not in _REFUSALS:
        return
    if (refusals := registry.find(Refusals)) is not None:
        whose = (asked_by.carrier, asked_by.user_id, asked_by.credential_id)
        refusals.add(Refusal(error.code, *whose, error.asked_from, place or asked_by.place))
