"""Refusals are counted by the minute, in a bounded way."""

import asyncio

import pytest

from youworker_app.core.asking import Asking, asking
from youworker_app.core.errors import AppError, Forbidden, NotFound, TooManyRequests, Unauthenticated
from youworker_app.core.refusals import MOST_KINDS, Refusal, Refusals, refused
from youworker_app.core.registry import provide
from youworker_app.core.telemetry import client_address


class Told:
    """Refusals and what was told of them; `seconds` is its clock."""

    def __init__(self) -> None:
        self.told: list[tuple[Refusal, int]] = []
        self.seconds = 0.0
        self.refusals = Refusals(lambda kind, times: self.told.append((kind, times)), lambda: self.seconds)


@pytest.fixture
def told() -> Told:
    made = Told()
    provide(Refusals, made.refusals)
    return made


async def test_the_first_is_told_at_once_and_the_rest_as_a_number(told: Told) -> None:
    kind, other = Refusal("FORBIDDEN", address="10.0.0.1"), Refusal("FORBIDDEN", address="10.0.0.2")
    for _ in range(1_000):
        told.refusals.add(kind)
    told.refusals.add(other)
    assert told.told == [(kind, 1), (other, 1)]
    told.seconds = 60
    told.refusals.end_minute()
    assert told.told[2:] == [(kind, 999)]
    told.refusals.add(kind)
    assert told.told[3:] == [(kind, 1)]


async def test_a_minute_ends_by_itself(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("youworker_app.core.refusals.MINUTE_S", 0.0)
    kind = Refusal("FORBIDDEN")
    told.refusals._began = told.seconds = 1.0
    told.refusals.add(kind)
    told.refusals._again[kind] = 7
    await asyncio.sleep(0.01)
    assert told.told == [(kind, 1), (kind, 7)]


async def test_kinds_without_end_take_no_room(told: Told) -> None:
    for number in range(10 * MOST_KINDS):
        told.refusals.add(Refusal("FORBIDDEN", address=f"10.0.{number // 256}.{number % 256}"))
    told.refusals.end_minute(at_once=True)
    assert len(told.told) == MOST_KINDS + 2
    assert told.told[-1] == (Refusal("FORBIDDEN"), 9 * MOST_KINDS - 1)


async def test_who_is_erased_is_told_no_more(told: Told) -> None:
    for _ in range(3):
        told.refusals.add(Refusal("FORBIDDEN", user_id="anna"))
    told.refusals.forget("anna")
    told.refusals.end_minute(at_once=True)
    assert [times for _, times in told.told] == [1]


def error_of(kind: type[AppError], who: Asking) -> AppError:
    token, address = asking.set(who), client_address.set("10.0.0.1")
    try:
        return kind()
    finally:
        asking.reset(token)
        client_address.reset(address)


@pytest.mark.parametrize(
    ("kind", "who", "is_told"),
    [
        (Unauthenticated, Asking("key"), True),
        (Unauthenticated, Asking(), False),
        (Forbidden, Asking(), True),
        (TooManyRequests, Asking("cookie", "anna", "s1", "a.b"), True),
        (NotFound, Asking("cookie", "anna", "s1"), False),
    ],
)
async def test_what_is_a_refusal(told: Told, kind: type[AppError], who: Asking, is_told: bool) -> None:
    refused(error_of(kind, who))
    whole = Refusal(kind.code, who.carrier, who.user_id, who.credential_id, "10.0.0.1", who.place)
    assert told.told == ([(whole, 1)] if is_told else [])
