"""Suspending and removing people, and deleting groups, over HTTP."""

import httpx
import pytest

from tests.api.rest import NAME, Rest, error_of
from tests.people import PASSWORD
from tests.web import Web


async def id_of(client: httpx.AsyncClient) -> str:
    return str((await client.get("/v1/auth/me")).json()["id"])


async def test_a_suspended_person_is_out_until_restored(rest: Rest) -> None:
    root, anna = await rest.browser(), await rest.colleague("anna")
    script = await rest.script(anna, "groups:read")
    path = f"/v1/users/{await id_of(anna)}"
    answer = await root.patch(path, json={"is_active": False})
    assert (answer.status_code, answer.json()["is_active"]) == (200, False)
    for client, address in ((anna, "/v1/auth/me"), (script, "/v1/groups/me")):
        assert error_of(await client.get(address)) == (401, "UNAUTHENTICATED")
    login = {"username": "anna", "password": PASSWORD}
    assert error_of(await rest.client().post("/v1/auth/login", json=login)) == (401, "SIGN_IN_FAILED")
    assert (await root.patch(path, json={"is_active": True})).json()["is_active"] is True
    assert (await anna.get("/v1/auth/me")).status_code == 200
    assert (await script.get("/v1/groups/me")).status_code == 200


async def test_a_removed_person_is_gone(rest: Rest) -> None:
    root, anna = await rest.browser(), await rest.colleague("anna")
    path = f"/v1/users/{await id_of(anna)}"
    answer = await root.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert error_of(await anna.get("/v1/auth/me")) == (401, "UNAUTHENTICATED")
    listed = (await root.get("/v1/users")).json()["items"]
    assert [user["username"] for user in listed] == [NAME]
    for method, body in (("DELETE", None), ("PATCH", {"is_active": False})):
        assert error_of(await root.request(method, path, json=body)) == (404, "NOT_FOUND")


@pytest.mark.parametrize(("method", "body"), [("DELETE", None), ("PATCH", {"is_active": False})])
async def test_who_may_not(rest: Rest, method: str, body: dict[str, bool] | None) -> None:
    root, anna = await rest.browser(), await rest.colleague("anna")
    who = await id_of(root)
    for user_id in (who, await id_of(anna), "nobody"):
        answer = await anna.request(method, f"/v1/users/{user_id}", json=body)
        assert error_of(answer) == (403, "ROOT_ONLY")
    assert error_of(await root.request(method, f"/v1/users/{who}", json=body)) == (409, "LAST_ROOT")
    script = await rest.script(root, "groups:write")
    answer = await script.request(method, "/v1/users/nobody", json=body)
    assert error_of(answer) == (403, "SCOPE_MISSING")
    del root.headers["x-csrf-token"]
    answer = await root.request(method, f"/v1/users/{await id_of(anna)}", json=body)
    assert error_of(answer) == (403, "CSRF_MISMATCH")
    assert (await anna.get("/v1/auth/me")).status_code == 200


@pytest.mark.parametrize("body", [{}, {"is_active": "perhaps"}, {"is_active": None}, []])
async def test_changes_that_make_no_sense(rest: Rest, body: object) -> None:
    root, anna = await rest.browser(), await rest.colleague("anna")
    answer = await root.patch(f"/v1/users/{await id_of(anna)}", json=body)
    assert error_of(answer)[0] == 422
    assert (await anna.get("/v1/auth/me")).status_code == 200


async def test_a_group_is_deleted_by_its_admins(web: Web) -> None:
    anna, bruno = await web.person("anna"), await web.person("bruno")
    team = (await anna.http.post("/v1/groups", json={"name": "Sales"})).json()["id"]
    await anna.http.post(f"/v1/groups/{team}/members", json={"username": "bruno"})
    document = (await bruno.upload(b"What the team knows.", group_id=team)).json()["items"][0]["document_id"]
    await web.ready()
    assert (await anna.http.get(f"/v1/documents/{document}")).status_code == 200
    assert error_of(await bruno.http.delete(f"/v1/groups/{team}")) == (403, "GROUP_ADMIN_ONLY")
    stranger = await web.person("carla")
    assert error_of(await stranger.http.delete(f"/v1/groups/{team}")) == (404, "NOT_FOUND")
    reader = await web.keyed(anna.actor, ("groups:read",))
    assert error_of(await reader.http.delete(f"/v1/groups/{team}")) == (403, "SCOPE_MISSING")
    assert (await anna.http.delete(f"/v1/groups/{team}")).status_code == 204
    assert error_of(await anna.http.delete(f"/v1/groups/{team}")) == (404, "NOT_FOUND")
    assert error_of(await anna.http.get(f"/v1/documents/{document}")) == (404, "NOT_FOUND")
    view = (await bruno.http.get(f"/v1/documents/{document}")).json()
    assert (view["group_id"], view["is_private"], view["state"]) == (None, True, "ready")
