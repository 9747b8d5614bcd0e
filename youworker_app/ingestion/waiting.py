"""Jobs that wait for something that is away, however long: one at a time tries whether it is back, then all go on.

Holds ids in memory alone. That and why a job waits stands in its row, so a start finds it again.
"""

import asyncio
from collections.abc import Callable

from youworker_app.core.telemetry import get_logger

log = get_logger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 30.0


class WaitingRoom:
    """`deliver` brings an id back to its handler."""

    def __init__(self, deliver: Callable[[str], None], *, first_pause_s: float = FIRST_PAUSE_S) -> None:
        self._deliver, self._first_pause_s = deliver, first_pause_s
        self._pause_s = first_pause_s  # grows from one try in vain to the next
        self._waiting: dict[str, None] = {}  # in the order in which they came
        self._looking: asyncio.Task[None] | None = None
        self._is_closed = False

    def enter(self, job_id: str) -> None:
        """The job has to wait. It is tried again in its turn."""
        self._waiting[job_id] = None
        if not self._is_closed and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._look())

    def open(self) -> None:
        """Some job got on: what they wait for may be back, so all try."""
        waiting, self._waiting = self._waiting, {}
        self._pause_s = self._first_pause_s
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        for job_id in waiting:
            self._deliver(job_id)
        if waiting:
            log.info("waiting_jobs_go_on", count=len(waiting))

    async def close(self) -> None:
        """At a stop: nobody is tried any more."""
        self._is_closed = True
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait((self._looking,))

    async def _look(self) -> None:
        # Another one each time: what one waits for may be its own trouble and not the others'.
        while self._waiting:
            await asyncio.sleep(self._pause_s)
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
            job_id = next(iter(self._waiting), None)
            if job_id is not None:
                del self._waiting[job_id]
                self._deliver(job_id)
