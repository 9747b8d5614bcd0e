"""The rules around all routes: one error shape, limits before parsing, nothing odd reaches a service."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter
from pydantic import BaseModel

from tests.api.rest import Rest, error_of, make_app
from youworker_app.api.middleware import OuterPolicy, harden
from youworker_app.core.errors import DependencyAway

router = APIRouter(prefix="/trial")


class TrialBody(BaseModel, extra="forbid"):
    text: str
    number: int = 0


@router.post("")
async def echo(body: TrialBody) -> TrialBody:
    return body


@router.get("/broken")
async def broken() -> None:
    raise RuntimeError("the secret of the broken route")


@router.get("/away")
async def away() -> None:
    raise DependencyAway


@pytest.fixture
async def client(rest: Rest) -> httpx.AsyncClient:
    """A client of an app with a few routes for trying."""
    rest.app = harden(make_app(router), OuterPolicy())
    return rest.client()


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/", "/v1/nothing", "/v1/groups/", "/v1/auth/me/x", "/v1/%00", "/v1/groups/%00"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_unknown_addresses(rest: Rest, method: str, path: str) -> None:
    answer = await rest.client().request(method, path)
    assert error_of(answer) == (404, "NOT_FOUND")
    assert path not in answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1/auth/me"),
        ("GET", "/v1/auth/login"),
        ("HEAD", "/v1/auth/me"),
        ("TRACE", "/v1/users"),
        ("OPTIONS", "/v1/users"),
    ],
)
async def test_the_wrong_method(rest: Rest, method: str, path: str) -> None:
    answer = await rest.client().request(method, path)
    assert answer.status_code == 405
    if method != "HEAD":
        assert error_of(answer) == (405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (422, "INVALID")),
        (b"{", (400, "MALFORMED")),
        (b"\xff\xfe", (400, "MALFORMED")),
        (b"[" * 100_000, (400, "MALFORMED")),
        (b'{"text": "\\ud800"', (400, "MALFORMED")),
        (b'["\\ud800", ' + b"[" * 100_000, (400, "MALFORMED")),
        (b"null", (422, "INVALID")),
        (b"[]", (422, "INVALID")),
        (b'"text"', (422, "INVALID")),
        (b'{"text": 1}', (422, "INVALID")),
        (b'{"text": "\\ud800"}', (400, "MALFORMED")),
        (b'{"text": "\\uDC00\\uD800"}', (400, "MALFORMED")),
        (b'{"text": "x", "number": 1e999}', (422, "INVALID")),
        (b'{"text": "x", "number": ' + b"9" * 5_000 + b"}", (400, "MALFORMED")),
        (b'{"text": "x", "\\ud800": 1}', (400, "MALFORMED")),
        (b'{"text": NaN}', (422, "INVALID")),
    ],
)
async def test_bodies_that_are_wrong(
    client: httpx.AsyncClient, body: bytes, expected: tuple[int, str]
) -> None:
    answer = await client.post("/v1/trial", content=body, headers={"content-type": "application/json"})
    assert error_of(answer) == expected


async def test_whole_characters_pass(client: httpx.AsyncClient) -> None:
    body = b'{"text": "\\ud83d\\ude00 \\\\ud800"}'
    answer = await client.post("/v1/trial", content=body, headers={"content-type": "application/json"})
    assert answer.json()["text"] == "\U0001f600 \\ud800"


async def test_what_was_sent_is_not_sent_back(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/trial", json={"text": ["my secret"], "number": "my secret"})
    assert error_of(answer) == (422, "INVALID")
    assert "secret" not in answer.text
    assert [each["field"] for each in answer.json()["error"]["details"]["fields"]] == [
        "body.text",
        "body.number",
    ]


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx"],
)
async def test_json_only(client: httpx.AsyncClient, content_type: str) -> None:
    """A page of another site can send these without asking; JSON it cannot."""
    answer = await client.post("/v1/trial", content=b'{"text": "x"}', headers={"content-type": content_type})
    assert error_of(answer) == (415, "UNSUPPORTED_TYPE")


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"]
)
async def test_json_is_taken(client: httpx.AsyncClient, content_type: str) -> None:
    answer = await client.post("/v1/trial", content=b'{"text": "x"}', headers={"content-type": content_type})
    assert answer.json() == {"text": "x", "number": 0}


async def test_a_body_is_refused_as_soon_as_it_is_too_large(client: httpx.AsyncClient) -> None:
    sent = 0

    async def long() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 5_000_000:
            sent += 100_000
            yield b"x" * 100_000

    answer = await client.post("/v1/trial", content=long(), headers={"content-type": "application/json"})
    assert error_of(answer) == (413, "BODY_TOO_LARGE")
    assert sent <= 1_400_000
    announced = {"content-type": "application/json", "content-length": "9" * 30}
    answer = await client.post("/v1/trial", content=b"{}", headers=announced)
    assert error_of(answer) == (413, "BODY_TOO_LARGE")


async def test_the_largest_body_passes(client: httpx.AsyncClient) -> None:
    text = "x" * (1_200_000 - len('{"text":""}'))
    assert (await client.post("/v1/trial", json={"text": text})).status_code == 200
    assert error_of(await client.post("/v1/trial", json={"text": text + "x"})) == (413, "BODY_TOO_LARGE")


async def test_a_nul_in_the_query(rest: Rest) -> None:
    assert error_of(await rest.client().get("/v1/users?q=%00")) == (400, "MALFORMED")


async def test_our_own_defects_are_logged_and_not_told(
    client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await client.get("/v1/trial/broken", headers={"x-correlation-id": "a-known-number"})
    assert error_of(answer) == (500, "INTERNAL")
    assert "secret" not in answer.text
    assert "a-known-number" in answer.json()["error"]["message"]
    logged = "".join(capsys.readouterr())
    assert "the secret of the broken route" in logged
    assert "request_broke" in logged


async def test_what_is_away_is_503(client: httpx.AsyncClient) -> None:
    assert error_of(await client.get("/v1/trial/away")) == (503, "DEPENDENCY_AWAY")


async def test_the_description_is_served_with_its_page(rest: Rest) -> None:
    client = rest.client()
    described = (await client.get("/openapi.json")).json()
    assert "/v1/account/api-keys" in described["paths"]
    assert not [path for path in described["paths"] if not path.startswith(("/v1/", "/health"))]
    page = await client.get("/docs")
    assert page.status_code == 200
    for part in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js"):
        assert f"/docs/{part}" in page.text
        assert (await client.get(f"/docs/{part}")).status_code == 200
    assert "http" not in page.text
    for foreign in ("redoc.standalone.js", "..%2fcore.py", "nothing"):
        assert (await client.get(f"/docs/{foreign}")).status_code == 404


async def test_health(rest: Rest) -> None:
    client = rest.client()
    assert (await client.get("/health")).json() == {"status": "ok"}
    assert error_of(await client.get("/health/detailed")) == (401, "UNAUTHENTICATED")
    root = await rest.browser()
    detailed = (await root.get("/health/detailed")).json()
    assert detailed["status"] == "ok"
    assert detailed["checks"]["database"]["state"] == "ok"
    pool = detailed["database_pool"]
    assert (pool["in_use"], pool["waiting"], pool["exhausted"]) == (0, 0, 0)
    assert pool["most_in_use"] >= 1
    assert detailed["hints"] == []
    assert error_of(await (await rest.colleague("anna")).get("/health/detailed")) == (403, "ROOT_ONLY")
    assert error_of(await (await rest.script(root, "chat:read")).get("/health/detailed")) == (
        403,
        "SCOPE_MISSING",
    )
    assert (await (await rest.script(root, "admin")).get("/health/detailed")).status_code == 200
