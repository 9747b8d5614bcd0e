"""Hostile connections to a real server: an answer of ours, or the end of the connection; never a 500, a hang, or more memory.

One server for all of them, with patience in seconds instead of minutes. After each test it answers, and has no more files
open than before.
"""

import json
import socket
import time
from collections.abc import Iterator
from typing import Final

import pytest

from tests.e2e.product import Product
from tests.files import raw_pdf
from tests.hostile.wire import Wire, frame, message, reset, settled, until
from youworker_app.serve import HEADER_SECONDS

MIB: Final = 1024 * 1024
SOCKETS: Final = 1_000
# Far more than any of this needs, far less than what would be sent if it were all kept.
MORE_MEMORY: Final = 400 * MIB
SETTINGS: Final = {
    "YOUWORKER_SERVER_READER_PATIENCE_S": "4",
    "YOUWORKER_SERVER_SOCKET_IDLE_S": "3",
    "YOUWORKER_SERVER_BODY_PATIENCE_S": "1",
    "YOUWORKER_SERVER_MAX_SOCKETS": str(2 * SOCKETS),
    "YOUWORKER_SERVER_MAX_SOCKETS_PER_SESSION": str(SOCKETS),
    "YOUWORKER_INGESTION_UPLOAD_IDLE_S": "1",
}
FORM: Final = "Content-Type: multipart/form-data; boundary=xYzZy"
PART: Final = b'--xYzZy\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
END: Final = b"\r\n--xYzZy--\r\n"
HYDRATE: Final = "42/_event," + json.dumps(
    [
        "event",
        {"name": "reflex___state____state.hydrate", "payload": {}, "router_data": {"pathname": "/login"}},
    ]
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    product = Product(tmp_path_factory.mktemp("wire") / "data", settings=SETTINGS).start()
    try:
        wire = settled(product)
        yield wire
        log = product.log
    finally:
        product.end()
    assert "request_broke" not in log
    assert "Traceback" not in log
    assert wire.cookie not in log


@pytest.fixture
def wire(server: Wire) -> Iterator[Wire]:
    assert server.is_well()
    sockets, memory = server.sockets(), server.memory()
    yield server
    assert server.is_well()
    assert until(lambda: server.sockets() <= sockets, 60), (sockets, server.sockets())
    assert server.memory() < memory + MORE_MEMORY


HEADS: Final[list[tuple[str, bytes, set[int]]]] = [
    ("an old protocol", b"GET /health HTTP/1.0\r\nHost: HOST\r\n\r\n", {200}),
    ("an old protocol without a host", b"GET /health HTTP/1.0\r\n\r\n", {400}),
    ("no host", b"GET /health HTTP/1.1\r\n\r\n", {400}),
    ("two hosts", b"GET /health HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n", {400}),
    ("another host", b"GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n", {400}),
    ("a NUL in the path", b"GET /v1/documents/a\0b HTTP/1.1\r\nHost: HOST\r\n\r\n", {400}),
    ("a written NUL", b"GET /v1/documents/a%00b HTTP/1.1\r\nHost: HOST\r\n\r\n", {404}),
    ("a written NUL for a page", b"GET /a%00b HTTP/1.1\r\nHost: HOST\r\n\r\n", {404}),
    ("no UTF-8 in the path", b"GET /v1/documents/%ff HTTP/1.1\r\nHost: HOST\r\n\r\n", {401}),
    ("no UTF-8 for a page", b"GET /%ff%fe HTTP/1.1\r\nHost: HOST\r\n\r\n", {404}),
    ("raw bytes in the path", b"GET /\xff\xfe HTTP/1.1\r\nHost: HOST\r\n\r\n", {400}),
    ("a way out of the folder", b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: HOST\r\n\r\n", {404}),
    ("a long path", b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: HOST\r\n\r\n", {404}),
    ("a path of 1 MB", b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: HOST\r\n\r\n", {0, 414, 431}),
    ("a header of 1 MB", b"GET / HTTP/1.1\r\nHost: HOST\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n", {0, 431}),
    ("a thousand headers", b"GET / HTTP/1.1\r\nHost: HOST\r\n" + b"X: a\r\n" * 1_000 + b"\r\n", {431}),
    ("a NUL in a header", b"GET / HTTP/1.1\r\nHost: HOST\r\nX: a\0b\r\n\r\n", {400}),
    ("raw bytes in a header", b"GET /health HTTP/1.1\r\nHost: HOST\r\nCookie: \xff\r\n\r\n", {200}),
    ("raw bytes as a key", b"GET /v1/auth/me HTTP/1.1\r\nHost: HOST\r\nX-Api-Key: \xff\r\n\r\n", {401}),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 100 + b"\r\n\r\n", {400}),
    ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {0, 400, 505}),
    ("no method of ours", b"BREW /v1/documents HTTP/1.1\r\nHost: HOST\r\n\r\n", {405}),
    ("a tunnel", b"CONNECT evil.example:443 HTTP/1.1\r\nHost: HOST\r\n\r\n", {307, 400, 404, 405}),
    ("a negative length", b"POST /v1/auth/login HTTP/1.1\r\nHost: HOST\r\nContent-Length: -1\r\n\r\n", {400}),
    (
        "two lengths",
        b"POST /v1/auth/login HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        {400},
    ),
    ("a wrong upgrade", b"GET /_event/ HTTP/1.1\r\nHost: HOST\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", {400, 404}),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(HEADS)), ids=[what for what, _, _ in HEADS])
def test_heads_that_are_none_are_told_or_cut(wire: Wire, number: int) -> None:
    _, raw, statuses = HEADS[number]
    assert wire.ask(raw.replace(b"HOST", wire.host.encode(), 2)).status in statuses


JSON: Final = ("POST /v1/auth/login HTTP/1.1", "Content-Type: application/json", "Connection: close")
BODIES: Final[list[tuple[str, bytes, int]]] = [
    ("deep", b"[" * 100_000, 400),
    ("deep objects", b'{"username":' * 50_000, 400),
    ("huge number", b'{"username": ' + b"9" * 100_000 + b"}", 400),
    ("a key twice", b'{"username": "a", "username": 1, "password": "b"}', 422),
    ("no UTF-8", b'{"username": "\xff", "password": "b"}', 400),
    ("a NUL", b'{"username": "a\\u0000", "password": "b"}', 401),
    ("half a character", b'{"username": "\\ud800", "password": "b"}', 400),
    ("too much", b'{"username": "' + b"a" * 2_000_000 + b'"}', 413),
]


@pytest.mark.parametrize(("body", "status"), [(b, s) for _, b, s in BODIES], ids=[n for n, _, _ in BODIES])
def test_bodies_that_are_none_are_told(wire: Wire, body: bytes, status: int) -> None:
    assert wire.ask(wire.head(*JSON, f"Content-Length: {len(body)}"), body).status == status


@pytest.mark.parametrize(
    ("chunks", "status"),
    [
        (b"zz\r\nabc\r\n", 400),
        (b"5\r\n{}\r\n0\r\n\r\n", 400),
        (b"ffffffffffffffff\r\n{", 408),
        (b"1;" + b"x" * 100_000 + b"\r\n{\r\n0\r\n\r\n", 400),
        (b"2\r\n{}\r\n", 408),
    ],
)
def test_chunks_that_are_none_are_told(wire: Wire, chunks: bytes, status: int) -> None:
    assert wire.ask(wire.head(*JSON, "Transfer-Encoding: chunked"), chunks).status == status


@pytest.mark.parametrize("path", ["/v1/auth/login", "/v1/documents", "/auth/form/login"])
def test_a_body_that_does_not_come_is_not_waited_for(wire: Wire, path: str) -> None:
    method = "GET" if path == "/v1/documents" else "POST"
    answer = wire.ask(wire.head(f"{method} {path} HTTP/1.1", "Content-Length: 9"), b"{")
    assert (answer.status, answer.code) == (408, "BODY_TOO_SLOW")


UPLOADS: Final[list[tuple[str, tuple[str, ...], bytes, int]]] = [
    ("no boundary", ("Content-Type: multipart/form-data",), PART + b"a" + END, 400),
    (
        "a boundary of 100 KB",
        ("Content-Type: multipart/form-data; boundary=" + "b" * 100_000,),
        PART + b"a" + END,
        400,
    ),
    ("another boundary", ("Content-Type: multipart/form-data; boundary=no",), PART + b"a" + END, 400),
    ("header bomb", (FORM,), PART[:-2] + b"X: y\r\n" * 10_000 + b"\r\na" + END, 400),
    ("header without end", (FORM,), PART[:-2] + b"X" * 5 * MIB, 400),
    ("no name", (FORM,), b"--xYzZy\r\nContent-Disposition: form-data\r\n\r\na" + END, 400),
    ("boundary without end", (FORM,), PART + b"a\r\n--xYzZ", 400),
    ("nothing", (FORM,), b"", 400),
    ("a form in a form", (FORM,), PART[:-2] + b"Content-Type: multipart/mixed; boundary=i\r\n\r\n--i--" + END, 202),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(UPLOADS)), ids=[what for what, _, _, _ in UPLOADS])
