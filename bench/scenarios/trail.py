"""How long verifying the audit trail takes, and what of memory: `bench.trail` writes it and, in another process, verifies it."""

import re
from collections.abc import AsyncIterator
from typing import Final

from bench.context import Bench
from bench.figures import Figure
from bench.programs import printed_by

_PROGRAM: Final = "bench.trail"
_FIGURE: Final = re.compile(r"^(\w+) ([\d.]+)$", re.MULTILINE)


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """trail_*."""
    events = bench.pick(1_000_000, 100_000, 2_000)
    folder = str(bench.new_folder() / "data")
    await printed_by(_PROGRAM, folder, "--events", str(events))
    told = {name: float(value) for name, value in _FIGURE.findall(await printed_by(_PROGRAM, folder))}
    name = "trail_verified" if bench.size == "full" else "trail_quick"
    yield Figure(name, told["seconds"], told)
    yield Figure("trail_memory", told["grown_mb"])
