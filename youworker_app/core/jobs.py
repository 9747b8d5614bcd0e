"""Delivery of jobs: a taskiq broker brings an id to its handler. The job's row is the truth, the broker holds nothing.

The in-process broker has no bound on parallel work and does not wait at shutdown, so both are done here.
"""

import asyncio
from collections.abc import Awaitable, Callable

from taskiq import InMemoryBroker

from youworker_app.core.telemetry import get_logger

JobHandler = Callable[[str], Awaitable[None]]

log = get_logger(__name__)


class JobQueue:
    """Hands job ids to the handler of their kind, at most `workers` at a time, each id once at a time."""

    def __init__(self, *, workers: int) -> None:
        self._broker = InMemoryBroker(await_inplace=True)  # so that a cancelled delivery cancels its handler
        self._slots = asyncio.Semaphore(workers)
        self._handlers: dict[str, JobHandler] = {}
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._stopping = self._started = False

        async def run(kind: str, job_id: str) -> None:  # the broker takes functions, not methods
            await self._run(kind, job_id)

        self._task = self._broker.register_task(run, task_name="youworker.job")

    def handle(self, kind: str, handler: JobHandler) -> None:
        """Registers the one handler of a kind."""
        self._handlers[kind] = handler

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds that have a handler."""
        return frozenset(self._handlers)

    async def start(self) -> None:
        """Starts the broker."""
        await self._broker.startup()
        self._started = True

    @property
    def is_started(self) -> bool:
        """Whether what is delivered is worked on in this process."""
        return self._started and not self._stopping

    def deliver(self, kind: str, job_id: str) -> None:
        """Brings the id to its handler soon; one that is under way comes once more after it. While stopping, its row waits."""
        if self._stopping:
            return
        if job_id in self._under_way:
            self._again.add(job_id)
            return
        task = asyncio.create_task(self._kick(kind, job_id))
        self._under_way[job_id] = task
        task.add_done_callback(lambda _: self._ended(kind, job_id))

    def _ended(self, kind: str, job_id: str) -> None:
        self._under_way.pop(job_id, None)
        if job_id in self._again and not self._stopping:
            self._again.discard(job_id)
            self.deliver(kind, job_id)

    async def interrupt(self, job_id: str) -> bool:
        """Stops the delivery of an id where it is. Returns, when it has ended, whether there was one."""
        task = self._under_way.get(job_id)
        if task is None:
            return False
        task.cancel()
        await asyncio.wait((task,))
        return True

    async def _kick(self, kind: str, job_id: str) -> None:
        async with self._slots:
            await self._task.kiq(kind, job_id)

    async def _run(self, kind: str, job_id: str) -> None:
        handler = self._handlers.get(kind)
        if handler is None:
            log.error("job_without_handler", kind=kind, job_id=job_id)
            return
        try:
            await handler(job_id)
        except asyncio.CancelledError:
            # Told here in a line; the broker would write a traceback for it. The delivery ends with this.
            log.info("job_interrupted", kind=kind, job_id=job_id)

    async def idle(self) -> None:
        """Waits until nothing is under way (tests, orderly ends)."""
        while self._under_way:
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def stop(self) -> None:
        """Stops work where it is; unfinished rows are delivered again at the next start. May be called twice."""
        self._stopping = True
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._broker.shutdown()
