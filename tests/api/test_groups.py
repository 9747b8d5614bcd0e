"""Groups over HTTP."""

import pytest

from tests.api.rest import Rest, error_of


async def test_a_groups_life(rest: Rest) -> None:
    await rest.browser()
    anna, bruno = await rest.colleague("anna"), await rest.colleague("bruno")
    made = await anna.post("/v1/groups", json={"name": "Sales", "description": "who sells"})
    assert made.status_code == 201
    group = made.json()
    assert group.keys() == {"id", "name", "description", "member_count", "is_admin", "created_at"}
    assert (group["member_count"], group["is_admin"]) == (1, True)
    members = f"/v1/groups/{group['id']}/members"
    added = await anna.post(members, json={"username": "bruno", "role": "member"})
    assert added.status_code == 201
    who = added.json()["user_id"]
    assert [g["name"] for g in (await bruno.get("/v1/groups/me")).json()["items"]] == ["Sales"]
    assert (await bruno.get(f"/v1/groups/{group['id']}")).json()["is_admin"] is False
    assert [m["username"] for m in (await bruno.get(members)).json()["items"]] == ["anna", "bruno"]
    assert error_of(await bruno.post(members, json={"username": "root person"})) == (403, "GROUP_ADMIN_ONLY")
    assert (await anna.put(f"{members}/{who}", json={"role": "admin"})).status_code == 204
    assert (await bruno.delete(f"{members}/{who}")).status_code == 204
    assert error_of(await bruno.get(f"/v1/groups/{group['id']}")) == (404, "NOT_FOUND")
    me = (await anna.get("/v1/auth/me")).json()
    assert error_of(await anna.delete(f"{members}/{me['id']}")) == (409, "LAST_ADMIN")
    assert error_of(await bruno.post("/v1/groups", json={"name": "SALES"})) == (409, "GROUP_NAME_TAKEN")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("GET", "/members", None),
        ("POST", "/members", {"username": "anna"}),
        ("PUT", "/members/{user}", {"role": "admin"}),
        ("DELETE", "/members/{user}", None),
    ],
)
async def test_a_stranger_gets_404_for_everything(
    rest: Rest, method: str, path: str, body: dict[str, str] | None
) -> None:
    root = await rest.browser()
    anna = await rest.colleague("anna")
    group = (await anna.post("/v1/groups", json={"name": "Sales"})).json()["id"]
    user = (await anna.get("/v1/auth/me")).json()["id"]
    texts = set()
    for group_id in (group, "no-such-group", "x" * 65, "a%20b"):
        answer = await root.request(method, f"/v1/groups/{group_id}{path.format(user=user)}", json=body)
        assert error_of(answer) == (404, "NOT_FOUND")
        error = answer.json()["error"]
        texts.add((error["message"], str(error["details"])))
    assert len(texts) == 1
