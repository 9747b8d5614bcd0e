"""Giving back pages of an index's files that a process has touched and will hardly touch again.

The library maps its files into memory, and what was written once counts as the process's own from then on: the log alone
30 MB. The pages stay in the kernel's cache, where they can be had again in a microsecond, or be dropped.
"""

import ctypes
import os
from collections.abc import Callable, Iterator
from pathlib import Path

_MADV_DONTNEED = 4
_MAPS = Path("/proc/self/maps")


def give_back(folder: Path, is_needed: Callable[[str], bool]) -> None:
    """Takes the pages of all files under `folder` out of this process, but for those whose path `is_needed` accepts.

    Does nothing where the system does not say what is mapped.
    """
    libc = ctypes.CDLL(None)
    for start, end in _mapped(f"{folder}{os.sep}", is_needed):
        libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_DONTNEED)


def _mapped(prefix: str, is_needed: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    try:
        lines = _MAPS.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        # address, permissions, offset, device, inode, path
        fields = line.split(maxsplit=5)
        # Of a shared mapping nothing is lost; of a private one (`p`) all that was written to it would be.
        is_safe = len(fields) == 6 and fields[1].endswith("s")
        if is_safe and fields[5].startswith(prefix) and not is_needed(fields[5]):
            start, _, end = fields[0].partition("-")
            yield int(start, 16), int(end, 16)
