"""Documents and files over /v1: lists, changes, originals in whole and in part, pages as pictures."""

import hashlib
import json
from typing import Any

import httpx
import pytest

from tests.files import pdf_of
from tests.web import Person, Web
from youworker_app.documents.ranges import matches, wanted_range
from youworker_app.gateways.blobs.memory import MemoryBlobStore

TEXT = "".join(f"Line {n} of the manual.\n" for n in range(8_000)).encode()


@pytest.fixture
async def anna(web: Web) -> Person:
    return await web.person("anna")


async def stored(
    web: Web, person: Person, data: bytes, filename: str = "note.txt", **fields: Any
) -> dict[str, Any]:
    """The document as its owner sees it after the machine has read it."""
    answer = await person.upload(data, filename, **fields)
    assert answer.status_code == 202, answer.text
    await web.ready()
    document: dict[str, Any] = (
        await person.http.get(f"/v1/documents/{answer.json()['items'][0]['document_id']}")
    ).json()
    return document


async def test_a_document_has_the_fields_of_the_contract(web: Web, anna: Person) -> None:
    document = await stored(web, anna, pdf_of(["One", "Two"]), "plan.pdf", tags="a")
    assert {
        "id", "title", "filename", "file_id", "mime_type", "size_bytes", "pages", "state", "owner", "group_id",
        "is_private", "tags", "collection", "created_at",
    } <= document.keys()  # fmt: skip
    assert (document["pages"], document["mime_type"], document["owner"]) == (2, "application/pdf", "anna")
    assert document["created_at"].endswith(("+00:00", "Z"))


async def test_lists_are_paged_and_narrowed(web: Web, anna: Person) -> None:
    for n in range(5):
        await stored(web, anna, f"words {n}".encode(), f"report {n}.txt", tags=f"t{n % 2}")
    seen, cursor, pages = [], None, 0
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await anna.http.get("/v1/documents", params=query)).json()
        seen += [item["filename"] for item in page["items"]]
        cursor, pages = page["next_cursor"], pages + 1
        if cursor is None:
            break
    assert pages == 3
    assert seen == [f"report {n}.txt" for n in reversed(range(5))]
    for query, count in (
        ({"tag": "t1"}, 2),
        ({"q": "REPORT 3"}, 1),
        ({"state": "ready"}, 5),
        ({"state": "failed"}, 0),
    ):
        assert len((await anna.http.get("/v1/documents", params=query)).json()["items"]) == count


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "state=odd", "q=" + "a" * 513, "tag=" + "a" * 513]
)
async def test_a_wrong_filter_is_told(anna: Person, query: str) -> None:
    answer = await anna.http.get(f"/v1/documents?{query}")
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["fields"]


