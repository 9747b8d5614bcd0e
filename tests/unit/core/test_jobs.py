"""Delivery of jobs: bounded, once at a time, and stopped in order."""

import asyncio

from youworker_app.core.jobs import JobQueue


async def test_at_most_so_many_run_at_once_and_each_id_once() -> None:
    queue = JobQueue(workers=2)
    running, most, done = 0, 0, []

    async def handler(job_id: str) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        done.append(job_id)

    queue.handle("kind", handler)
    await queue.start()
    for number in [*range(6), 0, 1]:
        queue.deliver("kind", str(number))
    await queue.idle()
    assert sorted(done) == sorted([*map(str, range(6)), "0", "1"])
    assert most == 2
    await queue.stop()


async def test_a_stop_cancels_what_runs_and_what_waits() -> None:
    queue = JobQueue(workers=1)
    started, finished = [], []

    async def handler(job_id: str) -> None:
        started.append(job_id)
        await asyncio.sleep(60)
        finished.append(job_id)

    queue.handle("kind", handler)
    await queue.start()
    queue.deliver("kind", "a")
    queue.deliver("kind", "b")
    await asyncio.sleep(0.02)
    await asyncio.wait_for(queue.stop(), 2)
    assert started == ["a"]
    assert finished == []


async def test_an_interrupted_delivery_ends_and_can_be_made_again() -> None:
    queue = JobQueue(workers=1)
    started, gate = [], asyncio.Event()

    async def handler(job_id: str) -> None:
        started.append(job_id)
        await gate.wait()

    queue.handle("kind", handler)
    await queue.start()
    for job_id in ("runs", "waits", "fresh"):
        queue.deliver("kind", job_id)
        if job_id != "fresh":
            await asyncio.sleep(0.02)
    for job_id in ("fresh", "waits", "runs"):
        assert await asyncio.wait_for(queue.interrupt(job_id), 1)
        assert not await queue.interrupt(job_id)
    assert started == ["runs"]
    gate.set()
    queue.deliver("kind", "runs")
    await queue.idle()
    assert started == ["runs", "runs"]
    await queue.stop()


async def test_an_unknown_kind_and_a_failing_handler_cost_nothing_else() -> None:
    queue = JobQueue(workers=1)
    done = []

    async def handler(job_id: str) -> None:
        if job_id == "bad":
            raise RuntimeError
        done.append(job_id)

    queue.handle("kind", handler)
    assert queue.kinds == {"kind"}
    await queue.start()
    queue.deliver("unknown", "x")
    queue.deliver("kind", "bad")
    queue.deliver("kind", "good")
    await queue.idle()
    assert done == ["good"]
    await queue.stop()


async def test_an_id_that_is_delivered_while_it_runs_comes_once_more_and_never_at_the_same_time() -> None:
    queue = JobQueue(workers=4)
    running, together, done = 0, 0, 0
    gate = asyncio.Event()

    async def handler(job_id: str) -> None:
        nonlocal running, together, done
        running += 1
        together = max(together, running)
        await gate.wait()
        running -= 1
        done += 1

    queue.handle("kind", handler)
    await queue.start()
    queue.deliver("kind", "a")
    await asyncio.sleep(0.01)
    queue.deliver("kind", "a")
    queue.deliver("kind", "a")
    gate.set()
    await queue.idle()
    assert (together, done) == (1, 2)
    await queue.stop()


async def test_while_it_stops_nothing_is_taken_on() -> None:
    queue = JobQueue(workers=2)
    ended = []

    async def handler(job_id: str) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            # As a job's end may deliver others, which were waiting for it.
            queue.deliver("kind", "next")
            ended.append(job_id)

    queue.handle("kind", handler)
    await queue.start()
    queue.deliver("kind", "first")
    await asyncio.sleep(0.02)
    await asyncio.wait_for(queue.stop(), 2)
    queue.deliver("kind", "late")
    assert asyncio.all_tasks() == {asyncio.current_task()}
    await asyncio.sleep(0.02)
    assert ended == ["first"]
