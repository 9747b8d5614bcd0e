"""The outer checks around every request, plain ASGI: correlation id, address, security headers, caching, Host, Origin.

They stand in front of Reflex, /v1 and the static files alike and know nothing of any of them but the first segment of a
path. No domain, no database, no body is read here.
"""

import ipaddress
import re
import uuid
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from youworker_app.api.peers import RealPeer
from youworker_app.core.addresses import NOWHERE, Networks, find_address
from youworker_app.core.errors import AppError, Forbidden, Malformed, NotFound
from youworker_app.core.origins import find_origin
from youworker_app.core.refusals import refused
from youworker_app.core.telemetry import correlation_id, get_logger

log = get_logger(__name__)

CORRELATION_HEADER = "x-correlation-id"
_WELL_FORMED_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_HOST_HEADER = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>\d{1,5}))?")
_HASHED_ASSET = re.compile(r"/assets/[\w./-]+-[\w-]{8}\.\w+")
_YEAR = "public, max-age=31536000, immutable"

# Reflex adds these by itself; none is used here, and /_upload would hand out the upload folder to anyone. What the socket in
# the data folder answers as /maintenance is not even a name here.
CLOSED_SEGMENTS = frozenset({"_upload", "_all_routes", "_health", "ping", "auth-codespace", "maintenance"})
_STARTS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})
_READS = frozenset({"GET", "HEAD"})
_WILDCARDS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared, not bound


class HostNotAllowed(Malformed):
    code = "HOST_NOT_ALLOWED"
    template = (
        "This server does not answer to that name. If people should reach it there, add the address to "
        "YOUWORKER_SERVER_PUBLIC_ORIGINS."
    )


class ForeignOrigin(Forbidden):
    code, template = "FOREIGN_ORIGIN", "This request was sent by a page of another site and was refused."


class AddressNotAllowed(Forbidden):
    code = "ADDRESS_NOT_ALLOWED"
    template = "This server does not answer to the address {address}. Ask an administrator if it should."


@dataclass(frozen=True)
class OuterPolicy:
    """What the outer checks go by. `script_hashes` are `sha256-…` sources; `public_origins` are read origins, as text.

    Without `allowed_addresses` every address may ask.
    """

    server_host: str = "127.0.0.1"
    public_origins: tuple[str, ...] = ()
    script_hashes: tuple[str, ...] = ()
    trusted_proxies: Networks = NOWHERE
    allowed_addresses: Networks = NOWHERE
    _public_hosts: frozenset[str] = field(init=False)
    _https_hosts: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        parts = [urlsplit(origin) for origin in self.public_origins]
        object.__setattr__(self, "_public_hosts", frozenset(p.hostname for p in parts if p.hostname))
        object.__setattr__(
            self, "_https_hosts", frozenset(p.netloc.lower() for p in parts if p.scheme == "https")
        )

    def allows_host(self, header: str) -> bool:
        """Whether a Host header names this server. Numbers are let through on a wildcard address: a page can rebind a
        name to this machine, never a number."""
        found = _HOST_HEADER.fullmatch(header)
        if found is None:
            return False
        name = found["name"].strip("[]").lower().removesuffix(".")
        if name in self._public_hosts or name == self.server_host.lower() or name == "localhost":
            return True
        try:
            number = ipaddress.ip_address(name)
        except ValueError:
            return False
        return number.is_loopback or self.server_host in _WILDCARDS

    def allows_origin(self, origin: str, host: str) -> bool:
        """Whether a page of `origin` may write here: its host is the one asked for, or it is a public origin."""
        found = find_origin(origin)
        if found is None:
            return False
        if str(found) in self.public_origins:
            return True
        default = ":443" if found.scheme == "https" else ":80"
        return found.netloc == host.lower().removesuffix(default)

    def allows_address(self, address: str) -> bool:
        """Whether anything is answered there. An address that nobody knows is on no list."""
        return not self.allowed_addresses or find_address(address) in self.allowed_addresses

    def is_https(self, scope: Scope, host: str) -> bool:
        """Whether people reach this over TLS, here or at a proxy that the public origins name."""
        return scope.get("scheme") in {"https", "wss"} or host.lower() in self._https_hosts


def harden(app: ASGIApp, policy: OuterPolicy) -> ASGIApp:
    """The application inside all outer checks; the correlation id is outermost, so that refusals carry it too."""
    for wrap in (ClosedPaths, OriginCheck, HostCheck, AddressCheck, SecurityHeaders):
        app = wrap(app, policy)
    return CorrelationId(RealPeer(app, policy.trusted_proxies))


