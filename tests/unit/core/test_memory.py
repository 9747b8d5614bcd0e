"""Freed memory goes back to the system."""

import os
from pathlib import Path

import pytest

from youworker_app.core.memory import give_back_freed

_PIECES, _BYTES = 40_000, 1_000


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_what_was_freed_between_what_is_kept_is_given_back() -> None:
    pieces = [bytes(_BYTES) for _ in range(_PIECES)]
    kept = pieces[::100]
    del pieces
    before = resident()
    give_back_freed()
    assert before - resident() > _PIECES * _BYTES // 2
    assert len(kept) == _PIECES // 100
