"""Attacks on signing in and on sessions, each over the whole application as an attacker meets it. Keys: test_credentials.py."""

import asyncio
import json
import re

import httpx
import pytest

from tests.house import PASSWORD, House
from tests.states.conftest import SignIn, cookie_of, sign_in, tabs
from tests.states.tab import OpenTab
from tests.web import Person, Web
from youworker_app.access.credentials import Carrier, Credential
from youworker_app.accounts.schemas import ChangeUser, Client, CreateUser
from youworker_app.accounts.ui.users_state import UsersState
from youworker_app.api.cookies import DEVICE_COOKIE, SESSION_COOKIE
from youworker_app.api.inventory import entries
from youworker_app.core import registry
from youworker_app.core.errors import Unauthenticated
from youworker_app.core.rates import RateLimits
from youworker_app.core.settings import LimitSettings
from youworker_app.documents.ui.state import DocumentsState

__all__ = ["sign_in", "tabs"]

UNLIMITED = LimitSettings(sign_in=0, keys=0, read=0, write=0, upload=0, chat=0, search=0)


@pytest.fixture
def unlimited(web: Web) -> Web:
    """What stops an attack here is not that it comes too often."""
    registry.provide(RateLimits, RateLimits(UNLIMITED))
    return web


async def test_fifty_first_sign_ins_at_once_make_one_root(unlimited: Web) -> None:
    body = {"setup_token": unlimited.house.setup_token, "password": PASSWORD}
    client = await unlimited.client()
    tries = [client.post("/v1/setup", json={**body, "username": f"root {n}"}) for n in range(50)]
    answers = await asyncio.gather(*tries)
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(201), set(statuses) - {201}) == (1, {409})
    [winner] = [answer for answer in answers if answer.status_code == 201]
    me = await unlimited.client({"Cookie": f"{SESSION_COOKIE}={winner.cookies[SESSION_COOKIE]}"})
    users = (await me.get("/v1/users")).json()["items"]
    assert [(user["username"], user["is_root"]) for user in users] == [
        (winner.json()["user"]["username"], True)
    ]
    late = await client.post("/v1/setup", json={**body, "username": "late"})
    assert late.json()["error"]["code"] == "ALREADY_SET_UP"


async def test_a_failed_sign_in_tells_neither_by_words_nor_by_work_who_exists(
    unlimited: Web, counting: list[str]
) -> None:
    root = await unlimited.person("root")
    people = unlimited.house.installation.people
    await unlimited.person("anna")
    suspended = await unlimited.person("bruno")
    await people.set_active(root.actor, suspended.actor.user_id, is_active=False)
    await people.create_user(root.actor, CreateUser("carla", None))  # who has no password yet
    client = await unlimited.client()
    seen = []
    for name in ("anna", "bruno", "carla", "nobody"):
        counting.clear()
        password = PASSWORD if name == "bruno" else "not the password"
        answer = await client.post("/v1/auth/login", json={"username": name, "password": password})
        error = answer.json()["error"] | {"correlation_id": ""}
        headers = {k: v for k, v in answer.headers.items() if k != "x-correlation-id"}
        seen.append(
            (
                answer.status_code,
                error,
                headers,
                len(counting),
                counting[0].rpartition("$")[0].rsplit("$", 1)[0],
            )
        )
    assert all(each == seen[0] for each in seen)
    assert seen[0][0] == 401
    assert seen[0][3] == 1


async def test_a_session_that_was_planted_is_not_the_one_after_signing_in(unlimited: Web) -> None:
    """Fixation: neither a made-up cookie nor the attacker's own session becomes the victim's."""
    await unlimited.person("anna")
    await unlimited.person("mallory")
    own = (await cookie_of(unlimited.house, "mallory")).rpartition("=")[2]
    for planted in ("planted", own):
        victim = await unlimited.client()
        victim.cookies.set(SESSION_COOKIE, planted)
        answer = await victim.post("/v1/auth/login", json={"username": "anna", "password": PASSWORD})
        given = answer.cookies[SESSION_COOKIE]
        assert given != planted
        attacker = await unlimited.client({"Cookie": f"{SESSION_COOKIE}={planted}"})
        who = (await attacker.get("/v1/auth/me")).json()
        assert who.get("username") != "anna"
        fresh = await unlimited.client({"Cookie": f"{SESSION_COOKIE}={given}"})
        assert (await fresh.get("/v1/auth/me")).json()["username"] == "anna"


async def test_a_cookie_is_worth_nothing_after_signing_out(unlimited: Web, tabs: OpenTab) -> None:
    """Replay: over REST, in a form, and on a page's websocket that was open meanwhile."""
    await unlimited.person("anna")
    browser = await unlimited.client()
    answer = await browser.post("/v1/auth/login", json={"username": "anna", "password": PASSWORD})
    cookie, csrf = answer.cookies[SESSION_COOKIE], answer.json()["csrf_token"]
    tab = tabs("open", cookie=f"{SESSION_COOKIE}={cookie}")
    await tab.do(DocumentsState.refresh)
    assert tab.failures == []
    assert (await browser.post("/v1/auth/logout", headers={"X-CSRF-Token": csrf})).status_code == 204
    thief = await unlimited.client({"Cookie": f"{SESSION_COOKIE}={cookie}", "X-CSRF-Token": csrf})
    for method, path in (("GET", "/v1/auth/me"), ("POST", "/v1/groups"), ("DELETE", "/v1/account/sessions")):
        assert (await thief.request(method, path)).status_code == 401
    form = {"csrf": csrf, "present_password": PASSWORD, "new_password": "another long one"}
    assert (await thief.post("/auth/form/password", data=form)).headers["location"] == "/login"
    await tab.do(DocumentsState.refresh)
    assert [type(each) for each in tab.failures] == [Unauthenticated]


