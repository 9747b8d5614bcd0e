"""One-time links and administrators over HTTP."""

from urllib.parse import parse_qs, urlsplit

from tests.api.rest import ADDRESS, Rest, error_of
from tests.api.test_people import id_of

SAFE = "another long password"


async def test_a_link_over_http(rest: Rest) -> None:
    root, anna = await rest.browser(), await rest.colleague("anna")
    path = f"/v1/users/{await id_of(anna)}/reset"
    assert error_of(await anna.post(path)) == (403, "ROOT_ONLY")
    assert error_of(await root.post("/v1/users/nobody/reset")) == (404, "NOT_FOUND")
    answer = await root.post(path)
    made = answer.json()
    assert (answer.status_code, made["username"]) == (201, "anna")
    assert made["link"] == f"{ADDRESS}/reset?token={made['token']}"
    body = {"token": made["token"], "password": SAFE}
    weak = {**body, "password": "short"}
    assert error_of(await rest.client().post("/v1/auth/reset", json=weak)) == (422, "PASSWORD_TOO_SHORT")
    answer = await rest.client().post("/v1/auth/reset", json=body)
    assert (answer.status_code, answer.content) == (204, b"")
    assert error_of(await rest.client().post("/v1/auth/reset", json=body)) == (403, "RESET_LINK_WRONG")
    assert error_of(await anna.get("/v1/auth/me")) == (401, "UNAUTHENTICATED")
    login = {"username": "anna", "password": SAFE}
    assert (await rest.client().post("/v1/auth/login", json=login)).status_code == 200


async def test_the_browsers_form(rest: Rest) -> None:
    root, anna = await rest.browser(), await rest.colleague("anna")
    token = (await root.post(f"/v1/users/{await id_of(anna)}/reset")).json()["token"]
    visitor = rest.client()
    csrf = (await visitor.get("/auth/form/token")).json()["csrf"]
    for form, code in (
        ({"token": token, "password": SAFE}, "CSRF_MISMATCH"),
        ({"token": token, "password": "short", "csrf": csrf}, "PASSWORD_TOO_SHORT"),
        ({"token": "made up", "password": SAFE, "csrf": csrf}, "RESET_LINK_WRONG"),
    ):
        answer = await visitor.post("/auth/form/reset", data=form)
        back = urlsplit(answer.headers["location"])
        told = parse_qs(back.query)
        assert (answer.status_code, back.path, told["error"], told["token"]) == (
            303,
            "/reset",
            [code],
            [form["token"]],
        )
    answer = await visitor.post("/auth/form/reset", data={"token": token, "password": SAFE, "csrf": csrf})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?done=reset")
    assert error_of(await anna.get("/v1/auth/me")) == (401, "UNAUTHENTICATED")


async def test_administrators_over_http(rest: Rest) -> None:
    root, anna = await rest.browser(), await rest.colleague("anna")
    path = f"/v1/users/{await id_of(anna)}"
    assert error_of(await anna.get("/v1/users")) == (403, "ROOT_ONLY")
    assert (await root.patch(path, json={"is_root": True})).json()["is_root"] is True
    assert [user["username"] for user in (await anna.get("/v1/users?q=ann")).json()["items"]] == ["anna"]
    both = (await root.patch(path, json={"is_root": False, "is_active": False})).json()
    assert (both["is_root"], both["is_active"]) == (False, False)
    assert error_of(await root.patch(path, json={"is_root": None}))[0] == 422
    mine = f"/v1/users/{await id_of(root)}"
    assert error_of(await root.patch(mine, json={"is_root": False})) == (409, "LAST_ROOT")


async def test_somebody_without_a_password(rest: Rest) -> None:
    root = await rest.browser()
    made = (await root.post("/v1/users", json={"username": "carla"})).json()
    assert made["has_password"] is False
    login = {"username": "carla", "password": ""}
    assert error_of(await rest.client().post("/v1/auth/login", json=login)) == (401, "SIGN_IN_FAILED")
