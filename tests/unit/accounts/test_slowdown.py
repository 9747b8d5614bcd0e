"""Waiting grows with failures, ends by itself, and never takes more memory than its bound."""

import pytest

from youworker_app.accounts import slowdown
from youworker_app.accounts.errors import TooManyAttempts
from youworker_app.accounts.slowdown import Slowdown


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def fail(slow: Slowdown, name: str = "anna", address: str = "here") -> int:
    """One failed attempt; the seconds to wait if it was not let happen."""
    try:
        async with slow.attempt(name, address) as attempt:
            attempt.failed()
    except TooManyAttempts as error:
        return int(error.details["retry_after_s"] or 0)
    return 0


async def test_the_wait_grows_up_to_a_quarter_of_an_hour(clock: Clock) -> None:
    slow = Slowdown(clock)
    for _ in range(4):
        assert await fail(slow) == 0
    assert await fail(slow) == 0
    waits = []
    for _ in range(7):
        waits.append(wait := await fail(slow))
        assert await fail(slow) == wait
        clock.now += wait
        assert await fail(slow) == 0
    assert waits == [30, 60, 120, 240, 480, 900, 900]


async def test_waiting_counts_down(clock: Clock) -> None:
    slow = Slowdown(clock)
    for _ in range(5):
        await fail(slow)
    clock.now += 29.5
    assert await fail(slow) == 1
    clock.now += 0.5
    assert await fail(slow) == 0


async def test_old_failures_are_forgotten(clock: Clock) -> None:
    slow = Slowdown(clock)
    for _ in range(20):
        for _ in range(slowdown.FREE_FAILURES - 1):
            assert await fail(slow) == 0
        clock.now += slowdown.FORGET_AFTER_S


async def test_success_forgets(clock: Clock) -> None:
    slow = Slowdown(clock)
    for _ in range(20):
        for _ in range(slowdown.FREE_FAILURES - 1):
            assert await fail(slow) == 0
        async with slow.attempt("anna", "here") as attempt:
            attempt.succeeded()


async def test_pairs_do_not_disturb_each_other(clock: Clock) -> None:
    slow = Slowdown(clock)
    for _ in range(6):
        await fail(slow)
    assert await fail(slow) == 30
    assert await fail(slow, "bruno", "here") == 0
    assert await fail(slow, "anna", "there") == 0


async def test_memory_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slowdown, "_REMEMBERED", 10)
    slow = Slowdown(clock)
    for n in range(50):
        await fail(slow, f"name {n}")
    assert len(slow._pairs) == 10