class CorrelationId:
    """Takes a well-formed X-Correlation-ID or makes one, sets it for logs, and answers it on every response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(CORRELATION_HEADER, "")
        current = given if _WELL_FORMED_ID.fullmatch(given) else uuid.uuid4().hex

        async def send_with_id(message: Message) -> None:
            if message["type"] in _STARTS:
                message.setdefault("headers", [])
                MutableHeaders(scope=message)[CORRELATION_HEADER] = current
            await send(message)

        token = correlation_id.set(current)
        try:
            await self.app(scope, receive, send_with_id)
        finally:
            correlation_id.reset(token)


class SecurityHeaders:
    """Adds the security and caching headers that a response does not set itself."""

    def __init__(self, app: ASGIApp, policy: OuterPolicy) -> None:
        self.app, self.policy = app, policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        host = Headers(scope=scope).get("host", "")
        known = host if self.policy.allows_host(host) else ""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                headers = MutableHeaders(scope=message)
                for name, value in security_headers(self.policy.script_hashes, known):
                    headers.setdefault(name, value)
                if self.policy.is_https(scope, known):
                    headers.setdefault("strict-transport-security", "max-age=31536000")
                if caching := cache_control(scope["path"], message["status"], headers):
                    headers.setdefault("cache-control", caching)
                if "location" in headers:
                    headers["location"] = own_location(headers["location"], host)
            await send(message)

        await self.app(scope, receive, send_with_headers)


def own_location(location: str, host: str) -> str:
    """An absolute address of ours as a path: behind a proxy its scheme and port would be the inner ones."""
    for scheme in ("http://", "https://"):
        if host and location.startswith(f"{scheme}{host}/"):
            return location[len(scheme) + len(host) :]
    return location


@lru_cache(maxsize=64)
def security_headers(script_hashes: tuple[str, ...], host: str) -> tuple[tuple[str, str], ...]:
    """The fixed headers. `host` is the asked one after the Host check, or empty; some browsers do not count the
    websocket of a page's own host as 'self', so that it is named.

    Referrer-Policy is same-origin and not no-referrer: with the latter browsers send `Origin: null` on form posts.
    """
    sockets = f" ws://{host} wss://{host}" if host else ""
    scripts = "".join(f" '{source}'" for source in script_hashes)
    content = (
        "default-src 'self'",
        f"script-src 'self'{scripts}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        f"connect-src 'self'{sockets}",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "object-src 'none'",
        "form-action 'self'",
    )
    return (
        ("content-security-policy", "; ".join(content)),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    )


def cache_control(path: str, status: int, headers: MutableHeaders) -> str | None:
    """Hashed files stay for ever, API answers are never kept, pages are asked for again each time."""
    if _HASHED_ASSET.fullmatch(path) and status in {200, 206, 304}:
        return _YEAR
    if path == "/v1" or path.startswith("/v1/"):
        return "no-store"
    if headers.get("content-type", "").startswith("text/html"):
        return "no-cache"
    return None


class AddressCheck:
    """Refuses addresses that are not on the list, if there is one, before anything else is looked at."""

    def __init__(self, app: ASGIApp, policy: OuterPolicy) -> None:
        self.app, self.policy = app, policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"} and not self.policy.allows_address(scope["client"][0]):
            await refuse(AddressNotAllowed(address=scope["client"][0]), scope, receive, send)
            return
        await self.app(scope, receive, send)


class HostCheck:
    """Refuses names that are not this server's (DNS rebinding)."""

    def __init__(self, app: ASGIApp, policy: OuterPolicy) -> None:
        self.app, self.policy = app, policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            hosts = Headers(scope=scope).getlist("host")
            if len(hosts) != 1 or not self.policy.allows_host(hosts[0]):
                await refuse(HostNotAllowed(), scope, receive, send)
                return
        await self.app(scope, receive, send)


class OriginCheck:
    """Refuses writes and websockets that a page of another site started. Programs send no Origin and pass."""

    def __init__(self, app: ASGIApp, policy: OuterPolicy) -> None:
        self.app, self.policy = app, policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" or (scope["type"] == "http" and scope["method"] not in _READS):
            headers = Headers(scope=scope)
            origins = headers.getlist("origin")
            host = headers.get("host", "")
            if not all(self.policy.allows_origin(origin, host) for origin in origins):
                await refuse(ForeignOrigin(), scope, receive, send)
                return
        await self.app(scope, receive, send)


class ClosedPaths:
    """Keeps what is not for the network from being reached, whatever stands behind."""

    def __init__(self, app: ASGIApp, policy: OuterPolicy) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"} and _first_segment(scope["path"]) in CLOSED_SEGMENTS:
            await refuse(NotFound(), scope, receive, send)
            return
        await self.app(scope, receive, send)


def _first_segment(path: str) -> str:
    return next((part for part in path.split("/") if part), "").lower()


async def refuse(error: AppError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers an outer refusal: JSON under /v1, a sentence elsewhere; a websocket is closed before it is accepted."""
    log.info("request_refused", code=error.code, kind=scope["type"])
    refused(error, scope["type"])
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": error.code})
        return
    await _answer(error, scope["path"])(scope, receive, send)


def _answer(error: AppError, path: str) -> Response:
    if path != "/v1" and not path.startswith("/v1/"):
        return PlainTextResponse(error.message, error.http_status)
    body = {"code": error.code, "message": error.message, "details": error.details}
    return JSONResponse({"error": body | {"correlation_id": correlation_id.get()}}, error.http_status)
