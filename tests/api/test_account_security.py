"""One's own password and devices over HTTP."""

from tests.api.rest import NAME, Rest, error_of
from tests.people import PASSWORD

SAFE = "another long password"


async def test_devices_over_http(rest: Rest) -> None:
    anna = await rest.colleague("anna")
    there = await rest.browser("anna")
    listed = (await anna.get("/v1/account/sessions")).json()
    assert listed["next_cursor"] is None
    mine, other = listed["items"]
    assert (mine["is_current"], other["is_current"]) == (True, False)
    assert mine.keys() == {
        "id",
        "browser",
        "system",
        "address",
        "created_at",
        "last_seen_at",
        "expires_at",
        "is_current",
    }
    assert (mine["browser"], mine["address"]) == ("python-httpx", "127.0.0.1")
    path = f"/v1/account/sessions/{other['id']}"
    root = await rest.browser()
    assert error_of(await root.delete(path)) == (404, "NOT_FOUND")
    answer = await anna.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert error_of(await there.get("/v1/auth/me")) == (401, "UNAUTHENTICATED")
    assert error_of(await anna.delete(path)) == (404, "NOT_FOUND")


async def test_signing_out_everywhere_else(rest: Rest) -> None:
    anna = await rest.colleague("anna")
    others = [await rest.browser("anna") for _ in range(2)]
    assert (await anna.delete("/v1/account/sessions")).status_code == 204
    assert [(await each.get("/v1/auth/me")).status_code for each in others] == [401, 401]
    assert (await anna.get("/v1/auth/me")).status_code == 200


async def test_a_password_is_changed(rest: Rest) -> None:
    anna = await rest.colleague("anna")
    other = await rest.browser("anna")
    body = {"present_password": PASSWORD, "new_password": SAFE}
    wrong = {**body, "present_password": "nonsense"}
    assert error_of(await anna.post("/v1/account/password", json=wrong)) == (403, "PRESENT_PASSWORD_WRONG")
    weak = {**body, "new_password": "short"}
    assert error_of(await anna.post("/v1/account/password", json=weak)) == (422, "PASSWORD_TOO_SHORT")
    assert error_of(await anna.post("/v1/account/password", json={}))[0] == 422
    before = dict(anna.cookies)
    changed = await anna.post("/v1/account/password", json=body)
    assert changed.status_code == 200
    # The session goes on under another id: the old cookie opens nothing, the old token is another session's.
    assert anna.cookies["youworker_session"] != before["youworker_session"]
    thief = rest.client(cookie=f"youworker_session={before['youworker_session']}")
    assert error_of(await thief.get("/v1/auth/me"))[0] == 401
    assert (await anna.get("/v1/auth/me")).json()["csrf_token"] == changed.json()["csrf_token"]
    assert error_of(await anna.patch("/v1/account", json={})) == (403, "CSRF_MISMATCH")
    anna.headers["x-csrf-token"] = changed.json()["csrf_token"]
    assert (await anna.patch("/v1/account", json={})).status_code == 200
    assert error_of(await other.get("/v1/auth/me")) == (401, "UNAUTHENTICATED")
    login = {"username": "anna", "password": SAFE}
    assert (await rest.client().post("/v1/auth/login", json=login)).status_code == 200


async def test_a_foreign_page_changes_nothing(rest: Rest) -> None:
    root = await rest.browser(NAME)
    del root.headers["x-csrf-token"]
    body = {"present_password": PASSWORD, "new_password": SAFE}
    assert error_of(await root.post("/v1/account/password", json=body)) == (403, "CSRF_MISMATCH")
    assert error_of(await root.delete("/v1/account/sessions")) == (403, "CSRF_MISMATCH")


async def test_guessing_has_to_wait(rest: Rest) -> None:
    anna = await rest.colleague("anna")
    wrong = {"present_password": "nonsense", "new_password": SAFE}
    for _ in range(5):
        assert error_of(await anna.post("/v1/account/password", json=wrong))[0] == 403
    answer = await anna.post("/v1/account/password", json=wrong)
    assert error_of(answer) == (429, "TOO_MANY_ATTEMPTS")
    assert int(answer.headers["retry-after"]) > 0


async def test_the_browsers_form(rest: Rest) -> None:
    anna = await rest.colleague("anna")
    csrf = anna.headers.pop("x-csrf-token")
    for fields, location in (
        ({"present_password": PASSWORD, "new_password": SAFE}, "/account?error=CSRF_MISMATCH"),
        (
            {"present_password": "x", "new_password": SAFE, "csrf": csrf},
            "/account?error=PRESENT_PASSWORD_WRONG",
        ),
        ({"present_password": PASSWORD, "new_password": SAFE, "csrf": csrf}, "/account?done=password"),
    ):
        answer = await anna.post("/auth/form/password", data=fields)
        assert (answer.status_code, answer.headers["location"]) == (303, location)
    answer = await rest.client().post("/auth/form/password", data={"csrf": csrf})
    assert answer.headers["location"] == "/login"


async def test_a_browser_is_known_again(rest: Rest) -> None:
    await rest.colleague("anna")
    visitor, login = rest.client(), {"username": "anna", "password": PASSWORD}
    answer = await visitor.post("/v1/auth/login", json=login)
    [cookie] = [each for each in answer.headers.get_list("set-cookie") if "youworker_device=" in each]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    mark = visitor.cookies["youworker_device"].partition(".")[0]
    await visitor.post("/v1/auth/login", json=login)
    assert visitor.cookies["youworker_device"].partition(".")[0] == mark
    assert PASSWORD not in answer.text
    assert mark not in answer.text
