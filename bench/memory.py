"""What the product takes of the machine's memory while nothing happens."""

import asyncio

from bench.context import Bench
from bench.servers import Server

# What is given back a moment after the work counts as given back; the index does so after 5 s of quiet.
_SETTLING_S = 7.0


async def idle_memory_mb(bench: Bench, server: Server) -> tuple[float, float]:
    """All processes, in MB: pages that they share counted once, and the sum of what each has."""
    await asyncio.sleep(bench.pick(1, 1, 0) * _SETTLING_S)
    resident, proportional = server.memory_mb()
    return proportional, resident
