"""Watches a pool of database connections: how many are in use, how long people wait for one. Changes nothing in it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import Any, cast

from sqlalchemy import event
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from youworker_app.core.telemetry import get_logger

log = get_logger(__name__)


@dataclass(frozen=True)
class PoolState:
    """`size` connections are kept, `overflow` are open on top; the last five are since the start. Times in milliseconds."""

    size: int
    in_use: int
    idle: int
    overflow: int
    most_in_use: int
    waiting: int
    long_waits: int
    longest_wait_ms: float
    exhausted: int


@dataclass
class _Wait:
    begun: float
    got_at: float | None = None


_wait: ContextVar[_Wait | None] = ContextVar("pool_wait", default=None)


class PoolWatch:
    """Counts, and logs a wait of `slow_ms` or longer and a pool that had no connection in time."""

    def __init__(self, engine: AsyncEngine, *, slow_ms: int) -> None:
        self._engine, self._slow_ms = engine, slow_ms
        self._most_in_use = self._waiting = self._long_waits = self._exhausted = 0
        self._longest_ms = 0.0
        event.listen(engine.sync_engine, "checkout", self._on_checkout)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around the taking of a connection; what its holder does first (BEGIN) is not counted."""
        wait = _Wait(time.monotonic())
        token = _wait.set(wait)
        self._waiting += 1
        try:
            yield
        except NoFreeConnection:
            self._exhausted += 1
            log.warning("database_pool_exhausted", waited_ms=self._ms(wait), **asdict(self.state()))
            raise
        finally:
            self._waiting -= 1
            _wait.reset(token)
        self._took(self._ms(wait))

    def state(self) -> PoolState:
        """Now, and since the start."""
        pool = cast(QueuePool, self._engine.pool)
        return PoolState(
            size=pool.size(),
            in_use=pool.checkedout(),
            idle=pool.checkedin(),
            overflow=max(0, pool.overflow()),
            most_in_use=self._most_in_use,
            waiting=self._waiting,
            long_waits=self._long_waits,
            longest_wait_ms=self._longest_ms,
            exhausted=self._exhausted,
        )

    def _on_checkout(self, *_: Any) -> None:
        # The step runs in a task of its own, which sees the wait that its caller set.
        if (wait := _wait.get()) is not None:
            wait.got_at = time.monotonic()
        self._most_in_use = max(self._most_in_use, cast(QueuePool, self._engine.pool).checkedout())

    def _took(self, ms: float) -> None:
        self._longest_ms = max(self._longest_ms, ms)
        if ms >= self._slow_ms:
            self._long_waits += 1
            log.warning("database_pool_waited", waited_ms=ms, **asdict(self.state()))

    def _ms(self, wait: _Wait) -> float:
        return round(((wait.got_at or time.monotonic()) - wait.begun) * 1_000, 1)