async def test_a_document_is_changed_by_its_owner(web: Web) -> None:
    admin = await web.house.person("admin")
    group_id = await web.house.team(admin, "Sales")
    owner = await web.keyed(await web.house.signed_in("admin"))
    url = f"/v1/documents/{(await stored(web, owner, b'words'))['id']}"
    changed = (await owner.http.patch(url, json={"title": " New  name ", "tags": ["b", "a", "b"]})).json()
    assert (changed["title"], changed["tags"], changed["is_private"]) == ("New name", ["a", "b"], True)
    changed = (await owner.http.patch(url, json={"group_id": group_id, "is_private": False})).json()
    assert (changed["group_id"], changed["is_private"], changed["title"]) == (group_id, False, "New name")
    assert (await owner.http.patch(url, json={})).json()["group_id"] == group_id
    for nowhere in (None, ""):
        await owner.http.patch(url, json={"group_id": group_id})
        changed = (await owner.http.patch(url, json={"group_id": nowhere})).json()
        assert (changed["group_id"], changed["is_private"]) == (None, True)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"title": ""}, 422, "TITLE_INVALID"),
        ({"title": "a" * 513}, 422, "INVALID"),
        ({"tags": [""]}, 422, "TAG_INVALID"),
        ({"tags": ["a"] * 201}, 422, "INVALID"),
        ({"tags": "a"}, 422, "INVALID"),
        ({"tags": ["a\0b"]}, 422, "INVALID"),
        ({"title": "\ud800"}, 400, "MALFORMED"),
        ({"is_private": False}, 409, "SHARE_NEEDS_GROUP"),
        ({"group_id": "unknown"}, 404, "NOT_FOUND"),
        ({"group_id": "a b\0"}, 404, "NOT_FOUND"),
        ([], 422, "INVALID"),
    ],
)
async def test_a_wrong_change_is_told(web: Web, anna: Person, change: Any, status: int, code: str) -> None:
    url = f"/v1/documents/{(await stored(web, anna, b'words'))['id']}"
    # As ASCII, since a lone surrogate cannot be sent otherwise.
    headers = {"Content-Type": "application/json"}
    answer = await anna.http.patch(url, content=json.dumps(change), headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_a_deleted_document_is_gone(web: Web, anna: Person) -> None:
    document = await stored(web, anna, b"words")
    answer = await anna.http.delete(f"/v1/documents/{document['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await anna.http.delete(f"/v1/documents/{document['id']}")).status_code == 404
    assert (await anna.http.get(f"/v1/files/{document['file_id']}/download")).status_code == 404


async def test_what_the_machine_read_is_paged(web: Web, anna: Person) -> None:
    document = await stored(web, anna, TEXT[:20_000])
    url = f"/v1/documents/{document['id']}/chunks"
    first = (await anna.http.get(url, params={"limit": 2})).json()
    second = (await anna.http.get(url, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [item["ordinal"] for item in first["items"] + second["items"]] == [0, 1, 2, 3]
    assert {"id", "ordinal", "page", "locator", "text"} <= first["items"][0].keys()
    assert "Line 0 of the manual." in first["items"][0]["text"]


# --- originals


async def test_the_original_comes_back_as_it_was(web: Web, anna: Person) -> None:
    document = await stored(web, anna, TEXT, "città.txt")
    answer = await anna.http.get(f"/v1/files/{document['file_id']}/download")
    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(TEXT).digest()
    headers = answer.headers
    assert headers["content-length"] == str(len(TEXT))
    assert headers["content-type"] == "text/plain"
    assert (
        headers["content-disposition"]
        == "attachment; filename=\"citta.txt\"; filename*=UTF-8''citt%C3%A0.txt"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["accept-ranges"] == "bytes"
    assert headers["cache-control"] == "private, no-cache"
    assert "sandbox" in headers["content-security-policy"]
    metadata = (await anna.http.get(f"/v1/files/{document['file_id']}/metadata")).json()
    assert (metadata["etag"], metadata["size_bytes"]) == (headers["etag"], len(TEXT))


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=5-9", 5, 10),
        ("bytes=100000-", 100_000, len(TEXT)),
        ("bytes=-7", len(TEXT) - 7, len(TEXT)),
        ("bytes=-999999999", 0, len(TEXT)),
        ("bytes=65530-65550", 65_530, 65_551),
        (f"bytes={len(TEXT) - 1}-", len(TEXT) - 1, len(TEXT)),
        ("bytes=10-99999999999999999", 10, len(TEXT)),
    ],
)
async def test_a_part_of_the_original(web: Web, anna: Person, asked: str, start: int, end: int) -> None:
    document = await stored(web, anna, TEXT)
    answer = await anna.http.get(f"/v1/files/{document['file_id']}/download", headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(TEXT)}"
    assert answer.headers["content-length"] == str(end - start)
    assert answer.content == TEXT[start:end]


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0", "bytes=99999999-99999999"])
async def test_a_part_outside_of_the_original(web: Web, anna: Person, asked: str) -> None:
    document = await stored(web, anna, TEXT)
    answer = await anna.http.get(f"/v1/files/{document['file_id']}/download", headers={"Range": asked})
    assert (answer.status_code, answer.json()["error"]["code"]) == (416, "RANGE_INVALID")
    assert answer.headers["content-range"] == f"bytes */{len(TEXT)}"


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,3-4", "bytes=9-5", "bytes=-", "bytes=a-b", "items=0-1", "bytes=0-1-2", ""]
)
async def test_a_range_that_is_not_understood_is_the_whole(web: Web, anna: Person, asked: str) -> None:
    document = await stored(web, anna, b"0123456789")
    answer = await anna.http.get(f"/v1/files/{document['file_id']}/download", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, b"0123456789")


async def test_what_the_reader_has_is_not_sent_again(web: Web, anna: Person) -> None:
    document = await stored(web, anna, b"0123456789")
    url = f"/v1/files/{document['file_id']}/download"
    etag = (await anna.http.get(url)).headers["etag"]
    for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        answer = await anna.http.get(url, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert (await anna.http.get(url, headers={"If-None-Match": '"other"'})).status_code == 200
    part = {"Range": "bytes=2-3"}
    assert (await anna.http.get(url, headers=part | {"If-Range": etag})).content == b"23"
    assert (await anna.http.get(url, headers=part | {"If-Range": '"other"'})).content == b"0123456789"


async def test_access_that_was_taken_away_is_asked_for_each_time(web: Web) -> None:
    admin = await web.house.person("admin")
    await web.house.person("member")
    group_id = await web.house.team(admin, "Sales", "member")
    owner = await web.keyed(await web.house.signed_in("admin"))
    member = await web.keyed(await web.house.signed_in("member"))
    document = await stored(web, owner, pdf_of(["One"]), "a.pdf", group_id=group_id)
    urls = [f"/v1/files/{document['file_id']}/{what}" for what in ("metadata", "download", "pages/1.png")]
    etags = []
    for url in urls:
        answer = await member.http.get(url)
        assert answer.status_code == 200
        etags.append(answer.headers.get("etag", "*"))
    await owner.http.patch(f"/v1/documents/{document['id']}", json={"is_private": True})
    for url, etag in zip(urls, etags, strict=True):
        assert (await member.http.get(url, headers={"If-None-Match": etag})).status_code == 404


async def test_damaged_content_is_told_and_not_sent(web: Web, anna: Person) -> None:
    document = await stored(web, anna, b"0123456789")
    store = web.house.installation.gateways.blobs
    assert isinstance(store, MemoryBlobStore)
    store.sealed[document["file_id"]] = store.sealed[document["file_id"]][:-1] + b"x"
    answer = await anna.http.get(f"/v1/files/{document['file_id']}/download")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "FILE_CONTENT_DAMAGED")


# --- pages


async def test_a_page_is_a_picture_that_is_asked_for_again(web: Web, anna: Person) -> None:
    document = await stored(web, anna, pdf_of(["The boiler is serviced in March.", "Another page."]), "a.pdf")
    chunk = (await anna.http.get(f"/v1/documents/{document['id']}/chunks")).json()["items"][0]
    url = f"/v1/files/{document['file_id']}/pages/1.png"
    plain = await anna.http.get(url)
    marked = await anna.http.get(url, params={"chunk_id": chunk["id"]})
    for picture in (plain, marked):
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
        assert picture.headers["cache-control"] == "private, no-cache"
        assert picture.content.startswith(b"\x89PNG")
    assert plain.content != marked.content
    assert plain.headers["etag"] != marked.headers["etag"]
    again = await anna.http.get(url, headers={"If-None-Match": plain.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("page", "status"), [("3", 404), ("0", 422), ("-1", 422), ("x", 422), ("1" * 30, 422), ("1" * 5_000, 422)]
)
async def test_a_page_that_is_not_there(web: Web, anna: Person, page: str, status: int) -> None:
    document = await stored(web, anna, pdf_of(["One", "Two"]), "a.pdf")
    assert (await anna.http.get(f"/v1/files/{document['file_id']}/pages/{page}.png")).status_code == status


async def test_a_text_has_no_pictures(web: Web, anna: Person) -> None:
    document = await stored(web, anna, b"words")
    answer = await anna.http.get(f"/v1/files/{document['file_id']}/pages/1.png")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "NO_PAGE_PICTURE")


# --- who


async def every_route(http: httpx.AsyncClient, document: dict[str, Any]) -> list[int]:
    document_id, file_id = document["id"], document["file_id"]
    answers = [
        await http.get(f"/v1/documents/{document_id}"),
        await http.patch(f"/v1/documents/{document_id}", json={"title": "mine"}),
        await http.delete(f"/v1/documents/{document_id}"),
        await http.get(f"/v1/documents/{document_id}/chunks"),
        await http.get(f"/v1/files/{file_id}/metadata"),
        await http.get(f"/v1/files/{file_id}/download"),
        await http.get(f"/v1/files/{file_id}/pages/1.png"),
    ]
    return [answer.status_code for answer in answers]


async def test_strangers_and_nobody(web: Web, anna: Person) -> None:
    document = await stored(web, anna, pdf_of(["One"]), "a.pdf")
    stranger = await web.person("stranger")
    assert await every_route(stranger.http, document) == [404] * 7
    assert (await stranger.http.get("/v1/documents")).json() == {"items": [], "next_cursor": None}
    assert await every_route(await web.client(), document) == [401] * 7
    narrow = await web.keyed(anna.actor, ["chat:read"])
    assert await every_route(narrow.http, document) == [403] * 7
    assert (await anna.http.get(f"/v1/documents/{document['id']}")).status_code == 200


def test_ranges_and_etags_as_the_standard_says() -> None:
    known = {"etag": '"a"', "size": 10}
    assert wanted_range(None, None, **known) is None  # type: ignore[arg-type]
    assert wanted_range("bytes = 2 - 3", None, **known) == (2, 4)  # type: ignore[arg-type]
    assert wanted_range("BYTES=2-3", '"a"', **known) == (2, 4)  # type: ignore[arg-type]
    assert wanted_range("bytes=2-3", 'W/"a"', **known) is None  # type: ignore[arg-type]
    assert wanted_range("bytes=2-3", "Wed, 21 Oct 2015 07:28:00 GMT", **known) is None  # type: ignore[arg-type]
    assert wanted_range("bytes=٣-٤", None, **known) is None  # type: ignore[arg-type]
    assert not matches("a", '"a"')
    assert not matches('"b"', '"a"')
    assert not matches(None, '"a"')
