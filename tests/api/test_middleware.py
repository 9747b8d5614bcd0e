"""The outer checks, driven as ASGI without a server."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Scope
from starlette.websockets import WebSocket

from youworker_app.api.middleware import CLOSED_SEGMENTS, OuterPolicy, harden, own_location
from youworker_app.core.telemetry import correlation_id

HASH = "sha256-RFWPLDbv2BY+rCkDzsE+0fr8ylGr2R2faWMhq4lfEQc="
PUBLIC = "https://ai.example.it"


@dataclass
class Answer:
    """What came back. For a websocket `status` is 101 after an accept, else the close code."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def csp(self) -> dict[str, str]:
        parts = (part.strip().partition(" ") for part in self.headers["content-security-policy"].split(";"))
        return {name: sources for name, _, sources in parts}


async def send_to(app: ASGIApp, scope: Scope) -> Answer:
    answer = Answer()

    async def receive() -> Message:
        return {"type": "websocket.connect" if scope["type"] == "websocket" else "http.request", "body": b""}

    async def send(message: Message) -> None:
        if message["type"] in {"http.response.start", "websocket.accept"}:
            answer.status = message.get("status", 101)
            answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        elif message["type"] == "websocket.close" and not answer.status:
            answer.status = message["code"]
        answer.body += message.get("body", b"")

    await app(scope, receive, send)
    return answer


def scope_of(kind: str, path: str, headers: Iterable[tuple[str, str]], **more: Any) -> Scope:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return {"type": kind, "path": path, "raw_path": path.encode(), "query_string": b"", "headers": raw} | more


async def ask(
    path: str = "/",
    *,
    method: str = "GET",
    policy: OuterPolicy | None = None,
    host: str = "127.0.0.1:8000",
    scheme: str = "http",
    headers: Iterable[tuple[str, str]] = (),
    app: ASGIApp | None = None,
) -> Answer:
    scope = scope_of(
        "http", path, [("host", host), *headers], method=method, scheme=scheme, http_version="1.1"
    )
    return await send_to(harden(app or inner_app(), policy or OuterPolicy()), scope)


async def connect(
    origin: str | None,
    *,
    host: str = "127.0.0.1:8000",
    path: str = "/_event/",
    policy: OuterPolicy | None = None,
) -> Answer:
    given = [("host", host)] + ([("origin", origin)] if origin is not None else [])
    scope = scope_of("websocket", path, given, scheme="ws", http_version="1.1", subprotocols=[])
    return await send_to(harden(inner_app(), policy or OuterPolicy()), scope)


def inner_app() -> Starlette:
    """Answers everything: what is refused, an outer check refused."""

    def page(request: Request) -> Response:
        return HTMLResponse("<p>hello</p>")

    def plain(request: Request) -> Response:
        return PlainTextResponse(correlation_id.get())

    def missing(request: Request) -> Response:
        return PlainTextResponse("no", 404)

    def own_headers(request: Request) -> Response:
        own = {"cache-control": "private, max-age=60", "content-security-policy": "sandbox"}
        return JSONResponse({}, headers=own)

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()

    every = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    return Starlette(
        routes=[
            WebSocketRoute("/_event/", socket),
            Route("/", page, methods=every),
            Route("/v1/own", own_headers),
            Route("/assets/gone-DEDJwADk.js", missing),
            Route("/{path:path}", plain, methods=every),
        ]
    )


class TestSecurityHeaders:
    async def test_every_answer_carries_them(self) -> None:
        answer = await ask()
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "camera=()" in answer.headers["permissions-policy"]

    async def test_referrer_stays_on_the_site_and_form_posts_keep_their_origin(self) -> None:
        # no-referrer would make browsers send "Origin: null" with the sign-in form.
        assert (await ask()).headers["referrer-policy"] == "same-origin"

    async def test_scripts_run_from_here_or_by_hash_only(self) -> None:
        csp = (await ask(policy=OuterPolicy(script_hashes=(HASH,)))).csp
        assert csp["script-src"] == f"'self' '{HASH}'"
        assert csp["default-src"] == "'self'"
        assert csp["style-src"] == "'self' 'unsafe-inline'"
        assert csp["img-src"] == "'self' data: blob:"
        for nothing in ("frame-ancestors", "base-uri", "object-src"):
            assert csp[nothing] == "'none'"
        assert csp["form-action"] == "'self'"

    async def test_websockets_of_the_asked_host_are_allowed_and_no_other(self) -> None:
        csp = (await ask(host="localhost:8123")).csp
        assert csp["connect-src"] == "'self' ws://localhost:8123 wss://localhost:8123"

    async def test_a_foreign_host_is_not_written_into_the_policy(self) -> None:
        answer = await ask(host="evil.example")
        assert answer.csp["connect-src"] == "'self'"

    async def test_a_response_keeps_what_it_sets_itself(self) -> None:
        answer = await ask("/v1/own")
        assert answer.headers["content-security-policy"] == "sandbox"
        assert answer.headers["cache-control"] == "private, max-age=60"

    @pytest.mark.parametrize(
        ("scheme", "host", "sent"),
        [
            ("https", "127.0.0.1:8000", True),
            ("http", "ai.example.it", True),
            ("http", "127.0.0.1:8000", False),
        ],
    )
    async def test_hsts_on_https_only(self, scheme: str, host: str, *, sent: bool) -> None:
        answer = await ask(scheme=scheme, host=host, policy=OuterPolicy(public_origins=(PUBLIC,)))
        assert ("strict-transport-security" in answer.headers) is sent

    async def test_no_hsts_for_a_public_origin_in_clear(self) -> None:
        answer = await ask(host="ai.lan", policy=OuterPolicy(public_origins=("http://ai.lan",)))
        assert answer.status == 200
        assert "strict-transport-security" not in answer.headers


