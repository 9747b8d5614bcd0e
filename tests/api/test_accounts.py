"""Accounts over HTTP: carriers, cookies, forms, and what is answered when something is wrong."""

import asyncio
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.api.rest import ADDRESS, NAME, Rest, error_of
from tests.people import PASSWORD
from youworker_app.accounts.redirects import local_path
from youworker_app.core.registry import provide
from youworker_app.core.settings import ServerSettings, Settings

BODY = {"name": "x", "scopes": ["admin"], "username": "x", "password": "x"}
LOGIN = {"username": NAME, "password": PASSWORD}


def cookies_of(answer: httpx.Response) -> dict[str, SimpleCookie]:
    """The cookies that an answer sets, by name."""
    parsed = [SimpleCookie(line) for line in answer.headers.get_list("set-cookie")]
    return {name: each for each in parsed for name in each}


# --- setup and sign-in


async def test_setup_signs_the_browser_in(rest: Rest) -> None:
    client, token = rest.client(), await rest.accounts.issue_setup_token()
    body = {"setup_token": token, "username": "Anna", "password": PASSWORD}
    answer = await client.post("/v1/setup", json=body)
    assert answer.status_code == 201
    assert answer.json()["user"]["is_root"] is True
    assert answer.json().keys() == {"user", "csrf_token"}
    assert PASSWORD not in answer.text
    me = (await client.get("/v1/auth/me")).json()
    assert (me["username"], me["is_root"], me["groups"]) == ("Anna", True, [])
    assert me["csrf_token"] == answer.json()["csrf_token"]
    assert error_of(await client.post("/v1/setup", json=body)) == (409, "ALREADY_SET_UP")


