"""Who is refused is seen by the auditor: with which credential, from where, for what. Refusals without end fill no disk."""

from datetime import timedelta

import httpx
import pytest

from tests.clock import Clock, clock
from tests.house import House
from tests.states.conftest import SignIn, cookie_of, sign_in, tabs
from tests.states.tab import OpenTab
from tests.trail import events_of
from tests.web import Web
from youworker_app.accounts.ui.users_state import UsersState
from youworker_app.audit.schemas import TrailEvent
from youworker_app.audit.ui.state import AuditState
from youworker_app.core import registry
from youworker_app.core.rates import RateLimits
from youworker_app.core.refusals import MOST_KINDS
from youworker_app.core.settings import LimitSettings

__all__ = ["clock", "sign_in", "tabs"]

TOLD = {"code", "times", "carrier"}


async def refusals(house: House) -> list[TrailEvent]:
    """Every refusal that was told, those of the minute at work too."""
    audit = house.installation.audit
    audit.refusals.end_minute(at_once=True)
    await audit.write_noted(house.installation.db)
    found = [event for event in await events_of(house.installation.db) if event.action == "request.refused"]
    for event in found:
        assert (event.outcome, event.resource_type, set(event.details) - TOLD) == (
            "refused",
            "request",
            set(),
        )
    return found


async def test_a_made_up_key_is_told_by_its_address(web: Web) -> None:
    nobody = await web.client({"Authorization": "Bearer yw_made_up"})
    assert (await nobody.get("/v1/documents/abc?q=secret")).status_code == 401
    [event] = await refusals(web.house)
    assert (event.actor_id, event.credential_id, event.address) == (None, "", "127.0.0.1")
    assert event.resource_id == "GET /v1/documents/{document_id}"
    assert event.details == {"code": "UNAUTHENTICATED", "times": 1, "carrier": "key"}


async def test_a_key_that_has_run_out_is_told_with_its_person(web: Web, clock: Clock) -> None:
    anna = await web.person("anna")
    [key] = await web.house.installation.api_keys.list_keys(anna.actor)
    clock.go_on(timedelta(days=400))
    assert (await anna.http.get("/v1/documents")).status_code == 401
    [event] = await refusals(web.house)
    assert (event.actor_id, event.credential_id) == (anna.actor.user_id, key.id)


async def test_a_deleted_key_and_an_ended_session_are_told(web: Web) -> None:
    anna = await web.person("anna")
    [key] = await web.house.installation.api_keys.list_keys(anna.actor)
    await web.house.installation.api_keys.delete_key(anna.actor, key.id)
    browser = await web.client({"Cookie": await cookie_of(web.house, "anna")})
    assert (await browser.post("/auth/form/logout")).status_code == 303
    assert (await anna.http.get("/v1/documents")).status_code == 401
    stale = await web.client({"Cookie": "youworker_session=ended"})
    assert (await stale.get("/v1/documents")).status_code == 401
    told = [(event.details["carrier"], event.details["code"]) for event in await refusals(web.house)]
    assert sorted(told) == [
        ("cookie", "CSRF_MISMATCH"),
        ("cookie", "UNAUTHENTICATED"),
        ("key", "UNAUTHENTICATED"),
    ]


async def test_a_scope_and_a_role_that_lack_are_told_by_name(web: Web) -> None:
    anna = await web.person("anna", ["chat:read"])
    assert (await anna.http.get("/v1/documents")).status_code == 403
    full = await web.keyed(anna.actor)
    assert (await full.http.get("/v1/users")).status_code == 403
    told = [(event.actor_id, event.details["code"], event.resource_id) for event in await refusals(web.house)]
    who = anna.actor.user_id
    assert told == [(who, "SCOPE_MISSING", "GET /v1/documents"), (who, "ROOT_ONLY", "GET /v1/users")]


