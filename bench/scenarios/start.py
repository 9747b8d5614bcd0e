"""How long a start takes, to the first 200: of a new data folder, and again. Both on files that the machine has in memory."""

import asyncio
from collections.abc import AsyncIterator

from bench.client import quantile
from bench.context import Bench
from bench.figures import Figure


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """start_first, start_second."""
    async with bench.product() as server:
        yield Figure("start_first", round(server.seconds, 2), {})
        again, used = [], []
        for _ in range(bench.pick(5, 3)):
            await asyncio.to_thread(server.end)
            await asyncio.to_thread(server.start)
            again.append(round(server.seconds, 2))
            used.append(round(server.cpu_seconds(), 2))
    yield Figure("start_second", quantile(again, 0.5), {"seconds": again, "cpu_s": used})