async def test_ten_browsers_make_one_root(rest: Rest) -> None:
    token = await rest.accounts.issue_setup_token()
    bodies = [{"setup_token": token, "username": f"person {n}", "password": PASSWORD} for n in range(10)]
    answers = await asyncio.gather(*(rest.client().post("/v1/setup", json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9


async def test_the_cookie_is_closed(rest: Rest) -> None:
    await rest.browser()
    answer = await rest.client().post("/v1/auth/login", json=LOGIN)
    morsel = cookies_of(answer)["youworker_session"]["youworker_session"]
    assert morsel["httponly"]
    assert morsel["samesite"] == "lax"
    assert morsel["path"] == "/"
    assert int(morsel["max-age"]) > 29 * 24 * 3_600
    assert not morsel["secure"]
    assert morsel.value not in answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_the_cookie_is_secure_behind_https(rest: Rest) -> None:
    await rest.browser()
    answer = await rest.client().post(ADDRESS.replace("http:", "https:") + "/v1/auth/login", json=LOGIN)
    assert cookies_of(answer)["youworker_session"]["youworker_session"]["secure"]
    settings = Settings()
    settings.server = ServerSettings(public_origins=("https://127.0.0.1:8000",))
    provide(Settings, settings)
    answer = await rest.client().post("/v1/auth/login", json=LOGIN)
    assert cookies_of(answer)["youworker_session"]["youworker_session"]["secure"]


async def test_a_failed_sign_in_says_nothing(rest: Rest) -> None:
    await rest.browser()
    texts = set()
    for name, password in ((NAME, "wrong password"), ("nobody", PASSWORD), ("", "")):
        answer = await rest.client().post("/v1/auth/login", json={"username": name, "password": password})
        assert error_of(answer) == (401, "SIGN_IN_FAILED")
        texts.add(answer.json()["error"]["message"])
        assert "set-cookie" not in answer.headers
    assert len(texts) == 1


async def test_guessing_is_told_to_wait(rest: Rest) -> None:
    await rest.browser()
    for _ in range(5):
        await rest.client().post("/v1/auth/login", json=LOGIN | {"password": "wrong"})
    answer = await rest.client().post("/v1/auth/login", json=LOGIN)
    assert error_of(answer) == (429, "TOO_MANY_ATTEMPTS")
    assert int(answer.headers["retry-after"]) == answer.json()["error"]["details"]["retry_after_s"] == 30


async def test_signing_out(rest: Rest) -> None:
    browser = await rest.browser()
    secret = browser.cookies["youworker_session"]
    answer = await browser.post("/v1/auth/logout")
    assert answer.status_code == 204
    assert "youworker_session" not in browser.cookies
    again = rest.client(cookie=f"youworker_session={secret}")
    assert error_of(await again.get("/v1/auth/me")) == (401, "UNAUTHENTICATED")


# --- carriers


async def test_every_carrier_is_the_same_person(rest: Rest) -> None:
    browser = await rest.browser()
    script = await rest.script(browser, "chat:read")
    key = script.headers["authorization"].removeprefix("Bearer ")
    for headers in ({"authorization": f"bearer  {key}"}, {"x-api-key": key}):
        me = (await rest.client(**headers).get("/v1/auth/me")).json()
        assert (me["username"], me["is_root"], me["csrf_token"]) == (NAME, True, None)
    with_proxy = {"authorization": "Basic cHJveHk6cHJveHk="}
    assert (await browser.get("/v1/auth/me", headers=with_proxy)).json()["username"] == NAME


async def test_two_carriers_are_refused(rest: Rest) -> None:
    browser = await rest.browser()
    key = (await rest.script(browser, "chat:read")).headers["authorization"].removeprefix("Bearer ")
    both = {"authorization": f"Bearer {key}", "x-api-key": key}
    assert error_of(await rest.client(**both).get("/v1/auth/me")) == (400, "MALFORMED")
    for headers in ({"x-api-key": key}, {"authorization": f"Bearer {key}"}):
        assert error_of(await browser.get("/v1/auth/me", headers=headers)) == (400, "MALFORMED")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer x"},
        {"x-api-key": ""},
        {"cookie": "youworker_session=x"},
    ],
)
async def test_nobody_is_401(rest: Rest, headers: dict[str, str]) -> None:
    answer = await rest.client(**headers).get("/v1/auth/me")
    assert error_of(answer) == (401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("token", [None, "", "x", "é"])
async def test_a_write_by_cookie_needs_its_token(rest: Rest, token: str | None) -> None:
    browser = await rest.browser()
    del browser.headers["x-csrf-token"]
    headers = {} if token is None else {"x-csrf-token": token.encode()}
    for method, path in (
        ("PATCH", "/v1/account"),
        ("POST", "/v1/account/api-keys"),
        ("DELETE", "/v1/account/api-keys/x"),
        ("POST", "/v1/groups"),
        ("POST", "/v1/auth/logout"),
        ("POST", "/v1/users"),
    ):
        body = (
            None
            if method == "DELETE" or "logout" in path
            else {"name": "x", "scopes": ["admin"], "username": "x", "password": "x"}
        )
        answer = await browser.request(method, path, json=body, headers=headers)
        assert error_of(answer) == (403, "CSRF_MISMATCH"), path
    assert (await browser.get("/v1/auth/me")).status_code == 200


async def test_another_sessions_token_does_not_help(rest: Rest) -> None:
    browser, other = await rest.browser(), await rest.browser()
    headers = {"x-csrf-token": other.headers["x-csrf-token"]}
    assert error_of(await browser.patch("/v1/account", json={}, headers=headers)) == (403, "CSRF_MISMATCH")


async def test_a_key_needs_no_csrf_token(rest: Rest) -> None:
    script = await rest.script(await rest.browser(), "groups:write")
    assert (await script.post("/v1/groups", json={"name": "Sales"})).status_code == 201


# --- account, keys, users


async def test_preferences(rest: Rest) -> None:
    browser = await rest.browser()
    assert (await browser.patch("/v1/account", json={"language": "it", "theme": "dark"})).status_code == 200
    account = (await browser.get("/v1/account")).json()
    assert (account["language"], account["theme"]) == ("it", "dark")
    assert error_of(await browser.patch("/v1/account", json={"theme": "pink"})) == (422, "PREFERENCE_UNKNOWN")


async def test_keys(rest: Rest) -> None:
    browser = await rest.browser()
    answer = await browser.post(
        "/v1/account/api-keys", json={"name": "mine", "scopes": ["chat:read"], "expires_in_days": 7}
    )
    assert answer.status_code == 201
    made = answer.json()
    assert made.keys() >= {"id", "key", "prefix", "scopes", "expires_at"}
    listed = (await browser.get("/v1/account/api-keys")).json()
    assert listed["next_cursor"] is None
    [item] = listed["items"]
    assert item["prefix"] == made["prefix"]
    assert made["key"] not in str(listed)
    stranger = await rest.colleague("bruno")
    assert error_of(await stranger.delete(f"/v1/account/api-keys/{made['id']}")) == (404, "NOT_FOUND")
    assert (await browser.delete(f"/v1/account/api-keys/{made['id']}")).status_code == 204
    assert error_of(await browser.delete(f"/v1/account/api-keys/{made['id']}")) == (404, "NOT_FOUND")


async def test_a_missing_scope_is_told_before_anything_is_looked_up(rest: Rest) -> None:
    script = await rest.script(await rest.browser(), "chat:read")
    for method, path in (
        ("GET", "/v1/groups/none"),
        ("DELETE", "/v1/account/api-keys/none"),
        ("GET", "/v1/users"),
    ):
        assert error_of(await script.request(method, path)) == (403, "SCOPE_MISSING")


async def test_people(rest: Rest) -> None:
    root = await rest.browser()
    anna = await rest.colleague("anna")
    assert error_of(await anna.get("/v1/users")) == (403, "ROOT_ONLY")
    assert error_of(await anna.post("/v1/users", json={"username": "x", "password": PASSWORD})) == (
        403,
        "ROOT_ONLY",
    )
    again = await root.post("/v1/users", json={"username": "ANNA", "password": PASSWORD})
    assert error_of(again) == (409, "USERNAME_TAKEN")
    first = (await root.get("/v1/users", params={"limit": 1})).json()
    rest_of = (await root.get("/v1/users", params={"cursor": first["next_cursor"]})).json()
    assert [user["username"] for user in first["items"] + rest_of["items"]] == [NAME, "anna"]
    assert [key for key in first["items"][0] if "password" in key] == ["has_password"]
    assert "argon2" not in str(first)


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"limit": 0}, 422),
        ({"limit": 201}, 422),
        ({"limit": "x"}, 422),
        ({"cursor": "x"}, 400),
        ({"cursor": "é"}, 400),
    ],
)
async def test_pages_that_make_no_sense(rest: Rest, params: dict[str, str], status: int) -> None:
    root = await rest.browser()
    assert error_of(await root.get("/v1/users", params=params))[0] == status


