"""Hostile requests: whatever a client sends, the answer is an error of ours with a message, never a 500, and nothing stays."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.web import Person, Web, exchange
from youworker_app.api.inventory import Entry, entries
from youworker_app.core.errors import AppError
from youworker_app.ingestion.multipart import MultipartReader
from youworker_app.ingestion.upload_form import MAX_FIELD_BYTES

BOUNDARY = "xYzZy"
UPLOAD = "/v1/ingest/upload"
OURS = ("/v1/documents", "/v1/files", "/v1/ingest", "/v1/search", "/v1/chat", "/v1/sessions", "/v1/models")

IDS = [
    "0",
    "unknown",
    "00000000-0000-0000-0000-000000000000",
    "a b",
    "..",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "%00",
    "a%00b",
    "%ff%fe",
    "%ed%a0%80",
    "%F0%9F%A6%86",
    "a" * 65,
    "a" * 5_000,
    "'%20OR%201=1--",
    "-1",
    "None",
    "{}",
    "*",
    "%0d%0aX-Injected:%201",
]

CURSORS = [
    "x",
    "=",
    "-1",
    "9" * 30,
    "9" * 500,
    "%ff",
    "a" * 513,
    *(
        base64.urlsafe_b64encode(text.encode()).decode()
        for text in (
            "|",
            "2024-01-01T00:00:00|id",
            "2024-01-01T00:00:00+00:00|",
            "0001-01-01T00:00:00+23:59|id",
            "9999-12-31T23:59:59-23:59|id",
            "2024-01-01T00:00:00+00:00|a\0b",
            "2024-01-01T00:00:00+00:00|" + "a" * 300,
        )
    ),
]


@pytest.fixture
async def anna(web: Web) -> Person:
    return await web.person("anna")


def routes(web: Web) -> list[Entry]:
    """Every guarded route."""
    found = [entry for entry in entries(web.api.routes) if entry.is_guarded]
    assert len(found) > 15
    return found


def assert_told(answer: httpx.Response, what: object) -> None:
    """The answer is one of ours, for a person, and says nothing of our insides."""
    assert answer.status_code < 500, (what, answer.text)
    if answer.status_code >= 400:
        error = answer.json()["error"]
        assert error.keys() == {"code", "message", "details", "correlation_id"}, what
        assert error["message"], what
        assert "Traceback" not in answer.text, what
        assert "sqlalchemy" not in answer.text.lower(), what
    assert "x-injected" not in answer.headers


async def test_ids_that_are_none_are_not_there(web: Web, anna: Person) -> None:
    for entry in routes(web):
        if "{" not in entry.path:
            continue
        for evil in IDS:
            path = re.sub(r"\{(?:page)\}", "1", entry.path)
            # As dots, a client would make another address of it before it asks.
            sent = evil.replace("..", "%2E%2E")
            path = re.sub(r"\{\w+\}", lambda _: sent, path)  # noqa: B023
            answer = await anna.http.request(
                entry.method, path, json=None if entry.method in {"GET", "DELETE"} else {}
            )
            assert_told(answer, (entry.name, evil))
            # What is root's alone refuses everybody else alike, whatever the id.
            refused = {404, 405, 422} | ({403} if entry.path.startswith("/v1/users/") else set())
            assert answer.status_code in refused, (entry.name, evil, answer.status_code)


async def test_values_that_are_none_are_told(web: Web, anna: Person) -> None:
    odd = [
        "",
        "\ud800",
        "🦆",
        "a" * 2_000,
        "-1",
        "NaN",
        "1e400",
        "true",
        "[]",
        "\u202e",
        "' OR 1=1 --",
        "%s%n{0}",
    ]
    for entry in routes(web):
        if entry.method != "GET" or entry.path.endswith("/events"):
            continue
        for value in odd:
            sent = quote(value, errors="surrogatepass")
            names = ("limit", "cursor", "q", "group_id", "tag", "collection", "state", "chunk_id", "after")
            query = "&".join(f"{name}={sent}" for name in names)
            assert_told(await anna.http.get(f"{_filled(entry.path)}?{query}"), (entry.name, value))
        if entry.path.startswith("/v1/"):
            assert (await anna.http.get(f"{_filled(entry.path)}?q=%00")).status_code == 400


async def test_cursors_that_are_not_ours_are_told(web: Web, anna: Person) -> None:
    item = (await anna.upload(b"words")).json()["items"][0]
    session = (await anna.http.post("/v1/chat", json={"message": "a"})).json()["session_id"]
    lists = [
        "documents",
        f"documents/{item['document_id']}/chunks",
        "sessions",
        f"sessions/{session}/messages",
    ]
    for path in lists:
        for cursor in CURSORS:
            answer = await anna.http.get(f"/v1/{path}?cursor={cursor}")
            assert_told(answer, (path, cursor))


BODIES: list[tuple[str, bytes]] = [
    ("nothing", b""),
    ("no JSON", b"{"),
    ("another encoding", '{"message": "à"}'.encode("utf-16")),
    ("no UTF-8", b'{"message": "\xff"}'),
    ("a lone surrogate", rb'{"message": "\ud800", "query": "\ud800", "title": "\ud800"}'),
    ("a NUL", rb'{"message": "\u0000", "query": "\u0000", "title": "\u0000", "tags": ["\u0000"]}'),
    ("deep", b"[" * 100_000),
    ("deep object", b'{"message":' * 50_000),
    (
        "a long number",
        b'{"limit": ' + b"9" * 10_000 + b', "query": "a", "message": "a", "max_iterations": 1e999}',
    ),
    ("not a number", b'{"limit": NaN, "query": "a", "max_iterations": Infinity, "message": "a"}'),
    ("a key twice", b'{"message": "a", "message": 5, "query": 1, "query": "a"}'),
    ("null", b"null"),
    ("a list", b"[]"),
    ("many fields", json.dumps({f"f{n}": n for n in range(50_000)}).encode()),
    ("many ids", json.dumps({"query": "a", "message": "a", "document_ids": ["a"] * 100_000}).encode()),
    (
        "everything wrong",
        json.dumps({name: {} for name in ("query", "message", "title", "tags", "limit")}).encode(),
    ),
    ("too much", b'{"message": "' + b"a" * 2_000_000 + b'"}'),
]


@pytest.mark.parametrize("number", range(len(BODIES)), ids=[name for name, _ in BODIES])
async def test_bodies_that_are_none_are_told(web: Web, anna: Person, number: int) -> None:
    name, body = BODIES[number]
    for entry in routes(web):
        if entry.method not in {"POST", "PATCH", "PUT"} or entry.path == UPLOAD:
            continue
        for content_type in (
            "application/json",
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
        ):
            headers = {"Content-Type": content_type}
            answer = await anna.http.request(entry.method, _filled(entry.path), content=body, headers=headers)
            assert_told(answer, (entry.name, name, content_type))


def _filled(path: str) -> str:
    return re.sub(r"\{\w+\}", "1", path)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_FIELDS = (
    "message", "session_id", "model", "language", "group_ids", "document_ids", "stream", "max_iterations", "query",
    "limit", "group_id", "tags", "collection", "title", "is_private",
)  # fmt: skip


async def test_any_json_is_answered(web: Web, anna: Person) -> None:
    writes = [e for e in routes(web) if e.method in {"POST", "PATCH"} and e.path != UPLOAD]
    bodies: list[Any] = []

    @given(st.fixed_dictionaries({}, optional=dict.fromkeys(_FIELDS, _JSON)))
    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def gather(body: dict[str, Any]) -> None:
        bodies.append(body)

    gather()
    for body in bodies:
        for entry in writes:
            sent = json.dumps(body).encode()  # with NaN and lone surrogates, as a careless client would
            answer = await anna.http.request(
                entry.method, _filled(entry.path), content=sent, headers={"Content-Type": "application/json"}
            )
            assert_told(answer, (entry.name, body))


async def test_methods_and_paths_that_are_none(anna: Person) -> None:
    for method in ("PUT", "TRACE", "OPTIONS", "PROPFIND", "DELETE"):
        assert_told(await anna.http.request(method, "/v1/search"), method)
    for path in (
        "/v1",
        "/v1/",
        "/v1//documents",
        "/v1/documents/",
        "/v1/documents/%2e%2e/users",
        "/v1/%00",
        "/v1/" + "a/" * 2_000,
    ):
        answer = await anna.http.get(path)
        assert_told(answer, path)
        assert answer.status_code == 404, path


async def test_headers_that_are_none(web: Web, anna: Person) -> None:
    item = (await anna.upload(b"words")).json()["items"][0]
    await web.ready()
    file_id = (await anna.http.get(f"/v1/documents/{item['document_id']}")).json()["file_id"]
    url = f"/v1/files/{file_id}/download"
    odd = [
        "",
        "\xff",
        "a" * 8_000,
        '"' * 4_000,
        "bytes=" + "0-1," * 2_000,
        "bytes=" + "9" * 4_000 + "-",
        'W/"' * 2_000,
    ]
    for name in ("Range", "If-Range", "If-None-Match"):
        for value in odd:
            assert_told(
                await anna.http.get(url, headers={name.encode(): value.encode("latin-1")}), (name, value[:20])
            )


# --- uploads


def form_parts() -> Iterator[tuple[str, bytes, int]]:
    """(what, body, status)"""
    head = f"--{BOUNDARY}\r\n".encode()
    end = f"--{BOUNDARY}--\r\n".encode()
    disposition = b'Content-Disposition: form-data; name="files"; filename="a.txt"\r\n'
    good = head + disposition + b"\r\nwords\r\n"
    yield "an empty body", b"", 400
    yield "no boundary", b"words" * 1_000, 400
    yield "another boundary", good.replace(BOUNDARY.encode(), b"other") + end, 400
    yield "only the end", end, 422
    yield "a part without a head", head + b"\r\nwords\r\n" + end, 400
    yield "a part without a name", head + b"Content-Disposition: form-data\r\n\r\nwords\r\n" + end, 400
    yield "a header bomb", head + disposition + b"X-A: b\r\n" * 1_000 + b"\r\nwords\r\n" + end, 400
    yield "a long header", head + b"X-A: " + b"b" * 1_000_000, 400
    yield "a header that never ends", head + b"X" * 1_000_000, 400
    yield "many fields", (head + b'Content-Disposition: form-data; name="x"\r\n\r\n\r\n') * 5_000 + end, 413
    yield "many files", (head + disposition + b"\r\nw\r\n") * 500 + end, 413
    large = b"a" * (MAX_FIELD_BYTES + 1)
    yield (
        "a large field",
        head + b'Content-Disposition: form-data; name="tags"\r\n\r\n' + large + b"\r\n" + good + end,
        413,
    )
    yield "a cut body", good, 400
    yield "a cut boundary", good + f"--{BOUNDARY}".encode(), 400
    yield "a bare line feed", good.replace(b"\r\n", b"\n") + end, 400
    yield (
        "a NUL in a field",
        head + b'Content-Disposition: form-data; name="group_id"\r\n\r\na\0b\r\n' + good + end,
        422,
    )
    yield (
        "no UTF-8 in a field",
        head + b'Content-Disposition: form-data; name="tags"\r\n\r\n\xff\r\n' + good + end,
        422,
    )
    yield (
        "a group that is none",
        head + b'Content-Disposition: form-data; name="group_id"\r\n\r\n../x\r\n' + good + end,
        404,
    )
    yield (
        "a long group",
        head
        + b'Content-Disposition: form-data; name="group_id"\r\n\r\n'
        + b"g" * 5_000
        + b"\r\n"
        + good
        + end,
        404,
    )
    yield (
        "a tag of 65",
        head + b'Content-Disposition: form-data; name="tags"\r\n\r\n' + b"t" * 65 + b"\r\n" + good + end,
        422,
    )
    nested = disposition + b"Content-Type: multipart/mixed; boundary=inner\r\n"
    yield "a form in a form", head + nested + b"\r\n--inner\r\n\r\nwords\r\n--inner--\r\n" + end, 202


@pytest.mark.parametrize("number", range(len(list(form_parts()))), ids=[what for what, _, _ in form_parts()])
async def test_forms_that_are_none_are_told(web: Web, anna: Person, number: int) -> None:
    what, body, status = list(form_parts())[number]
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    answer = await anna.http.post(UPLOAD, content=body, headers=headers)
    assert_told(answer, what)
    assert answer.status_code == status
    stored = (await anna.http.get("/v1/documents")).json()["items"]
    assert len(stored) == (1 if status == 202 else 0)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("", 415),
        ("application/json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/mixed; boundary=a", 415),
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=", 400),
        ("multipart/form-data; boundary=" + "a" * 5_000, 400),
        ('multipart/form-data; boundary="a\\"b', 400),
    ],
)
async def test_types_that_are_none_are_told(anna: Person, content_type: str, status: int) -> None:
    answer = await anna.http.post(UPLOAD, content=b"words", headers={"Content-Type": content_type})
    assert_told(answer, content_type)
    assert answer.status_code == status


@pytest.mark.parametrize(
    "filename",
    [
        "../../etc/passwd",
        "a\0b.txt",
        "a" * 300 + ".txt",
        "\u202egpj.txt",
        "CON.txt",
        ".",
        "..",
        " ",
        "a/b\\c.txt",
        "é" * 200,
        "🦆.txt",
    ],
)
async def test_names_of_files_are_only_names(web: Web, anna: Person, filename: str) -> None:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{filename}"\r\n\r\n'
    body = head.encode() + f"words\r\n--{BOUNDARY}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    answer = await anna.http.post(UPLOAD, content=body, headers=headers)
    assert_told(answer, filename)
    if answer.status_code == 202:
        item = answer.json()["items"][0]
        assert not re.search(r"[/\\\0\u202e]", item["filename"])
        assert item["filename"].strip(". ")
        assert len(item["filename"].encode()) <= 255
        document = (await anna.http.get(f"/v1/documents/{item['document_id']}")).json()
        download = await anna.http.get(f"/v1/files/{document['file_id']}/download")
        assert download.content == b"words"
        assert "\n" not in download.headers["content-disposition"]


@given(body=st.binary(max_size=400), size=st.integers(1, 64))
@settings(max_examples=200, deadline=None)
async def test_any_bytes_end_a_form_with_an_error_of_ours(body: bytes, size: int) -> None:
    async def chunks() -> Any:
        data = f"--{BOUNDARY}\r\n".encode() + body
        for at in range(0, len(data), size):
            yield data[at : at + size]

    with pytest.raises(AppError):
        await _read(MultipartReader(chunks(), BOUNDARY.encode(), max_discarded=10_000))


async def _read(reader: MultipartReader) -> None:
    while await reader.next_part() is not None:
        async for _ in reader.content():
            pass


async def test_what_is_refused_is_not_read_to_its_end(web: Web, anna: Person) -> None:
    headers = {
        "Authorization": f"Bearer {anna.key}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }
    async with exchange(web.app, "POST", UPLOAD, headers, query="group_id=unknown") as request:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
        await request.send(head.encode() + b"a" * 1_000)
        status, _ = await request.start()  # before the rest was sent
        assert status == 404


async def test_every_route_is_described(web: Web) -> None:
    """The OpenAPI document is made, and each of our routes says what it answers, well or badly."""
    described = web.api.openapi()["paths"]
    silent = []
    for entry in routes(web):
        if not entry.path.startswith(OURS):
            continue
        responses = described[entry.path][entry.method.lower()]["responses"]
        good = {status: answer for status, answer in responses.items() if status.startswith("2")}
        is_told = all("content" in answer for status, answer in good.items() if status != "204")
        if not (
            good
            and is_told
            and {"400", "401", "404", "415"} <= responses.keys()
            and "default" not in responses
        ):
            silent.append(entry.name)
    assert not silent