def test_forms_that_are_none_are_told(wire: Wire, number: int) -> None:
    _, headers, body, status = UPLOADS[number]
    assert wire.upload((*headers, f"Content-Length: {len(body)}"), body).status == status


@pytest.mark.parametrize(
    ("length", "chunked", "body", "code"),
    [
        ("1000000", False, PART + b"a", "UPLOAD_STALLED"),
        ("9" * 18, False, PART + b"a", "UPLOAD_STALLED"),
        ("", True, b"zz\r\n", "UPLOAD_ABANDONED"),
        ("", True, b"fffffff\r\n" + PART, "UPLOAD_STALLED"),
    ],
)
def test_lengths_that_are_wrong(wire: Wire, length: str, chunked: bool, body: bytes, code: str) -> None:
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {length}"
    answer = wire.upload((FORM, framing), body)
    assert answer.status in ({408} if code == "UPLOAD_STALLED" else {0, 400})


def test_a_trickle_is_no_upload(wire: Wire) -> None:
    head = wire.head(
        "POST /v1/ingest/upload HTTP/1.1", f"Authorization: Bearer {wire.key}", FORM, "Content-Length: 100000"
    )
    with wire.connect() as opened:
        opened.sendall(head + PART)
        opened.settimeout(0.2)
        end = time.monotonic() + 30
        raw = b""
        while not raw and time.monotonic() < end:
            try:
                opened.sendall(b"a")
                raw = opened.recv(65_536)
            except TimeoutError:
                continue
        assert b"UPLOAD_TOO_SLOW" in raw


