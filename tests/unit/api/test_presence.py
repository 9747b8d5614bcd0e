"""A request that ends with who asks: 401 where nothing was said yet, else it breaks off; and the warning of a key."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from youworker_app.access.actor import Actor
from youworker_app.api.presence import EXPIRY_HEADER, Presence, entered
from youworker_app.core.clock import now
from youworker_app.core.endings import Endings
from youworker_app.core.registry import provide

ANNA = Actor("anna", "anna", credential_id="k1")


@pytest.fixture
def endings() -> Endings:
    """Those that requests ask."""
    found = Endings()
    provide(Endings, found)
    return found


class Told(list[Message]):
    """What went to the client."""

    async def send(self, message: Message) -> None:
        self.append(message)

    def head(self) -> tuple[int, dict[str, str]]:
        headers = {name.decode().lower(): value.decode() for name, value in self[0]["headers"]}
        return self[0]["status"], headers


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def run(app: Any, actor: Actor) -> tuple[Told, asyncio.Task[None]]:
    """A request of this actor that the application is working on."""

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        entered(scope, actor)
        await app(scope, receive, send)

    told = Told()
    task = asyncio.create_task(Presence(inner)({"type": "http"}, never, told.send))
    for _ in range(3):
        await asyncio.sleep(0)
    return told, task


async def silent(_scope: Scope, _receive: Receive, _send: Send) -> None:
    await asyncio.Event().wait()


async def streaming(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"a", "more_body": True})
    await asyncio.Event().wait()


@pytest.mark.parametrize("name", ["anna", "k1"])
async def test_a_request_that_has_not_answered_is_told_who_it_is_now(endings: Endings, name: str) -> None:
    told, task = await run(silent, ANNA)
    assert told == []
    endings.end(name)
    await asyncio.wait_for(task, 5)
    status, headers = told.head()
    assert (status, headers["www-authenticate"]) == (401, "Bearer")
    assert b"UNAUTHENTICATED" in told[1]["body"]


async def test_an_answer_that_has_begun_breaks_off(endings: Endings) -> None:
    told, task = await run(streaming, ANNA)
    endings.end("somebody else", "k2")
    await asyncio.sleep(0)
    assert not task.done()
    endings.end("k1")
    await asyncio.wait_for(task, 5)
    assert [each.get("body") for each in told] == [None, b"a", b""]
    assert not told[-1]["more_body"]


async def test_who_went_before_the_request_was_held_goes_all_the_same(endings: Endings) -> None:
    endings.end("k1")
    told, task = await run(silent, ANNA)  # asked who is there at second 0, which is before
    await asyncio.wait_for(task, 5)
    assert told.head()[0] == 401


async def test_a_timeout_of_the_applications_own_is_no_ending(endings: Endings) -> None:
    async def failing(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise TimeoutError

    _, task = await run(failing, ANNA)
    with pytest.raises(TimeoutError):
        await task


@pytest.mark.parametrize(("days", "is_warned"), [(None, False), (7.01, False), (6.99, True), (0.01, True)])
async def test_a_key_in_its_last_week_is_warned(
    endings: Endings, days: float | None, is_warned: bool
) -> None:
    ends = None if days is None else now() + timedelta(days=days)
    told, task = await run(streaming, Actor("anna", "anna", credential_id="k1", key_expires_at=ends))
    endings.end("k1")
    await task
    warning = told.head()[1].get(EXPIRY_HEADER.lower())
    assert warning == (ends.isoformat(timespec="seconds") if ends and is_warned else None)