# --- the browser's forms


@pytest.fixture
async def form(rest: Rest) -> httpx.AsyncClient:
    """A browser that has asked for the sign-in form; its token is in `params`."""
    client = rest.client()
    answer = await client.get("/auth/form/token")
    assert answer.headers["cache-control"] == "no-store"
    assert cookies_of(answer)["youworker_presession"]["youworker_presession"]["httponly"]
    client.headers["x-form"] = answer.json()["csrf"]
    return client


async def submit(client: httpx.AsyncClient, what: str, **fields: str) -> tuple[str, dict[str, list[str]]]:
    """Posts a form; (path, query) of where it leads."""
    csrf = {"csrf": client.headers["x-form"]} if "csrf" not in fields else {}
    answer = await client.post(f"/auth/form/{what}", data=csrf | fields)
    assert answer.status_code == 303
    target = urlsplit(answer.headers["location"])
    assert (target.scheme, target.netloc) == ("", "")
    return target.path, parse_qs(target.query)


async def test_setup_by_form(rest: Rest, form: httpx.AsyncClient) -> None:
    token = await rest.accounts.issue_setup_token() or ""
    bad = await submit(form, "setup", setup_token=token, username="anna", password="short")
    assert bad == ("/setup", {"error": ["PASSWORD_TOO_SHORT"], "min_length": ["10"], "token": [token]})
    assert await submit(form, "setup", setup_token=token, username="anna", password=PASSWORD) == ("/", {})
    assert (await form.get("/v1/auth/me")).json()["is_root"] is True