def test_half_closed_and_reset_connections(wire: Wire) -> None:
    page = wire.head("GET / HTTP/1.1")
    for _ in range(20):
        wire.ask(page, half_close=True)
        wire.ask(wire.head(*JSON, "Content-Length: 100"), b"{", half_close=True)
        wire.ask(half_close=True)
    for sent in (
        page,
        wire.head(*JSON, "Content-Length: 100") + b"{",
        wire.head("POST /v1/ingest/upload HTTP/1.1", f"X-Api-Key: {wire.key}", FORM, "Content-Length: 9999999")
        + PART
        + b"a" * MIB,
    ):  # fmt: skip
        for _ in range(20):
            opened = wire.connect()
            opened.sendall(sent)
            reset(opened)


def test_thousands_of_requests_in_one_go(wire: Wire) -> None:
    one = wire.head("GET /health HTTP/1.1")
    with wire.connect() as opened:
        opened.sendall(one * 2_000)  # and not one answer was read meanwhile
        opened.sendall(wire.head("GET /health HTTP/1.1", "Connection: close"))
        raw = b""
        while piece := opened.recv(1 << 20):
            raw += piece
    assert raw.count(b"HTTP/1.1 200 OK") == 2_001


def test_silent_connections_leave_room(wire: Wire) -> None:
    silent = [wire.connect() for _ in range(1_500)]
    for opened in silent[::2]:
        opened.sendall(b"GET /health HTTP/1.1\r\nHost: ")
    try:
        # Before the first of them are let go, which would make room as well.
        assert wire.is_well(within=HEADER_SECONDS / 2)
    finally:
        for opened in silent:
            opened.close()


@pytest.fixture(scope="module")
def big(server: Wire) -> str:
    """A file of 24 MB to download."""
    pdf = raw_pdf([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>",
                   b"<< /Length 25165824 >>\nstream\n" + b"\xa5" * 24 * MIB + b"\nendstream"])  # fmt: skip
    body = PART.replace(b"a.txt", b"big.pdf") + pdf + END
    answer = server.upload((FORM, f"Content-Length: {len(body)}"), body)
    item = json.loads(answer.raw.partition(b"\r\n\r\n")[2])["items"][0]
    return str(server.json("GET", f"/v1/documents/{item['document_id']}")["file_id"])


