"""Work in threads, and callers that are cancelled meanwhile."""

import asyncio
import time

import pytest

from youworker_app.gateways.blobs.threads import in_thread


async def test_results_and_errors_come_back() -> None:
    assert await in_thread(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await in_thread(divmod, 7, 0)


async def test_a_cancelled_caller_waits_for_its_thread_however_often_it_is_cancelled() -> None:
    finished: list[bool] = []

    def work() -> None:
        time.sleep(0.1)
        finished.append(True)
        raise OSError("nobody hears of this one")

    caller = asyncio.create_task(in_thread(work))
    for _ in range(3):
        await asyncio.sleep(0.01)
        caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert finished == [True]
