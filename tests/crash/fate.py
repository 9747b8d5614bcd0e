"""How a server dies, drawn by seed: at any moment, at a named one, one process alone, or several times in a row."""

from tests.crash.harness import Life
from tests.crash.points import POINTS

_STARTING = ("bytes about to be swept", "swept, not compared", "compared, not delivered", "after a commit")
_LONGEST_S = 2.5  # of work between a start and its kill


async def live_and_die(life: Life) -> None:
    """People work on the running server until it dies in one of the ways; then it is started again."""
    await life.rng.choices(
        (_any_moment, _named_moment, _one_process, _again_and_again), weights=(45, 35, 10, 10)
    )[0](life)
    assert await life.start()


async def _any_moment(life: Life) -> None:
    await life.work_until_killed(life.rng.uniform(0.0, _LONGEST_S))


async def _named_moment(life: Life) -> None:
    """Where nobody comes past it in time, it is any moment again."""
    life.arm(life.rng.choice(sorted(POINTS)), life.rng.randrange(12))
    await life.work_until_killed(_LONGEST_S)
    life.disarm()


async def _one_process(life: Life) -> None:
    """The other one must not go on alone: it would keep the port and the data folder."""
    alone = life.rng.choice(("worker", "supervisor"))
    await life.work_until_killed(
        life.rng.uniform(0.0, _LONGEST_S), worker=alone == "worker", supervisor=alone == "supervisor"
    )


async def _again_and_again(life: Life) -> None:
    """Three deaths with nothing but the beginnings of a recovery between them."""
    await _any_moment(life)
    await life.start_and_kill(life.rng.uniform(0.2, 3.0))
    life.arm(life.rng.choice(_STARTING))
    if await life.start():
        await life.kill()
    life.disarm()