async def test_a_role_that_is_taken_away_is_gone_on_a_socket_that_is_open(
    house: House, sign_in: SignIn
) -> None:
    root = await house.person("root")
    anna, tab = await sign_in("anna")
    people = house.installation.people
    await people.change_user(root, anna.user_id, ChangeUser(is_root=True))
    await tab.do(UsersState.refresh)
    assert tab.failures == []
    await people.change_user(root, anna.user_id, ChangeUser(is_root=False))
    await tab.do(UsersState.choose, user_id=root.user_id, action="demote")
    await tab.do(UsersState.create, form={"newcomer": "accomplice", "is_root": "on"})
    assert [type(each).__name__ for each in tab.failures] == ["RootOnly"] * 2
    assert (await house.signed_in("root")).is_root


async def test_every_write_by_cookie_needs_a_token(unlimited: Web) -> None:
    """CSRF: whatever writes, asked with a person's cookie and without the token, or with another session's."""
    await unlimited.person("root")
    signed = await unlimited.house.installation.accounts.sign_in("root", PASSWORD, Client())
    other = await unlimited.house.installation.accounts.sign_in("root", PASSWORD, Client())
    found = [each for each in entries(unlimited.api.routes) if each.is_guarded and each.method != "GET"]
    writes = [(each.method, re.sub(r"\{\w+\}", "1", each.path)) for each in found]
    assert len(writes) > 20
    for token in ("", "made-up", other.csrf_token):
        headers = {"Cookie": f"{SESSION_COOKIE}={signed.token}", "X-CSRF-Token": token}
        client = await unlimited.client(headers)
        for method, path in writes:
            answer = await client.request(method, path)
            assert answer.json()["error"]["code"] == "CSRF_MISMATCH", (method, path, answer.text)
    for path in ("/auth/form/logout", "/auth/form/password"):
        sent = await client.post(path, data={"csrf": other.csrf_token})
        assert "error=CSRF_MISMATCH" in sent.headers["location"], path
    still = await unlimited.house.installation.accounts.authenticate(Credential(Carrier.COOKIE, signed.token))
    assert still.is_root


@pytest.mark.parametrize("form", ["login", "setup", "reset"])
async def test_a_form_before_there_is_a_session_needs_its_own_browsers_token(
    unlimited: Web, form: str
) -> None:
    """Login CSRF: the token of the attacker's own browser does not fit the victim's cookie."""
    if form != "setup":
        await unlimited.person("root")
    victim, attacker = await unlimited.client(), await unlimited.client()
    await victim.get("/auth/form/token")
    stolen = (await attacker.get("/auth/form/token")).json()["csrf"]
    fields = {
        "username": "root",
        "password": PASSWORD,
        "setup_token": unlimited.house.setup_token or "",
        "token": "x",
    }
    for csrf in ("", stolen):
        answer = await victim.post(f"/auth/form/{form}", data={**fields, "csrf": csrf})
        assert "error=CSRF_MISMATCH" in answer.headers["location"]
    assert SESSION_COOKIE not in victim.cookies
    assert (await unlimited.house.installation.accounts.needs_setup()) == (form == "setup")


ELSEWHERE = (
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "/\r\nSet-Cookie: a=b",
    "/\n/evil",
    "javascript:x",
)


async def test_signing_in_leads_to_no_other_site_and_writes_no_header(unlimited: Web) -> None:
    """Open redirect and header injection through `next`."""
    await unlimited.person("anna")
    for wanted in ELSEWHERE:
        browser = await unlimited.client()
        token = (await browser.get("/auth/form/token")).json()["csrf"]
        fields = {"username": "anna", "password": PASSWORD, "csrf": token, "next": wanted}
        failed = await browser.post("/auth/form/login", data={**fields, "password": ""})
        assert failed.headers["location"] == "/login?error=SIGN_IN_FAILED", wanted
        answer = await browser.post("/auth/form/login", data=fields)
        assert (answer.status_code, answer.headers["location"]) == (303, "/"), wanted
        assert set(answer.cookies) == {SESSION_COOKIE, DEVICE_COOKIE}, wanted
        await unlimited.house.signed_in("anna")  # whose failures are forgotten


@pytest.mark.parametrize(
    "name", ['a"; x="\r\nSet-Cookie: stolen=1\r\n\r\n<script>.txt', "a\x00\x0b\x85\u2028b.txt"]
)
async def test_a_files_name_writes_no_header(unlimited: Web, name: str) -> None:
    anna = await unlimited.person("anna")
    item = await unlimited.house.upload(anna.actor, b"words", name)
    document = (await anna.http.get(f"/v1/documents/{item.document_id}")).json()
    answer = await anna.http.get(f"/v1/files/{document['file_id']}/download")
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert answer.headers["content-disposition"].isprintable()
    assert answer.headers["content-disposition"].startswith("attachment")


async def test_a_correlation_id_writes_no_header(unlimited: Web) -> None:
    anna: Person = await unlimited.person("anna")
    for given in ("a\tb", "x" * 65, "é" * 10, '"; drop'):
        answer: httpx.Response = await anna.http.get(
            "/v1/documents", headers={"X-Correlation-ID": given.encode()}
        )
        told = answer.headers["x-correlation-id"]
        assert told != given
        assert told.isalnum()
    assert json.loads(answer.text)["items"] == []
