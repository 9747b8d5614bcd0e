"""The small parts of core: errors, paging, events, registry, tokens, logs."""

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from youworker_app.core import registry
from youworker_app.core.errors import AppError, Malformed, NotFound, TooManyRequests
from youworker_app.core.events import QUEUE_LIMIT, Event, EventBus, user_topic
from youworker_app.core.ids import new_id, new_token, token_hash
from youworker_app.core.paging import PageRequest, cursor_for
from youworker_app.core.telemetry import _drop_sensitive


def test_an_error_tells_its_sentence_and_details() -> None:
    error = TooManyRequests(retry_after_s=5)
    assert (error.code, error.http_status) == ("TOO_MANY_REQUESTS", 429)
    assert error.message == str(error) == "Too many requests. Try again in 5 seconds."
    assert error.details == {"retry_after_s": 5}


def test_a_template_without_its_detail_still_makes_a_sentence() -> None:
    assert "?" in TooManyRequests().message


def every_error(kind: type[AppError] = AppError) -> list[type[AppError]]:
    return [kind, *(sub for each in kind.__subclasses__() for sub in every_error(each))]


def test_codes_are_constants_of_one_meaning() -> None:
    assert NotFound().code == "NOT_FOUND"
    assert NotFound().http_status == 404


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_comes_back_as_its_position(at: datetime, row_id: object) -> None:
    assert PageRequest(cursor=cursor_for(at, str(row_id))).position() == (at, str(row_id))


@given(st.text(max_size=60))
def test_a_foreign_cursor_is_malformed_and_nothing_worse(cursor: str) -> None:
    try:
        position = PageRequest(cursor=cursor).position()
    except Malformed:
        return
    assert position is not None


@pytest.mark.parametrize("limit", [0, -1, 201])
def test_a_page_has_1_to_200_items(limit: int) -> None:
    with pytest.raises(Malformed):
        PageRequest(limit)


async def test_events_reach_their_topic_and_a_slow_listener_loses_the_oldest() -> None:
    bus = EventBus()
    async with bus.subscribe(user_topic("anna")) as queue:
        bus.publish(user_topic("bruno"), Event("other"))
        for number in range(QUEUE_LIMIT + 3):
            bus.publish(user_topic("anna"), Event("changed", str(number)))
        assert queue.qsize() == QUEUE_LIMIT
        assert (await queue.get()).subject_id == "3"
    bus.publish(user_topic("anna"), Event("changed"))
    assert bus._queues == {}


async def test_a_listener_that_ends_badly_is_forgotten() -> None:
    bus = EventBus()

    async def listen() -> None:
        async with bus.subscribe("topic") as queue:
            await queue.get()

    task = asyncio.create_task(listen())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert bus._queues == {}


def test_the_registry_gives_what_was_provided_and_says_what_was_not() -> None:
    registry.provide(EventBus, bus := EventBus())
    assert registry.service(EventBus) is bus
    registry.clear()
    with pytest.raises(LookupError, match="EventBus is not wired"):
        registry.service(EventBus)


def test_ids_and_tokens_do_not_repeat_and_hashes_do() -> None:
    assert len({new_id() for _ in range(100)} | {new_token() for _ in range(100)}) == 200
    assert token_hash("a") == token_hash("a") != token_hash("b")
    assert len(token_hash("a")) == 64


def test_a_log_drops_what_could_hold_words_or_secrets() -> None:
    event = _drop_sensitive(
        None, "info", {"event": "x", "password": "p", "token": "t", "text": "w", "count": 1}
    )
    assert event == {
        "event": "x",
        "password": "[removed]",
        "token": "[removed]",
        "text": "[removed]",
        "count": 1,
    }
