"""Turns: bounded, together while they wait, alone after trouble, and quiet once they were cancelled."""

import asyncio
from collections.abc import Sequence

import pytest

from youworker_app.ingestion.turns import TOGETHER, Outcome, Turns


class Road:
    """Work that lasts until it may pass. `begun` and `ended` hold the parties in order."""

    def __init__(self, *, workers: int = 1) -> None:
        self.begun: list[tuple[str, ...]] = []
        self.ended: list[tuple[str, ...]] = []
        self.passes = asyncio.Semaphore(0)
        self.outcome: Outcome | None = None  # of the next party; all are done without one
        self.turns = Turns(self._alone, self._together, workers=workers)

    async def _alone(self, job_id: str) -> None:
        await self._work((job_id,))
        if job_id == "broken":
            raise ValueError(job_id)

    async def _together(self, job_ids: Sequence[str]) -> Outcome:
        await self._work(tuple(job_ids))
        outcome, self.outcome = self.outcome, None
        return outcome or Outcome(done=job_ids)

    async def _work(self, party: tuple[str, ...]) -> None:
        self.begun.append(party)
        try:
            await self.passes.acquire()
        finally:
            await asyncio.sleep(0.01)  # an end takes its time
            self.ended.append(party)

    def open(self, parties: int) -> None:
        for _ in range(parties):
            self.passes.release()

    async def has_begun(self, parties: int) -> None:
        while len(self.begun) < parties:
            await asyncio.sleep(0)

    async def take(self, *job_ids: str) -> list[asyncio.Task[None]]:
        """Jobs that come now, one after the other."""
        tasks = [asyncio.create_task(self.turns.take(job_id)) for job_id in job_ids]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return tasks


async def test_the_first_begins_at_once_and_those_who_wait_go_together() -> None:
    road = Road(workers=2)
    names = [f"{number}" for number in range(2 + TOGETHER + 1)]
    tasks = await road.take(*names)
    assert road.begun == [("0",), ("1",)]
    road.open(9)
    await asyncio.gather(*tasks)
    assert road.begun[2:] == [tuple(names[2:-1]), (names[-1],)]


async def test_who_was_left_behind_goes_on_alone_and_who_comes_later_with_others() -> None:
    road = Road()
    tasks = await road.take("first", "a", "b", "c", "d")
    road.outcome = Outcome(done=("a",), later=("c", "d"))
    road.open(9)
    await asyncio.gather(*tasks)
    assert road.begun == [("first",), ("a", "b", "c", "d"), ("b",), ("c", "d")]


async def test_work_that_breaks_together_goes_on_alone_and_alone_is_told() -> None:
    road = Road()
    tasks = await road.take("broken", "a")
    road.open(9)
    with pytest.raises(ValueError, match="broken"):
        await tasks[0]
    await tasks[1]
    assert road.begun == [("broken",), ("a",)]


async def test_a_cancelled_job_is_left_by_all_before_that_is_told() -> None:
    road = Road()
    first, a, b, waiting = await road.take("first", "a", "b", "waiting")
    waiting.cancel()
    await asyncio.wait({waiting})
    road.open(1)
    await first
    await road.has_begun(2)
    a.cancel()
    await asyncio.wait({a})
    assert a.cancelled()
    assert road.ended == [("first",), ("a", "b")]
    road.open(1)
    await b
    assert road.begun == [("first",), ("a", "b"), ("b",)]


async def test_a_stop_ends_all_that_was_begun_together_and_lets_it_clean_up() -> None:
    road = Road()
    first, *tasks = await road.take("first", "a", "b", "c")
    road.open(1)
    await first
    await road.has_begun(2)
    for task in tasks:
        task.cancel()
        for _ in range(3):  # what was begun cleans up when the next one is cancelled
            await asyncio.sleep(0)
    await asyncio.wait_for(asyncio.wait(tasks), 5)
    assert all(task.cancelled() for task in tasks)
    assert road.begun == road.ended == [("first",), ("a", "b", "c")]