def test_downloads_that_nobody_reads_are_given_up(wire: Wire, big: str) -> None:
    head = wire.head(f"GET /v1/files/{big}/download HTTP/1.1", f"X-Api-Key: {wire.key}")
    sockets, memory = wire.sockets(), wire.memory()
    deaf = []
    for _ in range(20):
        opened = wire.connect(small_window=True)
        opened.sendall(head)
        deaf.append(opened)
    try:
        assert until(lambda: wire.product.log.count("reader_given_up") >= len(deaf))
        assert until(lambda: wire.sockets() <= sockets)
        assert wire.memory() < memory + 10 * 24 * MIB
    finally:
        for opened in deaf:
            opened.close()


def test_downloads_that_are_broken_off(wire: Wire, big: str) -> None:
    head = wire.head(f"GET /v1/files/{big}/download HTTP/1.1", f"X-Api-Key: {wire.key}")
    for _ in range(10):
        opened = wire.connect()
        opened.sendall(head)
        assert opened.recv(1_000)
        reset(opened)


def test_a_thousand_idle_websockets(wire: Wire) -> None:
    memory = wire.memory()
    idle: list[socket.socket] = []
    try:
        while len(idle) < SOCKETS:
            idle.append(wire.websocket(f"idle{len(idle)}"))
            assert b" 101 " in idle[-1].recv(20)
        assert wire.is_well()
        assert wire.memory() < memory + SOCKETS * 300_000
        # No place is left for nobody, and some are for people.
        with wire.websocket("more") as refused:
            assert b" 403 " in refused.recv(20)
        with wire.websocket("made-up", cookie="x" * 43) as refused:
            assert b" 403 " in refused.recv(20)
        with wire.websocket("mara", cookie=wire.cookie) as taken:
            assert b" 101 " in taken.recv(20)
    finally:
        for opened in idle:
            opened.close()


def test_a_page_of_nobody_is_let_go_and_one_of_a_person_is_not(wire: Wire) -> None:
    with wire.websocket("nobody") as nobody, wire.websocket("mara", cookie=wire.cookie) as person:
        for opened in (nobody, person):
            opened.sendall(message("40/_event,"))
        assert b'"sid"' in _all(nobody)
        person.settimeout(1)
        with pytest.raises(TimeoutError):
            _all(person)


def _all(opened: socket.socket) -> bytes:
    raw = b""
    while piece := opened.recv(65_536):
        raw += piece
        if raw.endswith(b"\x88\x02\x03\xe8"):
            break
    return raw


def _is_taken(opened: socket.socket, data: bytes) -> bool:
    """Whether the other end still holds the connection; raises TimeoutError when it holds it and takes nothing."""
    try:
        opened.sendall(data)
    except (ConnectionResetError, BrokenPipeError):
        return False
    return True


def test_a_websocket_that_never_reads_is_cut(wire: Wire) -> None:
    memory = wire.memory()
    one = message(HYDRATE)
    with wire.websocket("deaf", cookie=wire.cookie, small_window=True) as opened:
        opened.sendall(message("40/_event,"))
        while _is_taken(opened, one):
            pass
    # The kernel ends the connection, and what had come in on it is not worked through for long.
    assert until(lambda: "too_many_messages" in wire.product.log or "takes_nothing" in wire.product.log)
    assert wire.memory() < memory + 100 * MIB


@pytest.mark.parametrize("size", [1_000_001, 20_000_000])
def test_a_large_message_ends_its_websocket(wire: Wire, size: int) -> None:
    with wire.websocket("large", cookie=wire.cookie) as opened:
        try:
            opened.sendall(message("4" + "a" * size))
        except OSError:
            return
        assert read_to_the_end(opened)


def read_to_the_end(opened: socket.socket) -> bool:
    try:
        while opened.recv(65_536):
            pass
    except ConnectionResetError:
        pass
    return True


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff" * 100,
        b"\x81\x05hello",
        frame(b"\xff\xfe", opcode=1),
        frame(b"x", opcode=3),
        frame(b"", opcode=2) * 50,
        message("9") * 50,
        message("42/_event,[") * 50,
        message('42/_event,["event",5]') + message('42/_event,["event",{"name":5}]'),
        message('42/_event,["event",{"name":"no.such","payload":{},"router_data":{}}]') * 5,
        message("451-/_event," + '["event",{"_placeholder":true,"num":0}]') * 5,
        message("[" * 100_000),
    ],
)
def test_frames_that_are_none(wire: Wire, raw: bytes) -> None:
    with wire.websocket("odd", cookie=wire.cookie) as opened:
        opened.sendall(message("40/_event,") + raw)
        opened.settimeout(0.3)
        try:
            while opened.recv(65_536):
                pass
        except OSError:
            pass
