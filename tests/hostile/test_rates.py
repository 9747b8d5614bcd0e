"""Nobody asks without end: each route and each handler that costs something is refused when it was asked too often.

Whoever is behind the same address, and is somebody else, goes on.
"""

import asyncio
import inspect
import re
from typing import Final

import pytest

from tests.house import PASSWORD
from tests.isolation import entries
from tests.isolation.handler_table import CALLS
from tests.states.conftest import SignIn, sign_in, tabs
from tests.states.tab import OpenTab, Tab
from tests.web import Web
from youworker_app.api import costs as routes
from youworker_app.api.public import PUBLIC
from youworker_app.chat.ui.state import ChatState
from youworker_app.core import registry
from youworker_app.core.rates import Cost, RateLimits, person
from youworker_app.core.settings import LimitSettings
from youworker_app.ui import costs as handlers
from youworker_app.ui.errors import ToastState

__all__ = ["sign_in", "tabs"]

HOME: Final = "a:127.0.0.1"
ONE: Final = {cost.value: 1 for cost in Cost if cost is not Cost.FREE}
COSTLY_ROUTES: Final = {name: cost for name, cost in routes.COSTS.items() if cost is not Cost.FREE}
COSTLY_HANDLERS: Final = {name: cost for name, cost in handlers.COSTS.items() if cost is not Cost.FREE}


def one_each() -> RateLimits:
    """Limits of one a minute for everything."""
    limits = RateLimits(LimitSettings(**ONE))  # type: ignore[arg-type]
    registry.provide(RateLimits, limits)
    return limits


def address(name: str) -> tuple[str, str]:
    method, path = name.split(" ")
    return method, re.sub(r"\{\w+\}", "1", path)


async def test_every_route_that_costs_is_refused_when_it_is_asked_too_often(web: Web) -> None:
    anna, bruno = await web.person("anna"), await web.person("bruno")
    assert len(COSTLY_ROUTES) > 30
    for name, cost in COSTLY_ROUTES.items():
        limits, (method, path) = one_each(), address(name)
        by_address = cost is Cost.SIGN_IN or name in PUBLIC
        await limits.charge(cost, HOME if by_address else person(anna.actor.user_id))
        body = {"setup_token": "", "token": "", "username": "a", "password": "b"}
        is_form = path.startswith("/auth/form/")
        answer = await anna.http.request(
            method, path, **{"data" if path.startswith("/auth/") else "json": body}
        )
        if is_form:
            assert "error=TOO_MANY_REQUESTS" in answer.headers["location"], name
            continue
        assert answer.status_code == 429, (name, answer.text)
        error = answer.json()["error"]
        assert error["code"] == "TOO_MANY_REQUESTS"
        assert 1 <= int(answer.headers["retry-after"]) <= 61
        assert error["details"]["retry_after_s"] == int(answer.headers["retry-after"])
        if not by_address:
            # Behind the same address somebody else goes on.
            other = await bruno.http.request(method, path)
            assert other.status_code != 429, name


@pytest.mark.parametrize("name", [name for name, cost in routes.COSTS.items() if cost is Cost.FREE])
async def test_what_is_free_is_never_refused(web: Web, name: str) -> None:
    anna = await web.person("anna")
    one_each()
    method, path = address(name)
    for _ in range(3):
        assert (await anna.http.request(method, path)).status_code != 429


async def test_who_is_nobody_pays_by_address(web: Web) -> None:
    anna = await web.person("anna")
    nobody = await web.client({"Authorization": "Bearer made-up"})
    one_each()
    answers = [(await nobody.get("/v1/documents")).status_code for _ in range(3)]
    assert answers == [401, 429, 429]
    assert (await anna.http.get("/v1/documents")).status_code == 200


async def test_all_keys_of_a_person_are_one_person(web: Web) -> None:
    anna = await web.person("anna")
    again = await web.keyed(anna.actor)
    one_each()
    assert (await anna.http.get("/v1/documents")).status_code == 200
    assert (await again.http.head("/v1/documents")).status_code in {405, 429}
    assert (await again.http.get("/v1/documents")).status_code == 429


async def test_fifty_people_of_one_office_sign_in_and_ask_at_once(web: Web) -> None:
    """From one address, with the limits as they come: none of them is in another one's way."""
    names = [f"colleague {n}" for n in range(50)]
    for name in names:
        await web.house.person(name)

    async def day_begins(name: str) -> tuple[int, str, int]:
        browser = await web.client()
        signed = await browser.post("/v1/auth/login", json={"username": name, "password": PASSWORD})
        browser.headers["x-csrf-token"] = signed.json().get("csrf_token", "")
        me = await browser.get("/v1/auth/me")
        asked = await browser.post("/v1/chat", json={"message": "When is the boiler serviced?"})
        return signed.status_code, me.json().get("username", ""), asked.status_code

    assert await asyncio.gather(*map(day_begins, names)) == [(200, name, 200) for name in names]


# --- the browser


async def send(tab: Tab, name: str) -> None:
    state, short = entries.handlers()[name]
    handler, call = state.event_handlers[short], CALLS.get(name)
    given = {**call.payload, call.argument: "1"} if call else {}
    taken = inspect.signature(handler.fn).parameters
    await tab.do(handler, **{key: value for key, value in given.items() if key in taken})


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Too many requests. Try again in"), ("it", "Troppe richieste. Riprova tra")],
)
async def test_every_handler_that_costs_is_refused_with_a_toast(
    sign_in: SignIn, language: str, words: str
) -> None:
    actor, tab = await sign_in("anna", language=language)
    toasts = await tab.state(ToastState)
    for name, cost in COSTLY_HANDLERS.items():
        limits = one_each()
        await limits.charge(cost, person(actor.user_id))
        await limits.charge(cost, HOME)
        before = toasts._last_id
        await send(tab, name)
        toasts = await tab.state(ToastState)
        assert toasts._last_id == before + 1, name
        assert (toasts.toasts[-1].kind, toasts.toasts[-1].text.startswith(words)) == ("error", True), name


async def test_what_only_touches_the_tab_is_free(sign_in: SignIn) -> None:
    _, tab = await sign_in("anna")
    limits = one_each()
    for name in CALLS:
        if handlers.COSTS[name] is Cost.FREE:
            await send(tab, name)
    await tab.send("reflex___state____state.hydrate")
    assert len(limits._counters) == 0


async def test_pages_and_programs_of_a_person_pay_together(sign_in: SignIn) -> None:
    actor, tab = await sign_in("anna")
    limits = one_each()
    await send(tab, "documents.ui.state.DocumentsState.refresh")
    assert (await tab.state(ToastState)).toasts == []
    with pytest.raises(Exception, match="Too many requests"):
        await limits.charge(Cost.READ, person(actor.user_id))


async def test_a_question_that_was_refused_is_not_lost(sign_in: SignIn) -> None:
    actor, tab = await sign_in("anna")
    await one_each().charge(Cost.CHAT, person(actor.user_id))
    await tab.do(ChatState.ask, question="What does the rule say?")
    state = await tab.state(ChatState)
    assert (state.draft.text, state.recent) == ("What does the rule say?", [])


async def test_an_entrance_page_pays_by_address(tabs: OpenTab, web: Web) -> None:
    one_each()
    tab = tabs("stranger", path="/login")
    for _ in range(2):
        await send(tab, "accounts.ui.state.EntranceState.open_login")
    assert len((await tab.state(ToastState)).toasts) == 1