class TestCaching:
    @pytest.mark.parametrize(
        "path",
        ["/assets/entry.client-DMqNtF3h.js", "/assets/a-b_c-De-3_7zz.css", "/assets/x/manifest-a7b1f2fc.js"],
    )
    async def test_hashed_assets_stay_for_ever(self, path: str) -> None:
        assert (await ask(path)).headers["cache-control"] == "public, max-age=31536000, immutable"

    @pytest.mark.parametrize("path", ["/favicon.ico", "/assets/logo.svg", "/other/entry-DMqNtF3h.js"])
    async def test_files_without_a_hash_do_not(self, path: str) -> None:
        assert "cache-control" not in (await ask(path)).headers

    async def test_a_missing_asset_is_not_remembered(self) -> None:
        answer = await ask("/assets/gone-DEDJwADk.js")
        assert answer.status == 404
        assert "cache-control" not in answer.headers

    @pytest.mark.parametrize("path", ["/v1/documents", "/v1"])
    async def test_api_answers_are_not_stored(self, path: str) -> None:
        assert (await ask(path)).headers["cache-control"] == "no-store"

    async def test_pages_are_asked_for_again(self) -> None:
        assert (await ask("/")).headers["cache-control"] == "no-cache"


class TestCorrelationId:
    async def test_a_well_formed_one_is_taken_told_and_answered(self) -> None:
        answer = await ask("/x", headers=[("X-Correlation-ID", "abc-DEF_123")])
        assert answer.headers["x-correlation-id"] == "abc-DEF_123"
        assert answer.body == b"abc-DEF_123"

    @pytest.mark.parametrize(
        "given", ["short", "x" * 65, "with space 123", "semi;colon-1", "newline-\n12", "ümlaut-12"]
    )
    async def test_another_is_replaced(self, given: str) -> None:
        answer = await ask("/x", headers=[("X-Correlation-ID", given)])
        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-correlation-id"])
        assert answer.body.decode() == answer.headers["x-correlation-id"]

    async def test_two_requests_get_two_and_nothing_is_left_behind(self) -> None:
        first, second = await ask("/x"), await ask("/x")
        assert first.headers["x-correlation-id"] != second.headers["x-correlation-id"]
        assert correlation_id.get() == ""

    async def test_refusals_carry_it_too(self) -> None:
        answer = await ask("/v1/x", host="evil.example", headers=[("X-Correlation-ID", "abcdefgh")])
        assert answer.headers["x-correlation-id"] == "abcdefgh"
        assert b'"correlation_id":"abcdefgh"' in answer.body

    async def test_an_accepted_websocket_answers_it(self) -> None:
        answer = await connect(None)
        assert answer.status == 101
        assert "x-correlation-id" in answer.headers

    async def test_an_accept_without_headers_is_fine(self) -> None:
        async def bare(scope: Scope, receive: Any, send: Any) -> None:
            await send({"type": "websocket.accept"})

        scope = scope_of("websocket", "/_event/", [("host", "localhost")], scheme="ws")
        assert "x-correlation-id" in (await send_to(harden(bare, OuterPolicy()), scope)).headers


