"""How long verifying the audit trail takes, and what of memory: `bench.trail` writes it and, in another process, verifies it."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator

from bench.context import Bench
from bench.figures import Figure
from bench.machine import ROOT

_FIGURE = re.compile(r"^(\w+) ([\d.]+)$", re.MULTILINE)


class NotMeasured(Exception):
    """What the process said last."""


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """trail_*."""
    events = bench.pick(1_000_000, 100_000, 2_000)
    folder = str(bench.new_folder() / "data")
    await _run(folder, "--events", str(events))
    told = {name: float(value) for name, value in _FIGURE.findall(await _run(folder))}
    name = "trail_verified" if bench.size == "full" else "trail_quick"
    yield Figure(name, told["seconds"], told)
    yield Figure("trail_memory", told["grown_mb"])


async def _run(*arguments: str) -> str:
    command = [sys.executable, "-m", "bench.trail", *arguments]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=pipe, stderr=pipe)
    try:
        printed, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise NotMeasured(complaints.decode(errors="replace")[-500:])
    return printed.decode()