async def test_sign_in_and_out_by_form(rest: Rest, form: httpx.AsyncClient) -> None:
    await rest.browser()
    assert await submit(form, "login", **LOGIN, next="/c/1?a=b") == ("/c/1", {"a": ["b"]})
    csrf = (await form.get("/v1/auth/me")).json()["csrf_token"]
    assert await submit(form, "logout", csrf="forged") == ("/login", {"error": ["CSRF_MISMATCH"]})
    assert (await form.get("/v1/auth/me")).status_code == 200
    assert await submit(form, "logout", csrf=csrf) == ("/login", {})
    assert (await form.get("/v1/auth/me")).status_code == 401
    assert await submit(form, "logout", csrf=csrf) == ("/login", {})


async def test_a_failed_form_leads_back_without_what_was_typed(rest: Rest, form: httpx.AsyncClient) -> None:
    await rest.browser()
    path, query = await submit(
        form, "login", username="anna rossi", password="my wrong secret", next="/documents"
    )
    assert (path, query) == ("/login", {"error": ["SIGN_IN_FAILED"], "next": ["/documents"]})


async def test_a_waiting_form_says_for_how_long(rest: Rest, form: httpx.AsyncClient) -> None:
    await rest.browser()
    for _ in range(5):
        await submit(form, "login", username=NAME, password="wrong")
    assert await submit(form, "login", **LOGIN) == (
        "/login",
        {"error": ["TOO_MANY_ATTEMPTS"], "retry_after_s": ["30"]},
    )


@pytest.mark.parametrize("what", ["login", "setup"])
async def test_a_form_from_elsewhere_is_refused(rest: Rest, form: httpx.AsyncClient, what: str) -> None:
    token = await rest.accounts.issue_setup_token() or ""
    if what == "login":
        await rest.browser()
    for csrf in ("", "forged"):
        _, query = await submit(form, what, csrf=csrf, setup_token=token, **LOGIN)
        assert query["error"] == ["CSRF_MISMATCH"]
    stranger = rest.client()
    stranger.headers["x-form"] = form.headers["x-form"]
    assert (await submit(stranger, what, setup_token=token, **LOGIN))[1]["error"] == ["CSRF_MISMATCH"]
    assert (await form.get("/v1/auth/me")).status_code == 401


async def test_a_second_tab_does_not_break_the_first(rest: Rest, form: httpx.AsyncClient) -> None:
    await rest.browser()
    assert (await form.get("/auth/form/token")).json()["csrf"] == form.headers["x-form"]
    assert await submit(form, "login", **LOGIN) == ("/", {})


@pytest.mark.parametrize(
    "wanted",
    ["", "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "javascript:x",
     "/\n/evil", "evil", "///evil.example", "/é", "/" + "a" * 1_000],
)  # fmt: skip
def test_no_form_leads_elsewhere(wanted: str) -> None:
    assert local_path(wanted) == "/"


@pytest.mark.parametrize("wanted", ["/", "/documents", "/c/1?q=a%20b#x"])
def test_paths_of_ours_are_kept(wanted: str) -> None:
    assert local_path(wanted) == wanted


async def test_forms_take_forms_only(rest: Rest, form: httpx.AsyncClient) -> None:
    answer = await form.post("/auth/form/login", json=LOGIN)
    assert error_of(answer) == (415, "UNSUPPORTED_TYPE")
    answer = await form.post("/auth/form/login", data={"csrf": "x" * 70_000})
    assert error_of(answer) == (413, "BODY_TOO_LARGE")
    answer = await form.post("/auth/form/login", data={f"f{n}": "x" for n in range(11)})
    assert error_of(answer)[0] == 400
