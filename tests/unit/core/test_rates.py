"""Rates: what fits in a minute, how long to wait for the next, who shares with whom, and how much is remembered."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from youworker_app.core.errors import TooManyRequests
from youworker_app.core.rate_counters import Counters
from youworker_app.core.rates import Cost, RateLimits, due, person, stranger
from youworker_app.core.settings import LimitSettings
from youworker_app.core.telemetry import client_address


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self, at: float = 1_000.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


async def refused(limits: RateLimits, who: str = "u:1", cost: Cost = Cost.CHAT) -> int:
    """0 where it is let through, else the seconds to wait."""
    try:
        await limits.charge(cost, who)
    except TooManyRequests as error:
        seconds = error.details["retry_after_s"]
        assert isinstance(seconds, int)
        return seconds
    return 0


async def test_so_many_fit_and_no_more() -> None:
    limits = RateLimits(LimitSettings(chat=3), Clock())
    assert [await refused(limits) > 0 for _ in range(5)] == [False, False, False, True, True]


async def test_each_person_each_cost_and_each_address_counts_alone() -> None:
    limits = RateLimits(LimitSettings(chat=1, search=1), Clock())
    assert not await refused(limits, "u:1")
    assert await refused(limits, "u:1")
    assert not await refused(limits, "u:2")
    assert not await refused(limits, "a:1")
    assert not await refused(limits, "u:1", Cost.SEARCH)


async def test_what_is_free_or_has_no_limit_is_not_counted() -> None:
    limits = RateLimits(LimitSettings(chat=0), Clock())
    for _ in range(100):
        assert not await refused(limits)
        assert not await refused(limits, cost=Cost.FREE)
    assert len(limits._counters) == 0


@given(
    most=st.integers(1, 20),
    steps=st.lists(st.floats(0, 90), min_size=1, max_size=80),
    begin=st.floats(0, 10_000),
)
@example(most=1, steps=[0.0, 0.0, 1.0], begin=0.0)  # a rest of 58 s that comes out as 57.999…
async def test_who_waits_as_told_is_let_through_and_nobody_gets_more(
    most: int, steps: list[float], begin: float
) -> None:
    clock = Clock(begin)
    limits = RateLimits(LimitSettings(chat=most), clock)
    taken: list[float] = []
    for step in steps:
        clock.at += step
        wait = await refused(limits)
        assert wait <= 61
        if wait:
            clock.at += wait
            assert not await refused(limits)
        taken.append(clock.at)
        # Two windows that touch hold twice as many in the worst case, and never more.
        assert sum(clock.at - 60 < moment for moment in taken) <= 2 * most


async def test_a_clock_far_ahead_forgets() -> None:
    clock = Clock()
    limits = RateLimits(LimitSettings(chat=1), clock)
    await limits.charge(Cost.CHAT, "u:1")
    clock.at += 121
    assert not await refused(limits)


# --- who pays


@pytest.mark.parametrize(
    ("address", "who"),
    [
        ("10.0.0.1", "a:10.0.0.1"),
        ("::ffff:10.0.0.1", "a:10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "a:2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "a:2001:db8:1:2::/64"),
        ("", "a:"),
    ],
)
def test_a_stranger_is_an_address_and_a_house_is_one(address: str, who: str) -> None:
    token = client_address.set(address)
    try:
        assert stranger() == who
    finally:
        client_address.reset(token)
    assert person("x") == "u:x"


async def test_an_event_is_paid_for_once() -> None:
    limits = RateLimits(LimitSettings(chat=1), Clock())
    token = due.set(Cost.CHAT)
    try:
        await limits.charge_due("u:1")
        await limits.charge_due("u:1")
        due.set(Cost.CHAT)
        with pytest.raises(TooManyRequests):
            await limits.charge_due("u:1")
    finally:
        due.reset(token)


# --- memory


def hit(counters: Counters, key: str, limit: int = 1) -> bool:
    return counters.acquire_sliding_window_entry(key, limit, 60)


def test_addresses_without_end_take_no_memory_without_end() -> None:
    counters = Counters(Clock(), most_strangers=10)
    assert not hit(counters, "read/a:first") or not hit(counters, "read/a:first")
    passed = sum(hit(counters, f"read/a:{number}") for number in range(1_000))
    assert len(counters) <= 11
    assert passed <= 10  # the ninth, and one for all who come after
    assert not hit(counters, "read/a:first")  # and what was counted is not forgotten
    assert hit(counters, "read/u:1")  # nor do they stand in a person's way


def test_what_is_over_goes() -> None:
    clock = Clock(0)
    counters = Counters(clock)
    for minute in range(5):
        clock.at = 60.0 * minute
        for number in range(100):
            hit(counters, f"read/u:{number}", 1_000)
        assert len(counters) <= 200
    clock.at += 180
    assert hit(counters, "read/u:1")
    assert len(counters) == 1


def test_the_library_finds_what_it_asks_for() -> None:
    counters = Counters(Clock())
    counters.incr("read/u:1", 60)
    assert counters.get("read/u:1") == 1
    assert counters.check()
    assert counters.get_expiry("read/u:1") > 0
    counters.clear_sliding_window("read/u:1", 60)
    assert counters.get("read/u:1") == 0
    counters.incr("read/a:1", 60)
    counters.clear("read/a:1")
    assert (counters.get("read/a:1"), counters.reset()) == (0, 0)


# --- settings


@pytest.mark.parametrize("url", ["redis://", "localhost:6379", "http://redis", "redis:///0"])
def test_what_is_no_redis_stops_the_start(url: str) -> None:
    with pytest.raises(ValidationError):
        LimitSettings(redis_url=url)


def test_every_cost_has_its_setting() -> None:
    assert {*LimitSettings.model_fields} == {cost.value for cost in Cost if cost is not Cost.FREE} | {
        "redis_url"
    }
