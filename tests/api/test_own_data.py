"""What people have over their own data, over HTTP: clearing it, and going for good."""

import io
import zipfile

import httpx
import pytest

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


async def listed(http: httpx.AsyncClient) -> list[str]:
    return [each["id"] for each in (await http.get("/v1/sessions")).json()["items"]]


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


async def test_right_after_a_sign_in_no_body_is_needed(rest: Rest) -> None:
    anna = await rest.colleague("anna")
    assert (await anna.delete("/v1/account")).json()["receipt"]["state"] == "done"


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


async def test_an_export_is_begun_followed_and_fetched(web: Web) -> None:
    anna, bruno = await web.person("anna"), await web.person("bruno")
    await anna.upload(b"The boiler of anna has the number K-7.", "boiler.txt")
    for path in ("/v1/account/export", "/v1/account/export/state"):
        assert error_of(await anna.http.get(path)) == (404, "NOT_FOUND")
    begun = await anna.http.post("/v1/account/export")
    assert (begun.status_code, begun.json()["state"]) == (202, "queued")
    waiting = await anna.http.get("/v1/account/export")
    assert (waiting.status_code, waiting.headers["retry-after"]) == (202, "2")
    assert waiting.json()["id"] == begun.json()["id"]
    await web.ready()
    state = (await anna.http.get("/v1/account/export/state")).json()
    assert (state["state"], state["progress"]) == ("ready", 1.0)
    fetched = await anna.http.get("/v1/account/export")
    assert fetched.status_code == 200
    assert fetched.headers["content-type"] == "application/zip"
    assert fetched.headers["cache-control"] == "no-store"
    assert fetched.headers["content-disposition"].startswith('attachment; filename="youworker-export-')
    assert len(fetched.content) == int(fetched.headers["content-length"]) == state["size_bytes"]
    with zipfile.ZipFile(io.BytesIO(fetched.content)) as zipped:
        assert zipped.testzip() is None
        assert {"profile.json", "memberships.json", "audit.json"} <= set(zipped.namelist())
    # The same address with somebody else's key, or nobody's, leads to nothing.
    assert error_of(await bruno.http.get("/v1/account/export")) == (404, "NOT_FOUND")
    assert error_of(await (await web.client()).get("/v1/account/export")) == (401, "UNAUTHENTICATED")
    narrow = await web.keyed(anna.actor, ("documents:read", "chat:read"))
    assert error_of(await narrow.http.get("/v1/account/export")) == (403, "SCOPE_MISSING")
    assert (await anna.http.delete("/v1/account/export")).status_code == 204
    assert error_of(await anna.http.get("/v1/account/export")) == (404, "NOT_FOUND")


async def test_a_signed_out_browser_fetches_nothing(web: Web) -> None:
    anna = await web.house.person("anna")
    await web.house.installation.queue.idle()
    browser = await web.client()
    login = {"username": "anna", "password": "correct horse battery"}
    signed = (await browser.post("/v1/auth/login", json=login)).json()
    browser.headers["x-csrf-token"] = signed["csrf_token"]
    assert (await browser.post("/v1/account/export")).status_code == 202
    await web.ready()
    cookie = browser.cookies["youworker_session"]
    assert (await browser.get("/v1/account/export")).status_code == 200
    assert (await browser.post("/v1/auth/logout")).status_code == 204
    replay = await web.client({"cookie": f"youworker_session={cookie}"})
    assert error_of(await replay.get("/v1/account/export")) == (401, "UNAUTHENTICATED")
    assert anna.user_id == signed["user"]["id"]


async def test_an_export_that_failed_says_why(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = await web.person("anna")
    monkeypatch.setattr(web.house.installation.privacy.store, "_reserve_bytes", 1 << 60)
    await anna.http.post("/v1/account/export")
    await web.ready()
    told = await anna.http.get("/v1/account/export")
    assert error_of(told) == (409, "EXPORT_NOT_MADE")
    assert "disk is full" in told.json()["error"]["message"]
