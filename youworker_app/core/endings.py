"""Who may not stay ends at once: open requests, streams and websockets of a person or a credential are let go of.

Knows ids alone. Who decides that somebody has to go calls `end` after the commit; who keeps something open holds it here.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from time import monotonic
from typing import Final

# How long something may take from asking who is there until it is held; longer than any unit waits for the database.
_REMEMBERED_S: Final = 600.0

# The request in which it is decided gets its answer, whoever has to go.
_deciding: ContextVar[object | None] = ContextVar("deciding", default=None)


@dataclass(frozen=True)
class _Held:
    names: frozenset[str]
    let_go: Callable[[], None]
    owner: object | None


class Endings:
    """One a process. Used on the event loop alone."""

    def __init__(self) -> None:
        self._held: dict[int, _Held] = {}
        self._past: deque[tuple[float, frozenset[str]]] = deque()
        self._last = 0

    def end(self, *names: str) -> None:
        """Lets go of what is open under one of these ids: of people, login sessions, keys."""
        ended, moment = frozenset(names), monotonic()
        self._past.append((moment, ended))
        while self._past[0][0] < moment - _REMEMBERED_S:
            self._past.popleft()
        deciding = _deciding.get()
        for held in list(self._held.values()):
            if held.names & ended and (held.owner is None or held.owner is not deciding):
                held.let_go()

    @contextmanager
    def holding(
        self, names: frozenset[str], let_go: Callable[[], None], *, since: float, owner: object | None = None
    ) -> Iterator[None]:
        """`let_go` (quick, not awaited) is called when one of the ids ends while this is open.

        At once, if one has ended after `since` (seconds of the monotonic clock: when it was asked who is there).
        """
        self._last += 1
        number = self._last
        self._held[number] = _Held(names, let_go, owner)
        try:
            if any(at >= since and names & ended for at, ended in self._past):
                let_go()
            yield
        finally:
            del self._held[number]


def begin_deciding(owner: object) -> Token[object | None]:
    """From here on, this task and those that it starts decide for `owner`, which is spared."""
    return _deciding.set(owner)


def end_deciding(token: Token[object | None]) -> None:
    """Takes back what `begin_deciding` began."""
    _deciding.reset(token)