class TestHost:
    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1",
            "127.0.0.1:8000",
            "localhost:8000",
            "LOCALHOST",
            "[::1]:8000",
            "127.9.9.9",
            "localhost.",
        ],
    )
    async def test_loopback_names_pass(self, host: str) -> None:
        assert (await ask(host=host)).status == 200

    @pytest.mark.parametrize(
        "host",
        [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil-localhost",
            "192.168.1.7:8000",
            "localhost:8000@evil.example",
            "localhost, evil.example",
            "[::1",
            "",
            " ",
        ],
    )
    async def test_other_names_are_refused(self, host: str) -> None:
        answer = await ask(host=host)
        assert answer.status == 400
        assert answer.headers["content-type"].startswith("text/plain")
        assert b"YOUWORKER_SERVER_PUBLIC_ORIGINS" in answer.body

    async def test_websockets_too(self) -> None:
        assert (await connect("http://evil.example", host="evil.example")).status == 1008

    async def test_the_configured_names_pass(self) -> None:
        policy = OuterPolicy(server_host="box.lan", public_origins=(PUBLIC,))
        assert (await ask(host="box.lan:8000", policy=policy)).status == 200
        assert (await ask(host="ai.example.it", policy=policy)).status == 200
        assert (await ask(host="other.example.it", policy=policy)).status == 400

    @pytest.mark.parametrize(
        ("host", "status"), [("192.168.1.7:8000", 200), ("[fe80::7]:80", 200), ("box.lan", 400)]
    )
    async def test_on_all_addresses_numbers_pass_and_names_do_not(self, host: str, status: int) -> None:
        assert (await ask(host=host, policy=OuterPolicy(server_host="0.0.0.0"))).status == status  # noqa: S104

    async def test_none_or_two_are_refused(self) -> None:
        for headers in ([], [("host", "localhost"), ("host", "localhost")]):
            scope = scope_of("http", "/", headers, method="GET", scheme="http")
            assert (await send_to(harden(inner_app(), OuterPolicy()), scope)).status == 400


class TestOrigin:
    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    @pytest.mark.parametrize(
        "origin",
        [
            "http://evil.example",
            "http://127.0.0.1:9000",
            "http://127.0.0.1",
            "null",
            "",
            "file://",
            "http://127.0.0.1:8000.evil.example",
            "http://evil.example@127.0.0.1:8000",
            "extension://127.0.0.1:8000",
            "http://[",
        ],
    )
    async def test_a_foreign_page_writes_nothing(self, method: str, origin: str) -> None:
        answer = await ask("/v1/x", method=method, headers=[("Origin", origin)])
        assert answer.status == 403
        assert b'"code":"FOREIGN_ORIGIN"' in answer.body

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    async def test_reading_passes(self, method: str) -> None:
        assert (await ask(method=method, headers=[("Origin", "http://evil.example")])).status == 200

    @pytest.mark.parametrize(
        ("origin", "host"),
        [
            ("http://127.0.0.1:8000", "127.0.0.1:8000"),
            ("http://localhost:8000", "LOCALHOST:8000"),
            ("http://localhost", "localhost:80"),
            ("https://ai.example.it", "ai.example.it"),
            ("https://ai.example.it", "ai.example.it:443"),
            ("https://ai.example.it", "127.0.0.1:8000"),
        ],
    )
    async def test_the_own_page_writes(self, origin: str, host: str) -> None:
        policy = OuterPolicy(public_origins=(PUBLIC,))
        assert (
            await ask(method="POST", host=host, headers=[("Origin", origin)], policy=policy)
        ).status == 200

    async def test_programs_without_an_origin_write(self) -> None:
        assert (await ask(method="POST")).status == 200

    async def test_two_origins_must_both_be_ours(self) -> None:
        both = [("Origin", "http://127.0.0.1:8000"), ("Origin", "http://evil.example")]
        assert (await ask(method="POST", headers=both)).status == 403

    @pytest.mark.parametrize("origin", ["http://evil.example", "null", ""])
    async def test_a_foreign_websocket_is_closed_before_it_is_accepted(self, origin: str) -> None:
        assert (await connect(origin)).status == 1008

    @pytest.mark.parametrize("origin", ["http://127.0.0.1:8000", None])
    async def test_the_own_websocket_is_accepted(self, origin: str | None) -> None:
        assert (await connect(origin)).status == 101


class TestClosedPaths:
    @pytest.mark.parametrize("segment", sorted(CLOSED_SEGMENTS))
    @pytest.mark.parametrize("shape", ["/{}", "/{}/", "/{}/secret.txt", "//{}", "/{}/../{}"])
    async def test_the_endpoints_that_reflex_adds_are_not_there(self, segment: str, shape: str) -> None:
        for method in ("GET", "POST"):
            assert (await ask(shape.format(segment, segment), method=method)).status == 404

    async def test_upload_is_closed_in_other_letters(self) -> None:
        assert (await ask("/_UPLOAD/x")).status == 404

    async def test_similar_paths_are_open(self) -> None:
        assert (await ask("/pingpong")).status == 200
        assert (await ask("/v1/ping")).status == 200


async def test_lifespan_passes_untouched() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    await send_to(harden(app, OuterPolicy()), {"type": "lifespan"})
    assert seen == ["lifespan"]


@pytest.mark.parametrize(
    ("location", "own"),
    [
        ("http://ai.example.it/login/", "/login/"),
        ("https://ai.example.it/login/?next=%2F", "/login/?next=%2F"),
        ("/login", "/login"),
        ("https://provider.example/authorize", "https://provider.example/authorize"),
        ("http://ai.example.it.evil.example/", "http://ai.example.it.evil.example/"),
    ],
)
def test_a_redirect_to_ourselves_names_no_scheme(location: str, own: str) -> None:
    assert own_location(location, "ai.example.it") == own
