"""Uploads: whatever arrives, what is acknowledged is safe and whole, and nothing else is left behind."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from tests.files import pdf_of
from tests.web import Person, Web, exchange
from youworker_app.core.registry import service
from youworker_app.core.settings import IngestionSettings, Settings
from youworker_app.gateways.blobs.memory import MemoryBlobStore
from youworker_app.ingestion import routes
from youworker_app.ingestion.body import PatientBody
from youworker_app.ingestion.service import IngestionService

LIMIT = 100_000
UPLOAD = "/v1/ingest/upload"
BOUNDARY = "xYzZy"


@pytest.fixture
async def anna(web: Web) -> Person:
    return await web.person("anna")


@pytest.fixture
def small_limits(web: Web) -> IngestionSettings:
    """Files up to 100 kB, three at a time."""
    limits = IngestionSettings(max_file_bytes=LIMIT, max_files_per_upload=3)
    service(Settings).ingestion = limits
    service(IngestionService)._settings = limits
    return limits


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    kind = f'form-data; name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
    return f"--{BOUNDARY}\r\nContent-Disposition: {kind}\r\n\r\n".encode() + content + b"\r\n"


def form_of(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


async def post(person: Person, body: bytes, query: str = "") -> Any:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return await person.http.post(UPLOAD + query, content=body, headers=headers)


async def names(person: Person) -> list[str]:
    answer = await person.http.get("/v1/documents")
    assert answer.status_code == 200
    return sorted(item["filename"] for item in answer.json()["items"])


def blobs(web: Web) -> dict[str, bytes]:
    store = web.house.installation.gateways.blobs
    assert isinstance(store, MemoryBlobStore)
    return store.sealed


async def test_files_are_taken_and_read(web: Web, anna: Person) -> None:
    answer = await anna.http.post(
        UPLOAD,
        data={"tags": "boiler, cellar", "collection": "House"},
        files=[
            ("files", ("note.txt", b"The boiler is serviced in March.")),
            ("files", ("b.pdf", pdf_of(["Page one"]))),
        ],
    )
    assert answer.status_code == 202
    items = answer.json()["items"]
    assert [item["filename"] for item in items] == ["note.txt", "b.pdf"]
    assert all(item["document_id"] and item["job_id"] and item["duplicate_of"] is None for item in items)
    assert answer.json()["complete"] is True
    await web.ready()
    document = (await anna.http.get(f"/v1/documents/{items[0]['document_id']}")).json()
    assert (document["state"], document["tags"], document["collection"]) == (
        "ready",
        ["boiler", "cellar"],
        "House",
    )
    assert (document["is_private"], document["group_id"]) == (True, None)
    job = (await anna.http.get(f"/v1/ingest/jobs/{items[0]['job_id']}")).json()
    assert (job["state"], job["document_id"], job["children"]) == ("done", document["id"], [])


async def test_fields_may_stand_in_the_address(web: Web, anna: Person) -> None:
    answer = await post(
        anna, form_of(part("files", b"words", "a.txt")), "?tags=one,two&tags=three&collection=House"
    )
    document = (await anna.http.get(f"/v1/documents/{answer.json()['items'][0]['document_id']}")).json()
    assert (document["tags"], document["collection"]) == (["one", "three", "two"], "House")


async def test_a_file_goes_to_the_group_that_was_named(web: Web) -> None:
    admin = await web.house.person("admin")
    group_id = await web.house.team(admin, "Sales")
    member = await web.keyed(await web.house.signed_in("admin"))
    answer = await member.upload(b"shared words", group_id=group_id)
    document = (await member.http.get(f"/v1/documents/{answer.json()['items'][0]['document_id']}")).json()
    assert (document["group_id"], document["is_private"]) == (group_id, False)
    answer = await member.upload(b"private words", group_id=group_id, is_private="true")
    document = (await member.http.get(f"/v1/documents/{answer.json()['items'][0]['document_id']}")).json()
    assert (document["group_id"], document["is_private"]) == (group_id, True)


async def test_one_bad_file_fails_alone(web: Web, anna: Person, small_limits: IngestionSettings) -> None:
    body = form_of(
        part("files", b"good words", "good.txt"),
        part("files", b"a" * (LIMIT + 1), "../large.txt"),
        part("files", b"", "empty.txt"),
    )
    answer = await post(anna, body)
    assert answer.status_code == 202
    good, large, empty = answer.json()["items"]
    assert good["document_id"]
    assert good["error"] is None
    assert (large["document_id"], large["job_id"], large["filename"]) == (None, None, "large.txt")
    assert large["error"]["code"] == "FILE_TOO_LARGE"
    assert large["error"]["message"]
    assert empty["error"]["code"] == "FILE_EMPTY"
    assert await names(anna) == ["good.txt"]
    assert len(blobs(web)) == 1


@pytest.mark.parametrize(
    ("content", "filename", "status", "code"),
    [
        (b"a" * (LIMIT + 1), "a.txt", 413, "FILE_TOO_LARGE"),
        (b"MZ\x90\0" + bytes(200), "a.pdf", 415, None),
        (b"", "a.txt", 422, "FILE_EMPTY"),
    ],
)
async def test_a_file_alone_answers_with_its_own_error(
    web: Web,
    anna: Person,
    small_limits: IngestionSettings,
    content: bytes,
    filename: str,
    status: int,
    code: str | None,
) -> None:
    answer = await anna.upload(content, filename)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert (
        error["correlation_id"] == answer.headers["x-correlation-id"]
        if "x-correlation-id" in answer.headers
        else True
    )
    assert code is None or error["code"] == code
    assert await names(anna) == []
    assert blobs(web) == {}


async def test_several_bad_files_are_told_one_by_one(anna: Person) -> None:
    answer = await post(anna, form_of(part("files", b"", "a.txt"), part("files", b"", "b.txt")))
    assert answer.status_code == 202
    assert [item["error"]["code"] for item in answer.json()["items"]] == ["FILE_EMPTY", "FILE_EMPTY"]


async def test_the_same_file_twice_is_told(web: Web, anna: Person) -> None:
    first = (await anna.upload(b"the same words", "a.txt")).json()["items"][0]
    second = (await anna.upload(b"the same words", "b.txt")).json()["items"][0]
    assert second["duplicate_of"] == first["document_id"] == second["document_id"]
    assert len(blobs(web)) == 1


@pytest.mark.parametrize("field", ["is_private", "group_id", "tags", "collection"])
async def test_a_field_after_a_file_keeps_nothing(web: Web, anna: Person, field: str) -> None:
    body = form_of(part("files", b"one", "a.txt"), part("files", b"two", "b.txt"), part(field, b"true"))
    answer = await post(anna, body)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert (error["code"], error["details"]) == ("UPLOAD_FIELD_AFTER_FILE", {"field": field})
    assert await names(anna) == []
    await web.ready()
    assert blobs(web) == {}


async def test_what_was_there_before_is_not_taken_back(web: Web, anna: Person) -> None:
    """A file that turned out to be the same as one of yesterday is not new, so a wrong request does not remove it."""
    await anna.upload(b"yesterday's words", "old.txt")
    body = form_of(
        part("files", b"yesterday's words", "a.txt"), part("files", b"two", "b.txt"), part("tags", b"x")
    )
    assert (await post(anna, body)).status_code == 422
    assert await names(anna) == ["old.txt"]


async def test_more_files_than_allowed_keep_nothing(
    web: Web, anna: Person, small_limits: IngestionSettings
) -> None:
    body = form_of(*(part("files", b"words %d" % n, f"{n}.txt") for n in range(4)))
    answer = await post(anna, body)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "UPLOAD_TOO_MANY_FILES"
    assert answer.json()["error"]["details"] == {"limit": 3}
    assert await names(anna) == []


async def test_a_file_far_past_the_limit_is_not_read_to_its_end(
    web: Web, anna: Person, small_limits: IngestionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "_LEAST_DISCARDED", LIMIT)
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        yield part("files", b"good words", "good.txt") + part("files", b"", "large.txt")[:-2]
        for _ in range(10_000):
            sent += 1_000
            yield b"a" * 1_000

    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    answer = await anna.http.post(UPLOAD, content=endless(), headers=headers)
    assert answer.status_code == 202
    assert answer.json()["complete"] is False
    assert [item["error"] is None for item in answer.json()["items"]] == [True, False]
    assert 2 * LIMIT <= sent <= 2 * LIMIT + 10_000


@pytest.mark.parametrize("place", ["form", "address"])
async def test_a_foreign_group_is_not_there_and_nothing_is_read(web: Web, anna: Person, place: str) -> None:
    other = await web.house.person("other")
    group_id = await web.house.team(other, "Others")
    fields = [part("group_id", group_id.encode())] if place == "form" else []
    body = form_of(*fields, part("files", b"words", "a.txt"), part("files", b"more", "b.txt"))
    for foreign in (group_id, "no-such-group"):
        query = f"?group_id={foreign}" if place == "address" else ""
        sent = body.replace(group_id.encode(), foreign.encode())
        answer = await post(anna, sent, query)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert await names(anna) == []
    assert blobs(web) == {}


async def test_a_key_without_the_scope_is_refused_before_the_body(web: Web) -> None:
    reader = await web.person("reader", ["documents:read"])
    headers = {
        "Authorization": f"Bearer {reader.key}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }
    async with exchange(web.app, "POST", UPLOAD, headers) as request:
        status, _ = await request.start()
        assert status == 403


async def test_nobody_is_refused_before_the_body(web: Web) -> None:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    async with exchange(web.app, "POST", UPLOAD, headers) as request:
        assert (await request.start())[0] == 401


@pytest.mark.parametrize("cut", [10, 60, 90, 120, 5_000])
async def test_a_client_that_goes_away_leaves_nothing_of_its_file(web: Web, anna: Person, cut: int) -> None:
    headers = {
        "Authorization": f"Bearer {anna.key}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }
    body = part("files", b"a" * 10_000, "a.txt")
    async with exchange(web.app, "POST", UPLOAD, headers) as request:
        await request.send(body[:cut])
    assert await names(anna) == []
    assert blobs(web) == {}


async def test_what_had_arrived_whole_stays_when_the_client_goes_away(web: Web, anna: Person) -> None:
    headers = {
        "Authorization": f"Bearer {anna.key}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }
    async with exchange(web.app, "POST", UPLOAD, headers) as request:
        await request.send(part("files", b"whole", "a.txt") + part("files", b"half", "b.txt")[:-2])
        await asyncio.sleep(0.2)
    assert await names(anna) == ["a.txt"]
    assert len(blobs(web)) == 1


async def test_a_body_that_ends_too_early_is_malformed(web: Web, anna: Person) -> None:
    body = form_of(part("files", b"whole", "a.txt"), part("files", b"cut", "b.txt"))
    answer = await post(anna, body[:-6])
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "UPLOAD_CUT_SHORT")
    assert await names(anna) == []
    assert blobs(web) == {}


async def test_a_sender_that_falls_silent_is_not_waited_for(web: Web, anna: Person) -> None:
    service(Settings).ingestion = IngestionSettings(upload_idle_s=0.2)
    headers = {
        "Authorization": f"Bearer {anna.key}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }
    async with exchange(web.app, "POST", UPLOAD, headers) as request:
        await request.send(part("files", b"half", "a.txt")[:-2])
        status, _ = await request.start()
        assert status == 408
        assert b"UPLOAD_STALLED" in await request.remaining()
    assert await names(anna) == []
    assert blobs(web) == {}


async def test_a_trickle_is_ended_however_steady(web: Web, anna: Person) -> None:
    limits = {"upload_idle_s": 0.3, "upload_min_bytes_per_s": 100_000}
    service(Settings).ingestion = IngestionSettings.model_validate(limits)
    headers = {
        "Authorization": f"Bearer {anna.key}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }
    async with exchange(web.app, "POST", UPLOAD, headers) as request:
        await request.send(part("files", b"half", "a.txt")[:-2])
        answered = asyncio.create_task(request.start(30))
        while not answered.done():
            await request.send(b"a")
            await asyncio.sleep(0.02)
        assert (await answered)[0] == 408
        assert b"UPLOAD_TOO_SLOW" in await request.remaining()
    assert await names(anna) == []
    assert blobs(web) == {}


async def test_what_the_server_takes_itself_is_not_the_senders(web: Web, anna: Person) -> None:
    """Chunks that were there when they were asked for have cost no waiting, however long each was worked on."""

    async def sent() -> AsyncGenerator[bytes, None]:
        for _ in range(10):
            yield b"a"

    read = b""
    async for chunk in PatientBody(sent(), 0.02, 1_000_000).chunks():
        await asyncio.sleep(0.01)
        read += chunk
    assert read == b"a" * 10


async def test_an_upload_without_files_is_told(anna: Person) -> None:
    for body in (form_of(), form_of(part("tags", b"x")), form_of(part("files", b"", ""))):
        answer = await post(anna, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "UPLOAD_WITHOUT_FILES")


async def test_names_are_made_safe_and_may_be_shared(anna: Person) -> None:
    body = form_of(
        part("files", b"one", "../../etc/passwd.txt"),
        part("files", b"two", "same.txt"),
        part("files", b"three", "same.txt"),
    )
    answer = await post(anna, body)
    assert [item["filename"] for item in answer.json()["items"]] == ["passwd.txt", "same.txt", "same.txt"]
    assert len({item["document_id"] for item in answer.json()["items"]}) == 3


async def test_jobs_can_be_tried_again_and_not_stopped_twice(web: Web, anna: Person) -> None:
    item = (await anna.upload(pdf_of([""]), "blank.pdf")).json()["items"][0]
    await web.ready()
    url = f"/v1/ingest/jobs/{item['job_id']}"
    job = (await anna.http.get(url)).json()
    assert (job["state"], bool(job["error_code"]), bool(job["error"])) == ("failed", True, True)
    assert (await anna.http.post(f"{url}/cancel")).status_code == 409
    again = await anna.http.post(f"{url}/retry")
    assert (again.status_code, again.json()["state"]) == (200, "queued")
    await web.ready()
    assert (await anna.http.get(url)).json()["state"] == "failed"


async def test_a_strangers_job_is_not_there(web: Web, anna: Person) -> None:
    item = (await anna.upload(b"words")).json()["items"][0]
    stranger = await web.person("stranger")
    for job_id in (item["job_id"], "unknown"):
        assert (await stranger.http.get(f"/v1/ingest/jobs/{job_id}")).status_code == 404
        assert (await stranger.http.post(f"/v1/ingest/jobs/{job_id}/cancel")).status_code == 404
        assert (await stranger.http.post(f"/v1/ingest/jobs/{job_id}/retry")).status_code == 404
