"""Authentik's forward-auth headers count from configured proxies alone: from anywhere else they are as if not sent."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.door import Door, refusal, who
from tests.web import BASE
from youworker_app.access.actor import Actor, Scope
from youworker_app.api.middleware import OuterPolicy, harden
from youworker_app.core.addresses import Networks
from youworker_app.core.paging import PageRequest
from youworker_app.core.settings import ForwardAuthSettings

PROXY, STRANGER = "10.0.0.5", "203.0.113.9"
KEY = "k-3f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c"
OTHER_KEY = "k-00000000000000000000000000000000"
ANNA = {
    "X-authentik-uid": "a" * 64,
    "X-authentik-username": "anna",
    "X-authentik-email": "anna@example.test",
    "X-authentik-name": "Anna",
    "X-authentik-groups": "staff|keepers",
}
WITH_KEY = {**ANNA, "X-authentik-youworker-key": KEY}
BRUNO = {"X-authentik-uid": "b" * 64, "X-authentik-username": "bruno"}


def client(
    door: Door, peer: str | None, headers: Mapping[str, str] | list[tuple[str, str]]
) -> httpx.AsyncClient:
    """Somebody whose connection comes from `peer`."""
    app = harden(door.web.api, OuterPolicy(trusted_proxies=Networks([PROXY])))
    address: Any = None if peer is None else (peer, 50_000)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=address)
    return httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers)


async def enter(browser: httpx.AsyncClient, **asked: str) -> httpx.Response:
    answer = await browser.get("/v1/auth/forwarded", params=asked)
    assert answer.status_code == 303
    assert answer.headers["cache-control"] == "no-store"
    return answer


async def names(door: Door) -> set[str]:
    house = door.web.house
    assert isinstance(house.root, Actor)
    page = await house.installation.people.list_users(house.root, PageRequest(200, None))
    return {user.username for user in page.items}


@pytest.mark.parametrize(
    ("peer", "proxies", "more"),
    [
        (STRANGER, [PROXY], {}),
        ("127.0.0.1", [PROXY], {}),
        (STRANGER, [PROXY], {"X-Forwarded-For": PROXY}),
        # Behind the proxy that is trusted for addresses, and not for people.
        (PROXY, ["10.0.0.6"], {}),
        (PROXY, ["10.0.0.6"], {"X-Forwarded-For": "10.0.0.6"}),
        (PROXY, [], {}),
        ("::ffff:203.0.113.9", [PROXY], {}),
        (None, [PROXY], {}),
    ],
)
async def test_headers_of_anybody_else_are_as_if_not_sent(
    door: Door, peer: str | None, proxies: list[str], more: dict[str, str]
) -> None:
    door.trust(*proxies)
    stranger = client(door, peer, {**WITH_KEY, **more})
    if peer is not None:
        assert refusal(await enter(stranger)) == "NOBODY_FORWARDED"
    assert (await stranger.get("/v1/documents")).status_code == 401
    assert await names(door) == {"root"}
    # With a credential of their own they are who that says.
    bruno = await door.web.person("bruno")
    stranger.headers["authorization"] = f"Bearer {bruno.key}"
    assert (await stranger.get("/v1/auth/me")).json()["username"] == "bruno"


async def test_a_proxy_lets_its_person_in_wherever_they_are(door: Door) -> None:
    door.trust(PROXY)
    browser = client(door, PROXY, {**ANNA, "X-Forwarded-For": STRANGER})
    assert (await enter(browser, next="/documents")).headers["location"] == "/documents"
    first = await who(browser)
    assert first is not None
    assert (first["username"], first["is_root"]) == ("anna", False)
    again = client(door, f"::ffff:{PROXY}", {**ANNA, "X-authentik-username": "anna.bianchi"})
    await enter(again)
    assert (await who(again) or {})["id"] == first["id"]
    # Headers alone are no session: other sites can make a browser send them.
    assert (await client(door, PROXY, ANNA).get("/v1/auth/me")).status_code == 401


async def test_nobody_becomes_a_colleague_by_their_name(door: Door) -> None:
    door.trust(PROXY)
    browser = client(door, PROXY, {**ANNA, "X-authentik-username": "root"})
    await enter(browser)
    seen = await who(browser)
    assert seen is not None
    assert (seen["username"], seen["is_root"]) == ("root-2", False)


async def test_headers_that_come_twice_or_are_no_uid_are_nobodys(door: Door) -> None:
    door.trust(PROXY)
    twice = [*ANNA.items(), ("X-authentik-uid", "b" * 64)]
    for headers in (
        twice,
        {**ANNA, "X-authentik-uid": ""},
        {**ANNA, "X-authentik-uid": "a" * 256},
        {**ANNA, "X-authentik-uid": "a\x7fb"},
        {**ANNA, "X-authentik-groups": "x|" * 3_000},
        {name: value for name, value in ANNA.items() if not name.endswith("uid")},
    ):
        assert refusal(await enter(client(door, PROXY, headers))) == "NOBODY_FORWARDED"
    assert await names(door) == {"root"}


async def test_a_sign_in_leads_to_no_other_site(door: Door) -> None:
    door.trust(PROXY)
    for target in ("https://evil.example.test", "//evil.example.test", "/\\evil"):
        assert (await enter(client(door, PROXY, ANNA), next=target)).headers["location"] == "/"


async def test_suspended_and_unwanted_people_stay_out(door: Door) -> None:
    door.trust(PROXY, creates_people=False)
    assert refusal(await enter(client(door, PROXY, WITH_KEY))) == "PERSON_NOT_INVITED"
    assert (await client(door, PROXY, WITH_KEY).get("/v1/documents")).status_code == 403
    door.trust(PROXY)
    browser, script = client(door, PROXY, ANNA), client(door, PROXY, WITH_KEY)
    await enter(browser)
    assert (await script.get("/v1/documents")).status_code == 200
    house, user_id = door.web.house, (await who(browser) or {})["id"]
    assert house.root is not None
    await house.installation.people.set_active(house.root, user_id, is_active=False)
    assert refusal(await enter(client(door, PROXY, ANNA))) == "ACCOUNT_SUSPENDED"
    assert (await script.get("/v1/documents")).status_code == 401
    changed = client(door, PROXY, {**WITH_KEY, "X-authentik-youworker-key": OTHER_KEY})
    assert (await changed.get("/v1/documents")).status_code == 403


async def test_a_group_makes_root_and_takes_it_away(door: Door) -> None:
    door.trust(PROXY, root_group="keepers")
    seen = []
    for groups in ("staff", "staff|keepers", "keepers-not|staff"):
        browser = client(door, PROXY, {**ANNA, "X-authentik-groups": groups})
        await enter(browser)
        seen.append((await who(browser) or {})["is_root"])
    assert seen == [False, True, False]


# --- the stable key


async def keys_of(door: Door, headers: Mapping[str, str] = ANNA) -> list[dict[str, Any]]:
    """As their person sees them, signed in without a key beside."""
    browser = client(door, PROXY, headers)
    await enter(browser)
    found: list[dict[str, Any]] = (await browser.get("/v1/account/api-keys")).json()["items"]
    return found


async def test_a_key_works_from_anywhere_once_the_proxy_told_it(door: Door) -> None:
    door.trust(PROXY)
    outside = client(door, STRANGER, {"authorization": f"Bearer {KEY}"})
    assert (await outside.get("/v1/documents")).status_code == 401
    through = client(door, PROXY, WITH_KEY)
    assert (await through.get("/v1/documents")).status_code == 200
    seen = await outside.get("/v1/auth/me")
    assert (seen.status_code, seen.json()["username"]) == (200, "anna")
    assert "x-api-key-expiry-warning" not in seen.headers
    # A key that never ends administers nothing unless a setting says so.
    assert (await outside.get("/v1/account/api-keys")).status_code == 403


def test_each_scope_can_be_named_for_such_a_key() -> None:
    known = [scope.value for scope in Scope]
    assert ForwardAuthSettings(key_scopes=tuple(known)).key_scopes == tuple(known)


async def test_the_kept_hash_follows_what_authentik_says(door: Door) -> None:
    door.trust(PROXY)
    old, new = (client(door, STRANGER, {"x-api-key": key}) for key in (KEY, OTHER_KEY))
    await client(door, PROXY, WITH_KEY).get("/v1/documents")
    assert (await old.get("/v1/documents")).status_code == 200
    changed = {**WITH_KEY, "X-authentik-youworker-key": OTHER_KEY}
    assert (await client(door, PROXY, changed).get("/v1/documents")).status_code == 200
    assert [(await each.get("/v1/documents")).status_code for each in (old, new)] == [401, 200]
    [kept] = await keys_of(door, changed)
    assert (kept["origin"], kept["expires_at"], kept["prefix"]) == ("authentik", None, OTHER_KEY[:6])
    # Taken away there, it ends here with the next sign-in.
    assert await keys_of(door) == []
    assert (await new.get("/v1/documents")).status_code == 401


async def test_such_a_key_is_changed_in_authentik_alone(door: Door) -> None:
    door.trust(PROXY)
    [kept] = await keys_of(door, WITH_KEY)
    browser = client(door, PROXY, WITH_KEY)
    await enter(browser)
    browser.headers["x-csrf-token"] = (await browser.get("/v1/auth/me")).json()["csrf_token"]
    for method, path in (("POST", f"{kept['id']}/rotate"), ("DELETE", kept["id"])):
        answer = await browser.request(method, f"/v1/account/api-keys/{path}")
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (409, "KEY_FROM_ELSEWHERE")
        assert "Authentik" in error["message"]


async def test_somebody_elses_key_opens_nothing(door: Door) -> None:
    door.trust(PROXY)
    await client(door, PROXY, WITH_KEY).get("/v1/documents")
    bruno = {**BRUNO, "X-authentik-youworker-key": KEY}
    assert (await client(door, PROXY, bruno).get("/v1/documents")).status_code == 401
    assert refusal(await enter(client(door, PROXY, bruno))) == ""
    assert (await client(door, STRANGER, {"x-api-key": KEY}).get("/v1/auth/me")).json()["username"] == "anna"
    own = await door.web.person("carla")
    theirs = {**BRUNO, "X-authentik-youworker-key": own.key}
    assert (await client(door, PROXY, theirs).get("/v1/documents")).status_code == 401


@pytest.mark.parametrize("key", ["short", "a b" * 20, "x" * 257, "é" * 40])
async def test_a_key_that_can_be_guessed_is_none(door: Door, key: str) -> None:
    door.trust(PROXY)
    told = {**ANNA, "X-authentik-youworker-key": key}
    headers = [(name.encode(), value.encode()) for name, value in told.items()]
    answer = await client(door, PROXY, headers).get("/v1/documents")  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "FORWARDED_KEY_UNUSABLE")
    # Who signs in by the browser is not held up by it.
    browser = client(door, PROXY, headers)  # type: ignore[arg-type]
    assert refusal(await enter(browser)) == ""
    assert (await browser.get("/v1/account/api-keys")).json()["items"] == []


async def test_another_site_cannot_write_by_a_key_that_the_proxy_adds(door: Door) -> None:
    """The proxy adds the header to whatever a browser sends, also to what a foreign page makes it send."""
    door.trust(PROXY)
    script = client(door, PROXY, WITH_KEY)
    assert (await script.post("/v1/groups", json={"name": "by a program"})).status_code == 201
    for marks in ({"sec-fetch-site": "cross-site"}, {"sec-fetch-mode": "navigate"}, {"origin": BASE}):
        answer = await script.post("/v1/groups", json={"name": "by a page"}, headers=marks)
        assert answer.status_code == 401


async def test_signing_out_leads_through_the_proxy(door: Door) -> None:
    door.trust(PROXY)
    browser = client(door, PROXY, ANNA)
    await enter(browser)
    csrf = (await browser.get("/v1/auth/me")).json()["csrf_token"]
    answer = await browser.post("/auth/form/logout", data={"csrf": csrf})
    assert "url=/outpost.goauthentik.io/sign_out" in answer.text
    assert await who(browser) is None
