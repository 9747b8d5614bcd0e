"""Signing in at a provider: people who come by it, their role, their way out. What is refused: tests/hostile/test_provider.py."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.door import Door, refusal, service, who
from tests.house import PASSWORD
from tests.provider import CLIENT_ID, ISSUER, FakeProvider
from tests.trail import events_of
from youworker_app.accounts.repository import Entrance
from youworker_app.core.paging import PageRequest
from youworker_app.core.settings import Settings

ANNA = {"sub": "anna-1", "preferred_username": "anna", "email": "anna@example.test"}


async def actions(door: Door) -> list[tuple[str, str, Any]]:
    """(what, how it ended, at which provider), of everything that a provider stands in."""
    installation = door.web.house.installation
    await installation.audit.write_noted(installation.db)
    found = await events_of(installation.db)
    return [(e.action, e.outcome, e.details["provider"]) for e in found if "provider" in e.details]


async def leave(browser: httpx.AsyncClient) -> httpx.Response:
    """Signs out as the page's form does."""
    csrf = (await browser.get("/v1/auth/me")).json()["csrf_token"]
    return await browser.post("/auth/form/logout", data={"csrf": csrf})


async def test_somebody_new_comes_in_and_is_the_same_the_next_time(door: Door) -> None:
    browser, answer = await door.sign_in(ANNA)
    assert (refusal(answer), answer.headers["location"]) == ("", "/")
    first = await who(browser)
    assert first is not None
    assert (first["username"], first["is_root"], first["groups"]) == ("anna", False, [])
    renamed, _ = await door.sign_in({**ANNA, "preferred_username": "anna.bianchi"})
    second = await who(renamed)
    assert second is not None
    assert (second["id"], second["username"]) == (first["id"], "anna")
    doors = (await browser.get("/v1/account/doors")).json()
    assert doors["has_password"] is False
    assert [each["issuer"] for each in doors["identities"]] == [ISSUER]
    assert await actions(door) == [
        ("identity.linked", "ok", ISSUER),
        ("session.created", "ok", ISSUER),
        ("session.created", "ok", ISSUER),
    ]


async def test_who_has_a_password_is_told_so(door: Door) -> None:
    anna = await door.web.person("anna")
    told = (await anna.http.get("/v1/account/doors")).json()
    assert told == {"has_password": True, "identities": []}


async def test_a_name_that_somebody_has_is_left_to_them(door: Door) -> None:
    names = []
    for number in range(3):
        browser, _ = await door.sign_in({"sub": str(number), "preferred_username": "root"})
        names.append((await who(browser) or {})["username"])
    assert names == ["root-2", "root-3", "root-4"]


async def test_names_that_cannot_be_used_are_replaced(door: Door) -> None:
    told: list[dict[str, Any]] = [
        {"preferred_username": "", "name": "Anna Bianchi"},
        {"preferred_username": 7, "email": "bruno@example.test"},
        {"preferred_username": "\u202ecarla"},
        {"preferred_username": "d" * 5_000},
    ]
    names = []
    for number, claims in enumerate(told):
        browser, _ = await door.sign_in({"sub": str(number), **claims})
        names.append((await who(browser) or {})["username"])
    assert names == ["Anna Bianchi", "bruno@example.test", "person", "d" * 64]


async def test_userinfo_is_asked_where_the_token_tells_too_little(door: Door) -> None:
    door.provider.userinfo = {**ANNA, "groups": ["admins"]}
    door.open(root_value="admins")
    browser, _ = await door.sign_in({"sub": "anna-1"})
    seen = await who(browser)
    assert seen is not None
    assert (seen["username"], seen["is_root"]) == ("anna", True)


async def test_a_claim_makes_root_and_takes_it_away_at_the_next_sign_in(door: Door) -> None:
    door.open(root_claim="realm_access.roles", root_value="keepers")
    keeper = {**ANNA, "realm_access": {"roles": ["staff", "keepers"]}}
    seen = []
    for claims in (ANNA, keeper, keeper, {**ANNA, "realm_access": {"roles": ["keepers-not"]}}, ANNA):
        browser, _ = await door.sign_in(claims)
        seen.append((await who(browser) or {})["is_root"])
    assert seen == [False, True, True, False, False]
    changes = [action for action, _, _ in await actions(door) if action.startswith("user.")]
    assert changes == ["user.promoted", "user.demoted"]


async def test_the_last_administrator_stays_one(door: Door) -> None:
    door.open(root_value="admins")
    keeper, _ = await door.sign_in({**ANNA, "groups": ["admins"]})
    installation, root = door.web.house.installation, door.web.house.root
    assert root is not None
    await installation.people.set_active(await door.web.house.signed_in("root"), root.user_id, is_active=True)
    csrf = (await keeper.get("/v1/auth/me")).json()["csrf_token"]
    headers = {"x-csrf-token": csrf}
    answer = await keeper.patch(f"/v1/users/{root.user_id}", json={"is_active": False}, headers=headers)
    assert answer.status_code == 200
    browser, _ = await door.sign_in({**ANNA, "groups": []})
    assert (await who(browser) or {})["is_root"] is True
    await keeper.patch(f"/v1/users/{root.user_id}", json={"is_active": True}, headers=headers)
    browser, _ = await door.sign_in({**ANNA, "groups": []})
    assert (await who(browser) or {})["is_root"] is False


async def test_without_a_value_nobody_is_made_or_unmade_root(door: Door) -> None:
    house = door.web.house
    assert house.root is not None
    made = await house.installation.resets.issue_reset(house.root, house.root.user_id)
    browser, _ = await door.sign_in(ANNA, invite=made.token)
    seen = await who(browser)
    assert seen is not None
    assert (seen["username"], seen["is_root"]) == ("root", True)


