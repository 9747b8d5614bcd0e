"""Runs while they are alive: their events in memory, for any number of followers. The database is the truth afterwards."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from youworker_app.chat.schemas import RunEvent

_KEPT_AFTER_END_S = 60.0
_LOOK_AGAIN_S = 0.02


@dataclass
class LiveRun:
    """One answer being written. Events are numbered from 1 without gaps; followers never slow the writer."""

    run_id: str
    session_id: str
    message_id: str
    owner_id: str
    task: asyncio.Task[None] | None = None
    stop_requested: bool = False
    ended: bool = False
    events: list[RunEvent] = field(default_factory=list)
    _waiting: list[asyncio.Future[None]] = field(default_factory=list)

    def emit(self, name: str, **data: object) -> None:
        """Adds an event and wakes the followers."""
        self.events.append(RunEvent(len(self.events) + 1, name, data))
        self._wake()

    def end(self) -> None:
        """No event follows."""
        self.ended = True
        self._wake()

    async def follow(self, after: int) -> AsyncIterator[Sequence[RunEvent]]:
        """Events numbered above `after`, as they come, until the end: all that are there, each time."""
        position = max(after, 0)
        while True:
            if batch := self.events[position:]:
                position = batch[-1].id
                yield batch
            # Nothing is awaited from here to the wait, so nothing can come in between.
            if position < len(self.events):
                continue
            if self.ended:
                return
            woken = asyncio.get_running_loop().create_future()
            self._waiting.append(woken)
            await woken

    def _wake(self) -> None:
        woken, self._waiting = self._waiting, []
        for each in woken:
            if not each.done():  # a follower that has gone
                each.set_result(None)


class LiveRuns:
    """All runs of this process."""

    def __init__(self, *, kept_after_end_s: float = _KEPT_AFTER_END_S) -> None:
        self._runs: dict[str, LiveRun] = {}
        self._kept = kept_after_end_s
        self._starting: Counter[str] = Counter()
        self._given_up = asyncio.Event()
        self.is_closing = False

    def add(self, run: LiveRun) -> None:
        """A run begins."""
        self._runs[run.run_id] = run

    def find(self, run_id: str) -> LiveRun | None:
        """The run, while it lives and shortly after."""
        return self._runs.get(run_id)

    def of(self, owner_id: str) -> list[LiveRun]:
        """A person's runs that have not ended."""
        return [run for run in self._runs.values() if run.owner_id == owner_id and not run.ended]

    @contextmanager
    def place(self, owner_id: str, *, limit: int) -> Iterator[bool]:
        """Holds a place for one more run of a person while it is being started; False when all are taken."""
        is_free = len(self.of(owner_id)) + self._starting[owner_id] < limit
        self._starting[owner_id] += 1
        try:
            yield is_free
        finally:
            self._starting[owner_id] -= 1
            if not self._starting[owner_id]:
                del self._starting[owner_id]

    def retire(self, run: LiveRun) -> None:
        """Ends a run and forgets it after a while: a client that lost its connection finds the same numbering meanwhile."""
        run.end()
        asyncio.get_running_loop().call_later(self._kept, self._runs.pop, run.run_id, None)

    def drop(self, run: LiveRun) -> None:
        """Forgets a run at once."""
        run.end()
        self._runs.pop(run.run_id, None)

    async def drain(self, seconds: float) -> None:
        """Waits for running answers at shutdown; those that take longer are cancelled and save what they have."""
        self.is_closing = True
        end = time.monotonic() + seconds
        while self._starting or self._running():
            if time.monotonic() >= end:
                self._given_up.set()
                for task in self._running():
                    task.cancel()  # what it saves at its end outlasts every cancellation
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def is_given_up_within(self, seconds: float) -> bool:
        """Waits so long, and returns at once when the server gives up waiting for answers."""
        try:
            await asyncio.wait_for(self._given_up.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _running(self) -> list[asyncio.Task[None]]:
        return [run.task for run in self._runs.values() if run.task and not run.task.done()]
