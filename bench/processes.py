"""Processor time and memory of a server with all its children, read from /proc."""

import os
from collections.abc import Iterator
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """The process and everything that it started and that still lives."""
    return [pid, *(each for child in _children(pid) for each in family(child))]


def cpu_seconds(pid: int) -> float:
    """Used so far by the family, those that have ended included."""
    total = 0
    for each in family(pid):
        try:
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(int(ticks) for ticks in fields[11:15])  # own and waited-for children's, user and system
    return total / _TICKS


def memory_mb(pid: int) -> tuple[float, float]:
    """(resident memory of the family, the same with what is shared counted once), in 10^6 bytes."""
    sums = {"Rss:": 0, "Pss:": 0}
    for each in family(pid):
        for key, kilobytes in _rollup(each):
            if key in sums:
                sums[key] += kilobytes
    return sums["Rss:"] * 1024 / 1e6, sums["Pss:"] * 1024 / 1e6


def _rollup(pid: int) -> Iterator[tuple[str, int]]:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except (FileNotFoundError, ProcessLookupError):
        return
    for line in lines:
        key, number, *_ = line.split()
        yield key, int(number)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found
