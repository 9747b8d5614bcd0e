"""The real server, killed while people work: at every boundary between two steps, and at any moment by seed.

`YOUWORKER_CRASH_SEED=… pytest tests/crash -m "long or not long"` repeats what a failure has named.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.crash.fate import live_and_die
from tests.crash.harness import Life, living
from tests.crash.inside import check_embedded_once, check_inside
from tests.crash.outside import check_outside
from tests.crash.scenes import SCENES, go_on_from_half_an_answer, play
from tests.databases import postgres_cluster

pytestmark = pytest.mark.timeout(600)

_QUICK = 4  # kills of a seed in `make test`; the boundaries come on top
_LONG = 30  # kills of a seed in `make test-long`
_BETWEEN_CHECKS = 6


def seeds(*usual: str) -> Sequence[str]:
    """The usual seeds, or the one that was asked for."""
    return [asked] if (asked := os.environ.get("YOUWORKER_CRASH_SEED")) else usual


async def check(life: Life) -> None:
    """A calm start; then everything holds, from outside and from inside. The server has stopped afterwards."""
    await check_outside(life)
    await check_embedded_once(life)
    await life.stop()
    await check_inside(life)


async def survive(life: Life, kills: int) -> None:
    """Kills by seed, with checks in between. What fails names the seed."""
    assert await life.start()
    await life.found()
    life.models.embed_pause_s, life.models.piece_pause_s = 0.03, 0.02
    try:
        for number in range(1, kills + 1):
            await live_and_die(life)
            if number % _BETWEEN_CHECKS == 0 or number == kills:
                await check(life)
                assert number == kills or await life.start()
    except BaseException as error:
        error.add_note(f"YOUWORKER_CRASH_SEED='{life.seed}' repeats this")
        raise


# Every second one in `make test`, some of each scene; all of them take more than a minute.
@pytest.mark.parametrize(
    "points", [list(SCENES)[::2], pytest.param(list(SCENES), marks=pytest.mark.long)], ids=["half", "all"]
)
async def test_a_death_at_every_boundary(tmp_path: Path, points: list[str]) -> None:
    async with living(tmp_path, "boundaries") as life:
        life.arm("index noted, not made")
        assert not await life.start()
        assert life.disarm()
        assert await life.start()
        await life.found()
        life.models.piece_pause_s = 0.02
        for point in points:
            await play(life, point)
            assert await life.start(), life.product.log[-3_000:]
            if point == "answer half said":
                await go_on_from_half_an_answer(life)
        await check(life)


@pytest.mark.parametrize("seed", seeds("morning"))
async def test_deaths_at_any_moment(tmp_path: Path, seed: str) -> None:
    async with living(tmp_path, seed) as life:
        await survive(life, _QUICK)


@pytest.mark.long
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("seed", seeds(*(f"day {number}" for number in range(8))))
async def test_hundreds_of_deaths(tmp_path: Path, seed: str) -> None:
    async with living(tmp_path, seed) as life:
        await survive(life, _LONG)


@pytest.mark.long
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("seed", seeds("post 0", "post 1"))
async def test_deaths_over_postgresql(tmp_path: Path, seed: str) -> None:
    with postgres_cluster() as cluster:
        async with living(tmp_path, seed, database_url=cluster.url) as life:
            await survive(life, _QUICK * 3)
