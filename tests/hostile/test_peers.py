"""Who asks cannot be made up: forwarded headers from strangers, several of them, garbage, every way to write an address."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from youworker_app.api.middleware import OuterPolicy, harden
from youworker_app.core.addresses import Networks
from youworker_app.core.telemetry import client_address

PROXY, OTHER_PROXY, STRANGER, PERSON = "10.0.0.5", "10.0.0.6", "203.0.113.9", "198.51.100.7"
FOR, PROTO = "X-Forwarded-For", "X-Forwarded-Proto"
TRUSTED = Networks(["10.0.0.5", "10.0.0.6", "2001:db8::5"])


@dataclass
class Seen:
    """What the application was told, if it was asked, and what was answered."""

    client: tuple[str, int] | None = None
    scheme: str = ""
    address: str = ""
    answers: list[Message] = field(default_factory=list)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.client, self.scheme, self.address = scope["client"], scope["scheme"], client_address.get()


async def ask(
    peer: str | None,
    *headers: tuple[str, str],
    kind: str = "http",
    trusted: Networks = TRUSTED,
    allowed: Sequence[str] = (),
    path: str = "/v1/documents",
) -> Seen:
    """One request from `peer`, through the outer checks."""
    seen = Seen()
    raw = [
        (name.lower().encode(), value.encode("latin-1")) for name, value in [("host", "127.0.0.1"), *headers]
    ]
    scope: dict[str, Any] = {
        "type": kind,
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": raw,
        "scheme": "ws" if kind == "websocket" else "http",
        "client": None if peer is None else (peer, 50_000),
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        seen.answers.append(message)

    policy = OuterPolicy(trusted_proxies=trusted, allowed_addresses=Networks(allowed))
    await harden(seen.app, policy)(scope, receive, send)
    return seen


KINDS = pytest.mark.parametrize("kind", ["http", "websocket"])


@KINDS
@pytest.mark.parametrize("value", [PERSON, "127.0.0.1", PROXY, "::1"])
async def test_forwarded_headers_of_a_stranger_are_not_believed(kind: str, value: str) -> None:
    seen = await ask(
        STRANGER,
        (FOR, value),
        (PROTO, "https"),
        ("Forwarded", f"for={value}"),
        ("X-Real-IP", value),
        kind=kind,
    )
    assert (seen.client, seen.address) == ((STRANGER, 50_000), STRANGER)
    assert seen.scheme in {"http", "ws"}


@KINDS
async def test_without_trusted_proxies_nobody_is_believed(kind: str) -> None:
    seen = await ask("127.0.0.1", (FOR, PERSON), (PROTO, "https"), kind=kind, trusted=Networks())
    assert seen.address == "127.0.0.1"
    assert seen.scheme in {"http", "ws"}


@KINDS
async def test_a_trusted_proxy_is_believed(kind: str) -> None:
    seen = await ask(PROXY, (FOR, PERSON), (PROTO, "https"), kind=kind)
    assert seen.address == PERSON
    assert seen.client == (PERSON, 50_000)
    assert seen.scheme == {"http": "https", "websocket": "wss"}[kind]


@pytest.mark.parametrize(
    ("values", "real"),
    [
        # What a client wrote stands left of what the proxy wrote.
        ([f"127.0.0.1, {PERSON}"], PERSON),
        ([f"{STRANGER}, {PERSON}"], PERSON),
        ([f"{PROXY}, {PERSON}"], PERSON),
        ([f"garbage, , \x00, {PERSON}"], PERSON),
        (["127.0.0.1", PERSON], PERSON),  # in two headers, in their order
        ([f"127.0.0.1, {STRANGER}", PERSON], PERSON),
        ([PERSON, OTHER_PROXY], PERSON),
        ([f"127.0.0.1, {PERSON}, {OTHER_PROXY}"], PERSON),
        ([f"{PERSON}, {OTHER_PROXY}, {PROXY}"], PERSON),
        ([f"127.0.0.1,{PERSON}:51234"], PERSON),
        (["127.0.0.1, [2001:db8:1::7]:443"], "2001:db8:1::7"),
        (["127.0.0.1, 2001:DB8:1:0::7"], "2001:db8:1::7"),
        ([f"127.0.0.1, ::ffff:{PERSON}"], PERSON),
        ([f"{PERSON}, ::ffff:{OTHER_PROXY}"], PERSON),
        ([OTHER_PROXY], OTHER_PROXY),  # the proxy's own question
        ([], PROXY),
    ],
)  # fmt: skip
async def test_the_nearest_that_is_no_proxy_is_the_one(values: list[str], real: str) -> None:
    assert (await ask(PROXY, *((FOR, value) for value in values))).address == real


@pytest.mark.parametrize("peer", [PROXY, f"::ffff:{PROXY}", "2001:db8::5", "2001:DB8:0:0::5"])
async def test_a_proxy_is_known_however_its_address_is_written(peer: str) -> None:
    assert (await ask(peer, (FOR, PERSON))).address == PERSON


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "unknown",
        "garbage",
        f"{PERSON},",
        f"{PERSON}, unknown",
        "<script>",
        "a" * 10_000,
        "1.2.3",
        "%00",
        "'; --",
    ],
)
async def test_garbage_is_nobodys_address(value: str) -> None:
    seen = await ask(PROXY, (FOR, value))
    assert seen.client is not None
    assert (seen.client[0], seen.address) == ("", "")
    # Nor is it on any list, the proxy's own network included.
    refused = await ask(PROXY, (FOR, value), allowed=["10.0.0.0/8", "0.0.0.0/0", "::/0"])
    assert refused.client is None
    assert refused.answers[0]["status"] == 403


@pytest.mark.parametrize(
    ("values", "scheme"),
    [
        (["https"], "https"),
        (["HTTPS"], "https"),
        (["http, https"], "https"),
        (["https, http"], "http"),
        (["http", "https"], "https"),
        (["javascript"], "http"),
        ([""], "http"),
        (["https\t"], "https"),
    ],
)
async def test_the_scheme_is_what_the_nearest_proxy_says(values: list[str], scheme: str) -> None:
    assert (await ask(PROXY, *((PROTO, value) for value in values))).scheme == scheme


async def test_a_long_row_of_proxies_ends() -> None:
    assert (await ask(PROXY, (FOR, ",".join([PERSON] + [OTHER_PROXY] * 5_000)))).address == OTHER_PROXY


# --- the list of addresses


@KINDS
@pytest.mark.parametrize(
    ("peer", "allowed", "passes"),
    [
        ("10.1.2.3", ["10.0.0.0/8"], True),
        ("11.1.2.3", ["10.0.0.0/8"], False),
        ("::ffff:10.1.2.3", ["10.0.0.0/8"], True),
        ("::ffff:11.1.2.3", ["10.0.0.0/8"], False),
        ("10.1.2.3", ["::ffff:10.0.0.0/104"], True),
        ("2001:db8::9", ["2001:db8::/32"], True),
        ("2001:db9::9", ["2001:db8::/32"], False),
        ("10.1.2.3", ["::/0"], False),
        ("2001:db8::9", ["0.0.0.0/0"], False),
        ("fe80::1%eth0", ["fe80::/10"], True),
        (None, ["0.0.0.0/0", "::/0"], False),
        ("", ["0.0.0.0/0"], False),
        ("127.0.0.1", ["10.0.0.0/8"], False),
    ],
)
async def test_only_addresses_on_the_list_are_answered(
    kind: str, peer: str | None, allowed: list[str], *, passes: bool
) -> None:
    seen = await ask(peer, kind=kind, allowed=allowed, trusted=Networks())
    assert (seen.client is not None) is passes
    if not passes:
        wanted = {"status": 403} if kind == "http" else {"code": 1008, "reason": "ADDRESS_NOT_ALLOWED"}
        assert wanted.items() <= seen.answers[0].items()


@KINDS
async def test_the_list_is_about_the_real_peer(kind: str) -> None:
    assert (await ask(PROXY, (FOR, PERSON), kind=kind, allowed=[PERSON])).address == PERSON
    assert (await ask(PROXY, (FOR, STRANGER), kind=kind, allowed=["10.0.0.0/8", PERSON])).client is None
    assert (await ask(STRANGER, (FOR, PERSON), kind=kind, allowed=[PERSON])).client is None


@pytest.mark.parametrize("path", ["/", "/health", "/login", "/v1/documents", "/assets/a.js", "/_event/"])
async def test_the_list_holds_everywhere_and_the_refusal_is_ours(path: str) -> None:
    refused = await ask(STRANGER, path=path, allowed=["10.0.0.0/8"])
    assert refused.client is None
    start, body = refused.answers[:2]
    assert start["status"] == 403
    headers = dict(start["headers"])
    assert headers[b"x-correlation-id"]
    assert b"script-src 'self'" in headers[b"content-security-policy"]
    assert STRANGER.encode() in body["body"]


async def test_the_address_is_gone_after_the_request() -> None:
    await ask(STRANGER)
    assert client_address.get() == ""
