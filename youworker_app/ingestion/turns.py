"""Whose turn it is: at most some jobs are worked on at a time, and those that wait meanwhile go together.

Knows nothing of what a job is. What was begun together and not ended is begun again alone, so that one cannot hold up others.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

TOGETHER: Final = 7
"""Jobs that go together at most: with small files, about what one call to the embedder carries."""


@dataclass(frozen=True)
class Outcome:
    """Of work together: who has ended, and who may try again with others. The rest goes on alone."""

    done: Collection[str] = ()
    later: Collection[str] = ()


@dataclass(eq=False)
class _Turn:
    job_id: str
    ended: asyncio.Future[None]
    is_alone: bool = False
    party: asyncio.Task[Outcome] | None = None


class Turns:
    """`alone` works on one job to its end, `together` on several, at most `workers` of both at a time.

    The first one that comes begins at once; nobody is waited for.
    """

    def __init__(
        self,
        alone: Callable[[str], Awaitable[None]],
        together: Callable[[Sequence[str]], Awaitable[Outcome]],
        *,
        workers: int,
    ) -> None:
        self._alone, self._together, self._free = alone, together, workers
        self._waiting: deque[_Turn] = deque()

    async def take(self, job_id: str) -> None:
        """Returns when the job has ended. Cancelled, it returns when nobody works on the job any more."""
        turn = _Turn(job_id, asyncio.get_running_loop().create_future())
        self._waiting.append(turn)
        self._begin()
        try:
            await turn.ended
        finally:
            await self._withdraw(turn)

    async def _withdraw(self, turn: _Turn) -> None:
        if turn in self._waiting:
            self._waiting.remove(turn)
        elif turn.party is not None and not turn.party.done() and turn.ended.cancelled():
            if not turn.party.cancelling():  # by another one of the party, which may have to clean up
                turn.party.cancel()  # those who are not cancelled go on alone
            await asyncio.wait((turn.party,))

    def _begin(self) -> None:
        while self._free and self._waiting:
            party = self._next()
            self._free -= 1
            task = asyncio.create_task(self._work([turn.job_id for turn in party]))
            for turn in party:
                turn.party = task
            task.add_done_callback(lambda done, party=party: self._end(party, done))  # type: ignore[misc]

    def _next(self) -> list[_Turn]:
        first = self._waiting.popleft()
        if first.is_alone:
            return [first]
        others = [turn for turn in self._waiting if not turn.is_alone][: TOGETHER - 1]
        for turn in others:
            self._waiting.remove(turn)
        return [first, *others]

    async def _work(self, job_ids: Sequence[str]) -> Outcome:
        if len(job_ids) > 1:
            return await self._together(job_ids)
        await self._alone(job_ids[0])
        return Outcome(done=job_ids)

    def _end(self, party: list[_Turn], task: asyncio.Task[Outcome]) -> None:
        self._free += 1
        error = None if task.cancelled() else task.exception()
        outcome = Outcome() if task.cancelled() or error else task.result()
        for turn in reversed(party):
            if turn.ended.done():
                continue
            if turn.job_id in outcome.done:
                turn.ended.set_result(None)
            elif error is not None and len(party) == 1:
                turn.ended.set_exception(error)
            else:
                turn.party, turn.is_alone = None, turn.job_id not in outcome.later
                self._waiting.appendleft(turn)
        self._begin()
