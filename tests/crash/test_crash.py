"""The real server, killed while people work: at every boundary between two steps, and at any moment by seed.

`YOUWORKER_CRASH_SEED=… pytest tests/crash` repeats what a failure has named.
"""

import os
from pathlib import Path

import pytest

from tests.crash.harness import Life, living
from tests.crash.inside import check_embedded_once, check_inside
from tests.crash.outside import check_outside
from tests.crash.scenes import SCENES, play

pytestmark = [pytest.mark.xdist_group("products"), pytest.mark.timeout(300)]


async def check(life: Life) -> None:
    """A calm start; then everything holds, from outside and from inside."""
    assert await life.start()
    await check_outside(life)
    await check_embedded_once(life)
    await life.stop()
    await check_inside(life)


@pytest.mark.parametrize("seed", [os.environ.get("YOUWORKER_CRASH_SEED", "a morning")])
async def test_random(tmp_path: Path, seed: str) -> None:
    async with living(tmp_path, seed) as life:
        await life.start()
        await life.found()
        life.models.embed_pause_s, life.models.piece_pause_s = 0.03, 0.02
        for _ in range(5):
            await life.work_until_killed(life.rng.uniform(0.2, 2.0))
            assert await life.start()
        await life.kill()
        await check(life)


async def test_every_boundary(tmp_path: Path) -> None:
    """One life with a death at each named point; a death during recovery after every few of them."""
    async with living(tmp_path, "boundaries") as life:
        await life.start()
        await life.found()
        for point in SCENES:
            await play(life, point)
            assert await life.start()
        await life.kill()
        await check(life)
