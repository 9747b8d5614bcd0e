"""What people have over their own data, over HTTP: clearing it, and going for good."""

from tests.api.rest import Rest, error_of
from tests.people import PASSWORD
from tests.web import Web


async def test_history_is_cleared(web: Web) -> None:
    anna = await web.person("anna")
    asked = await anna.http.post("/v1/chat", json={"message": "What is there?"})
    assert asked.status_code == 200
    assert (await anna.http.get("/v1/sessions")).json()["items"]
    cleared = await anna.http.delete("/v1/account/history")
    assert (cleared.status_code, cleared.json()) == (200, {"conversations": 1, "messages": 2})
    assert (await anna.http.get("/v1/sessions")).json()["items"] == []


async def test_a_held_persons_history_stays(web: Web) -> None:
    root = await web.person("root")
    anna = await web.person("anna")
    await anna.http.post("/v1/chat", json={"message": "What is there?"})
    changed = await root.http.patch(f"/v1/users/{anna.actor.user_id}", json={"is_held": True})
    assert changed.json()["is_held"] is True
    for path in ("/v1/account/history", f"/v1/sessions/{(await listed(anna.http))[0]}"):
        assert error_of(await anna.http.delete(path)) == (409, "ACCOUNT_HELD")
    gone = await anna.http.request("DELETE", "/v1/account", json={"password": "correct horse battery"})
    assert error_of(gone) == (409, "ACCOUNT_HELD")
    assert len(await listed(anna.http)) == 1


async def listed(http: object) -> list[str]:
    return [each["id"] for each in (await http.get("/v1/sessions")).json()["items"]]  # type: ignore[attr-defined]


async def test_an_account_is_erased_and_its_receipt_read_again(rest: Rest) -> None:
    anna = await rest.colleague("anna")
    other = await rest.browser("anna")
    wrong = await anna.request("DELETE", "/v1/account", json={"password": "nonsense"})
    assert error_of(wrong) == (403, "PRESENT_PASSWORD_WRONG")
    answer = await anna.request("DELETE", "/v1/account", json={"password": PASSWORD})
    assert answer.status_code == 200
    receipt, token = answer.json()["receipt"], answer.json()["receipt_token"]
    assert (receipt["state"], receipt["is_own"]) == ("done", True)
    assert len(receipt["key_ids"]) == 1
    assert receipt["destroyed"]["account"]["users"] == 1
    assert "youworker_session" not in anna.cookies
    assert error_of(await other.get("/v1/auth/me")) == (401, "UNAUTHENTICATED")
    nobody = rest.client()
    assert (await nobody.get(f"/v1/erasures/{token}")).json() == receipt
    text = await nobody.get(f"/v1/erasures/{token}", params={"format": "text"})
    assert text.headers["content-disposition"] == 'attachment; filename="erasure-receipt.txt"'
    assert receipt["id"] in text.text
    assert "anna" not in text.text
    for unknown in ("nonsense", receipt["id"], "a" * 300):
        assert error_of(await nobody.get(f"/v1/erasures/{unknown}")) == (404, "NOT_FOUND")
    root = await rest.browser()
    assert (await root.get("/v1/erasures")).json()["items"] == [receipt]


async def test_a_foreign_page_erases_nobody(rest: Rest) -> None:
    anna = await rest.colleague("anna")
    csrf = anna.headers.pop("x-csrf-token")
    gone = await anna.request("DELETE", "/v1/account", json={"password": PASSWORD})
    assert error_of(gone) == (403, "CSRF_MISMATCH")
    fields = {"confirmation": "anna", "erase_password": PASSWORD, "csrf": csrf}
    for change, code in (
        ({"csrf": "nonsense"}, "CSRF_MISMATCH"),
        ({"confirmation": "bruno"}, "NAME_NOT_CONFIRMED"),
        ({"confirmation": ""}, "NAME_NOT_CONFIRMED"),
        ({"erase_password": "nonsense"}, "PRESENT_PASSWORD_WRONG"),
    ):
        answer = await anna.post("/auth/form/erase", data=fields | change)
        assert answer.headers["location"] == f"/account?error={code}&about=erase"
    assert (await anna.get("/v1/auth/me")).json()["username"] == "anna"


async def test_the_browsers_form_leads_to_the_receipt(rest: Rest) -> None:
    anna = await rest.colleague("Anna")
    csrf = anna.headers.pop("x-csrf-token")
    fields = {"confirmation": " anna ", "erase_password": PASSWORD, "csrf": csrf}
    answer = await anna.post("/auth/form/erase", data=fields)
    assert answer.status_code == 303
    page, _, token = answer.headers["location"].partition("?receipt=")
    assert page == "/erased"
    assert "youworker_session" not in anna.cookies
    assert (await rest.client().get(f"/v1/erasures/{token}")).json()["state"] == "done"
    assert (await anna.post("/auth/form/erase", data=fields)).headers["location"] == "/login"