async def test_signing_out_leads_to_the_provider(door: Door) -> None:
    browser, _ = await door.sign_in(ANNA)
    answer = await leave(browser)
    assert answer.status_code == 200
    [target] = re.findall(r'content="0; url=([^"]*)"', answer.text)
    parts = urlsplit(unescape(target))
    told = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{ISSUER}end-session/"
    assert told["post_logout_redirect_uri"] == "http://127.0.0.1:8000/login"
    assert told["client_id"] == CLIENT_ID
    assert len(told["id_token_hint"].split(".")) == 3
    assert await who(browser) is None


async def test_another_password_leaves_the_way_out_as_it_was(door: Door) -> None:
    house = door.web.house
    anna = await house.person("anna")
    assert house.root is not None
    made = await house.installation.resets.issue_reset(house.root, anna.user_id)
    browser, _ = await door.sign_in(ANNA, invite=made.token)
    csrf = (await browser.get("/v1/auth/me")).json()["csrf_token"]
    form = {"csrf": csrf, "present_password": PASSWORD, "new_password": "another long pass phrase"}
    answer = await browser.post("/auth/form/password", data=form)
    assert answer.headers["location"] == "/account?done=password"
    assert "end-session" in (await leave(browser)).text


async def test_signing_out_ends_here_whatever_the_provider_does(door: Door) -> None:
    discovery = ".well-known/openid-configuration"
    broken: list[FakeProvider] = [FakeProvider(metadata={"end_session_endpoint": None}), FakeProvider()]
    for provider in broken:
        door.open(provider)
        browser, _ = await door.sign_in(ANNA)
        if provider is broken[1]:
            door.open()  # knows nothing of the provider yet
            provider.answer[discovery] = lambda request: httpx.Response(503)
        cookie = browser.cookies["youworker_session"]
        answer = await leave(browser)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        thief = await door.web.client({"cookie": f"youworker_session={cookie}"})
        assert await who(thief) is None


async def test_who_came_with_a_password_does_not_leave_by_the_provider(door: Door) -> None:
    browser = await door.web.client()
    csrf = (await browser.get("/auth/form/token")).json()["csrf"]
    form = {"csrf": csrf, "username": "root", "password": PASSWORD}
    assert (await browser.post("/auth/form/login", data=form)).headers["location"] == "/"
    assert (await leave(browser)).headers["location"] == "/login"


async def test_the_providers_word_ends_one_session_or_all(door: Door) -> None:
    provider = await door.web.client()
    browsers = []
    for session in ("one", "two", "three"):
        door.provider.alter = lambda claims, session=session: {**claims, "sid": session}  # type: ignore[misc]
        browsers.append((await door.sign_in(ANNA))[0])
    door.provider.alter = lambda claims: claims
    other, _ = await door.sign_in({"sub": "bruno-1"})

    async def told(**claims: str) -> list[bool]:
        form = {"logout_token": door.provider.logout_token(**claims)}
        answer = await provider.post("/auth/oidc/sign-out", data=form)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        return [await who(browser) is not None for browser in (*browsers, other)]

    assert await told(sid="two") == [True, False, True, True]
    assert await told(sub="bruno-1", sid="one") == [True, False, True, True]
    assert await told(sub="anna-1") == [False, False, False, True]
    assert ("sessions.ended", "ok", ISSUER) in await actions(door)


async def test_refusals_are_in_the_trail_without_a_word_of_the_provider(door: Door) -> None:
    door.provider.alter = lambda claims: {**claims, "iss": "https://evil.example.test/"}
    await door.sign_in(ANNA)
    assert await actions(door) == [("session.refused", "refused", ISSUER)]


async def test_erasing_somebody_takes_their_identity(door: Door) -> None:
    browser, _ = await door.sign_in(ANNA)
    house, before = door.web.house, (await who(browser) or {})["id"]
    assert house.root is not None
    await house.installation.people.remove_user(house.root, before)
    again, _ = await door.sign_in(ANNA)
    after = await who(again)
    assert after is not None
    assert after["id"] != before
    page = await house.installation.people.list_users(house.root, PageRequest(50, None))
    told = [(user.username, user.has_password, user.has_identity) for user in page.items]
    assert told == [("root", True, False), ("anna", False, True)]


async def test_passwords_can_be_turned_off_but_not_on_the_servers_own_command_line(door: Door) -> None:
    door.open(local_sign_in=False)
    body = {"username": "root", "password": PASSWORD}
    browser = await door.web.client()
    refused = await browser.post("/v1/auth/login", json=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "LOCAL_SIGN_IN_OFF")
    csrf = (await browser.get("/auth/form/token")).json()["csrf"]
    answer = await browser.post("/auth/form/login", data={"csrf": csrf, **body})
    assert answer.headers["location"] == "/login?error=LOCAL_SIGN_IN_OFF"
    # The socket in the data folder has no address of its own.
    transport = httpx.ASGITransport(door.web.api, client=None)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://socket") as command:
        assert (await command.post("/v1/auth/login", json=body)).status_code == 200


async def test_before_there_is_an_administrator_nobody_comes_by_the_provider(door: Door) -> None:
    """The first one has the setup's token."""
    installation = door.web.house.installation
    async with installation.db.write() as unit:
        await Entrance(unit).forget_fact("root_user")
    answer = await (await door.web.client()).get("/v1/auth/oidc/login")
    assert answer.headers["location"] == "/login?error=SETUP_FIRST"
    assert service(Settings).oidc.issuer == ISSUER
