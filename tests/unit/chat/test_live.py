"""Live runs: followers at any place see every event once and in order."""

import asyncio

import pytest

from youworker_app.chat.live import LiveRun, LiveRuns
from youworker_app.chat.schemas import RunEvent


def a_run() -> LiveRun:
    return LiveRun("run", "session", "message", "anna")


async def collected(run: LiveRun, after: int = 0) -> list[RunEvent]:
    return [event async for batch in run.follow(after) for event in batch]


async def test_followers_see_what_was_and_what_comes() -> None:
    run = a_run()
    run.emit("token", text="a")
    followers = [asyncio.create_task(collected(run, after)) for after in (0, 1, 2)]
    await asyncio.sleep(0)
    run.emit("token", text="b")
    await asyncio.sleep(0)
    run.emit("done")
    run.end()
    seen = await asyncio.gather(*followers)
    assert [[event.id for event in events] for events in seen] == [[1, 2, 3], [2, 3], [3]]


async def test_no_event_is_lost_between_a_look_and_a_wait() -> None:
    run = a_run()
    task = asyncio.create_task(collected(run))
    for number in range(500):
        run.emit("token", text=str(number))
        if number % 7 == 0:
            await asyncio.sleep(0)
    run.end()
    assert [event.id for event in await asyncio.wait_for(task, 2)] == list(range(1, 501))


async def test_a_follower_that_leaves_costs_nothing() -> None:
    run = a_run()
    task = asyncio.create_task(collected(run))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    run.emit("token", text="a")
    run.end()
    assert len(await collected(run)) == 1


async def test_a_run_is_forgotten_a_while_after_its_end() -> None:
    runs = LiveRuns(kept_after_end_s=0.02)
    runs.add(run := a_run())
    assert runs.of("anna") == [run]
    runs.retire(run)
    assert runs.of("anna") == []
    assert runs.find("run") is run
    await asyncio.sleep(0.05)
    assert runs.find("run") is None


@pytest.mark.parametrize("seconds", [0.01, 1.0])
async def test_draining_waits_and_then_cuts(seconds: float) -> None:
    runs = LiveRuns()
    run = a_run()
    cut = []

    async def write() -> None:
        try:
            await asyncio.sleep(0.2)
        except asyncio.CancelledError:
            cut.append(True)
            raise

    run.task = asyncio.create_task(write())
    runs.add(run)
    await runs.drain(seconds)
    assert run.task.done()
    assert bool(cut) == (seconds < 0.2)
    await LiveRuns().drain(0)
