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
    assert sorted(done) == [str(number) for number in range(6)]
    assert most == 2
    queue.deliver("kind", "0")
    await queue.idle()
    assert len(done) == 7
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
