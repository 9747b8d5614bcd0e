"""What is done now and then: each task in its turn, and one that fails stops neither the others nor the next turn."""

import asyncio

from structlog.testing import capture_logs

from youworker_app.core.errors import StorageFull
from youworker_app.core.housekeeping import Housekeeping


async def test_one_that_fails_stops_no_other() -> None:
    done: list[str] = []
    again = asyncio.Event()

    async def fails() -> int:
        done.append("fails")
        raise StorageFull

    async def works() -> int:
        done.append("works")
        if len(done) == 4:
            again.set()
        return 3

    keeping = Housekeeping({"fails": fails, "works": works}, first_s=0, every_s=0)
    with capture_logs() as logs:
        keeping.start()
        async with asyncio.timeout(10):
            await again.wait()
        await keeping.stop()
        await keeping.stop()
    assert done[:4] == ["fails", "works", "fails", "works"]
    assert {(each["event"], each["task"]) for each in logs} == {
        ("housekeeping_waits", "fails"),
        ("housekeeping_done", "works"),
    }
