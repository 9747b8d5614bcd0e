"""The audit trail over HTTP."""

import csv
import io

import pytest

from tests.web import Web


@pytest.mark.parametrize("path", ["", "/sums", "/export", "/verify"])
async def test_only_root_with_the_scope_admin(web: Web, path: str) -> None:
    root, anna = await web.person("root"), await web.person("anna")
    narrow = await web.keyed(root.actor, ["chat:read"])
    for client, code in ((anna.http, "ROOT_ONLY"), (narrow.http, "SCOPE_MISSING")):
        answer = await client.get(f"/v1/audit{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, code)
    assert (await (await web.client()).get(f"/v1/audit{path}")).status_code == 401
    assert (await root.http.get(f"/v1/audit{path}")).status_code == 200


async def test_events_page_by_page_with_filters(web: Web) -> None:
    root = await web.person("root")
    await web.person("anna")
    first = (await root.http.get("/v1/audit", params={"limit": 1})).json()
    assert len(first["items"]) == 1
    assert first["items"][0]["action"] == "key.created"
    second = (await root.http.get("/v1/audit", params={"limit": 1, "cursor": first["next_cursor"]})).json()
    assert second["items"][0]["id"] != first["items"][0]["id"]
    found = (await root.http.get("/v1/audit", params={"actor": "anna", "action": "session"})).json()["items"]
    assert {(each["actor"], each["action"]) for each in found} == {("anna", "session.created")}
    period = {"from": "2001-01-01T00:00:00Z", "to": "2001-01-02T00:00:00+01:00"}
    assert (await root.http.get("/v1/audit", params=period)).json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"from": "yesterday"}, 422),
        ({"from": "2026-11-01T00:00:00"}, 422),
        ({"from": "0001-01-01T00:00:00+14:00"}, 422),
        ({"actor": "x" * 513}, 422),
        ({"action": "\0"}, 400),
        ({"cursor": "x"}, 400),
        ({"reason": "A reason that is long enough"}, 403),
    ],
)
async def test_questions_that_make_no_sense(web: Web, params: dict[str, str], status: int) -> None:
    root = await web.person("root")
    assert (await root.http.get("/v1/audit", params=params)).status_code == status


async def test_a_csv_file_is_downloaded(web: Web) -> None:
    root = await web.person("root")
    answer = await root.http.get("/v1/audit/export", params={"action": "key.created"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    assert [line[5] for line in csv.reader(io.StringIO(answer.text, newline=""))] == ["action", "key.created"]


async def test_a_verification_compares_an_anchor_that_was_kept(web: Web) -> None:
    root = await web.person("root")
    await web.house.installation.trail.sealer.seal()
    report = (await root.http.get("/v1/audit/verify")).json()
    assert (report["is_intact"], report["first_broken"]) == (True, None)
    assert report["last_block"] >= 1
    known = {"block": report["last_block"], "mac": report["last_mac"]}
    assert (await root.http.get("/v1/audit/verify", params=known)).json()["anchors"] == 1
    cut = (await root.http.get("/v1/audit/verify", params={**known, "block": 2**31 - 1})).json()
    assert cut["first_broken"] == {"kind": "tail_cut", "block": 2**31 - 1, "event_id": None}
    assert (await root.http.get("/v1/audit/verify", params={"block": 2**31})).status_code == 422


async def test_a_long_trail_is_verified_in_several_requests(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("youworker_app.audit.reader.VERIFIED_AT_ONCE", 1)
    monkeypatch.setattr("youworker_app.audit.verification._STRETCH", 1)
    root = await web.person("root")
    await web.house.installation.trail.sealer.seal()
    await web.person("anna")
    await web.house.installation.trail.sealer.seal()
    cursor, seen, asked = None, 0, 0
    while asked < 10:
        asked += 1
        report = (await root.http.get("/v1/audit/verify", params={"cursor": cursor} if cursor else {})).json()
        assert report["is_intact"]
        seen, cursor = seen + report["events"], report["next_cursor"]
        if cursor is None:
            break
    assert (cursor, seen >= 4) == (None, True)
    assert asked > 2
    assert (await root.http.get("/v1/audit/verify", params={"cursor": "x"})).status_code == 400
    past = {"from": "2001-01-01T00:00:00Z", "to": "2001-01-02T00:00:00Z"}
    assert (await root.http.get("/v1/audit/verify", params=past)).json()["events"] == 0


async def test_what_people_read_is_summed_up(web: Web) -> None:
    root = await web.person("root")
    answer = (await root.http.get("/v1/audit/sums", params={"from": "2026-01-01T00:00:00Z"})).json()
    assert answer["since"] == "2026-01-01T00:00:00Z"
    assert answer["items"] == []


async def test_a_document_that_is_looked_at_is_counted(web: Web) -> None:
    root = await web.person("root")
    taken = (await root.upload(b"The lease ends in 2031.")).json()["items"][0]
    await web.ready()
    assert (await root.http.get(f"/v1/documents/{taken['document_id']}")).status_code == 200
    await web.house.installation.audit.write_noted(web.house.installation.db)
    sums = (await root.http.get("/v1/audit/sums")).json()["items"]
    assert {each["action"]: each["count"] for each in sums} == {"document.opened": 1}