async def test_who_asks_too_often_is_told_in_sums(web: Web) -> None:
    anna = await web.person("anna")
    registry.provide(RateLimits, RateLimits(LimitSettings(read=1)))
    for _ in range(40):
        await anna.http.get("/v1/documents")
    told = [
        (event.actor_id, event.details["code"], event.details["times"]) for event in await refusals(web.house)
    ]
    assert told == [(anna.actor.user_id, "TOO_MANY_REQUESTS", times) for times in (1, 38)]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/setup", {"setup_token": "made-up", "username": "a", "password": "b" * 20}, "SETUP_TOKEN_WRONG"),
        ("/v1/auth/reset", {"token": "made-up", "password": "b" * 20}, "RESET_LINK_WRONG"),
    ],
)
async def test_a_made_up_link_is_told(web: Web, path: str, body: dict[str, str], code: str) -> None:
    nobody = await web.client()
    assert (await nobody.post(path, json=body)).status_code == 403
    [event] = await refusals(web.house)
    assert (event.resource_id, event.details) == (f"POST {path}", {"code": code, "times": 1})
    token = (await nobody.get("/auth/form/token")).json()["csrf"]
    form = await nobody.post(
        path.replace("/v1/auth", "/auth/form").replace("/v1", "/auth/form"), data={"csrf": token, **body}
    )
    assert f"error={code}" in form.headers["location"]
    assert [event.details["code"] for event in await refusals(web.house)] == [code] * 2


async def test_a_page_of_another_site_is_told(web: Web) -> None:
    nobody = await web.client({"Origin": "https://evil.example"})
    assert (await nobody.post("/v1/auth/login", json={})).status_code == 403
    [event] = await refusals(web.house)
    assert (event.details["code"], event.address) == ("FOREIGN_ORIGIN", "127.0.0.1")


async def test_refusals_in_a_page_are_told(house: House, sign_in: SignIn, tabs: OpenTab) -> None:
    await house.person("root")
    actor, tab = await sign_in("anna")
    for handler in (UsersState.refresh, AuditState.open):
        await tab.do(handler)
    stale = tabs("stale", cookie="youworker_session=ended")
    await stale.do(UsersState.refresh)
    told = await refusals(house)
    assert [(event.actor_id, event.details["code"], event.resource_id) for event in told[:2]] == [
        (actor.user_id, "ROOT_ONLY", "accounts.ui.users_state.UsersState.refresh"),
        (actor.user_id, "ROOT_ONLY", "audit.ui.state.AuditState.open"),
    ]
    assert told[2].actor_id is None
    assert {event.address for event in told} == {"127.0.0.1"}
    assert told[2].details["carrier"] == "cookie"


async def test_who_is_not_signed_in_was_refused_nothing(web: Web) -> None:
    nobody = await web.client()
    assert (await nobody.get("/v1/documents")).status_code == 401
    assert (await nobody.get("/v1/nowhere")).status_code == 404
    assert await refusals(web.house) == []


async def test_an_attacker_with_many_addresses_fills_no_disk(web: Web) -> None:
    """What is written a minute is bounded, whoever asks and whatever for."""
    registry.provide(RateLimits, RateLimits(LimitSettings(read=0, write=0)))
    for number in range(3 * MOST_KINDS):
        transport = httpx.ASGITransport(web.app, client=(f"10.0.{number // 250}.{number % 250 + 1}", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as nobody:
            nobody.headers["X-Api-Key"] = f"made-up-{number}"
            assert (await nobody.get("/v1/documents")).status_code == 401
    told = await refusals(web.house)
    assert len(told) == MOST_KINDS + 2
    assert sum(int(str(event.details["times"])) for event in told) == 3 * MOST_KINDS


async def test_a_person_who_is_erased_is_not_told_afterwards(web: Web) -> None:
    root, anna = await web.person("root"), await web.person("anna")
    for _ in range(3):
        assert (await anna.http.get("/v1/users")).status_code == 403
    await web.house.installation.people.remove_user(root.actor, anna.actor.user_id)
    assert [event.actor_id for event in await refusals(web.house)] == [None]
    report = await web.house.installation.trail.verifier.verify()
    assert report.is_intact
