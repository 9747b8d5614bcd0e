"""Runs a program of the bench in a process of its own, which takes its memory with it."""

import asyncio
import sys

from bench.machine import ROOT


class NotMeasured(Exception):
    """What the process said last."""


async def printed_by(module: str, *arguments: str) -> str:
    """What `python -m module` prints. Raises NotMeasured where it fails; it ends with whoever waits for it."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, cwd=ROOT, stdout=pipe, stderr=pipe
    )
    try:
        printed, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise NotMeasured(complaints.decode(errors="replace")[-500:])
    return printed.decode()
