"""Bytes on a real connection to a real server, without a client library that would be polite about them."""

import json
import os
import socket
import struct
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.e2e.product import Product

PATIENCE: Final = 30.0  # a bound against hanging, nothing that is measured
PASSWORD: Final = "correct horse battery staple"
_RESET: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Answer:
    """What came back until the other end stopped; `status` is 0 when it closed without a word."""

    raw: bytes

    @property
    def status(self) -> int:
        return int(self.raw.split(b" ", 2)[1]) if self.raw.startswith(b"HTTP/") else 0

    @property
    def code(self) -> str:
        """The code of an error of ours."""
        return str(json.loads(self.raw.partition(b"\r\n\r\n")[2])["error"]["code"])


@dataclass
class Wire:
    """A server and somebody who is signed in on it."""

    product: Product
    cookie: str = ""
    key: str = ""

    def __post_init__(self) -> None:
        self.host = f"127.0.0.1:{self.product.port}"

    def connect(self, *, small_window: bool = False) -> socket.socket:
        """A connection; `small_window`: one that holds little of what is not read."""
        opened = socket.socket()
        if small_window:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        opened.settimeout(PATIENCE)
        opened.connect(("127.0.0.1", self.product.port))
        return opened

    def head(self, line: str, *headers: str, host: bool = True) -> bytes:
        """A request line and its headers, as a well-formed head."""
        named = (f"Host: {self.host}",) if host else ()
        return ("\r\n".join((line, *named, *headers)) + "\r\n\r\n").encode("latin-1")

    def ask(self, *pieces: bytes, half_close: bool = False, patience: float = PATIENCE) -> Answer:
        """Sends the pieces on a new connection and reads until the other end closes or has answered whole."""
        with self.connect() as opened:
            opened.settimeout(patience)
            try:
                for piece in pieces:
                    opened.sendall(piece)
                if half_close:
                    opened.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it answered and closed before all was sent
            return Answer(read_answer(opened))

    def upload(self, headers: tuple[str, ...], body: bytes) -> Answer:
        """A POST of `body` to the upload, by key, with these headers."""
        head = self.head(
            "POST /v1/ingest/upload HTTP/1.1",
            f"Authorization: Bearer {self.key}",
            "Connection: close",
            *headers,
        )
        return self.ask(head, body)

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """An ordinary request by key."""
        request = urllib.request.Request(
            f"{self.product.url}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read())

    def websocket(self, token: str, *, cookie: str = "", small_window: bool = False) -> socket.socket:
        """Asks for the page's websocket; what was answered is not read yet."""
        headers = [
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ]
        if cookie:
            headers.append(f"Cookie: youworker_session={cookie}")
        opened = self.connect(small_window=small_window)
        opened.sendall(self.head(f"GET /_event/?EIO=4&transport=websocket&token={token} HTTP/1.1", *headers))
        return opened

    # --- the server's process

    def sockets(self) -> int:
        """How many sockets the worker has open."""
        folder = Path(f"/proc/{self.product.worker()}/fd")
        return sum(_target(file).startswith("socket:") for file in folder.iterdir())

    def memory(self) -> int:
        """The worker's resident memory, in bytes."""
        status = Path(f"/proc/{self.product.worker()}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def is_well(self, within: float = PATIENCE) -> bool:
        """Whether it answers on a new connection. Raises TimeoutError when nothing comes for `within` seconds."""
        head = self.head("GET /health HTTP/1.1", "Connection: close")
        return self.ask(head, patience=within).status == 200


def _target(file: Path) -> str:
    try:
        return os.readlink(file)
    except OSError:  # closed meanwhile
        return ""


def settled(product: Product) -> Wire:
    """A wire to a new installation with its first person."""
    wire = Wire(product)
    token = urllib.parse.parse_qs(urllib.parse.urlsplit(product.setup_link()).query)["token"][0]
    body = json.dumps({"setup_token": token, "username": "mara", "password": PASSWORD}).encode()
    answer = wire.ask(
        wire.head(
            "POST /v1/setup HTTP/1.1",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            "Connection: close",
        ),
        body,
    )
    head, _, text = answer.raw.partition(b"\r\n\r\n")
    wire.cookie = head.partition(b"youworker_session=")[2].partition(b";")[0].decode()
    csrf = json.loads(text)["csrf_token"]
    wanted = json.dumps(
        {"name": "wire", "scopes": ["chat:read", "chat:write", "documents:read", "documents:write"]}
    )
    made = urllib.request.Request(
        f"{product.url}/v1/account/api-keys",
        data=wanted.encode(),
        headers={
            "Cookie": f"youworker_session={wire.cookie}",
            "X-CSRF-Token": csrf,
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(made, timeout=PATIENCE) as opened:
        wire.key = json.loads(opened.read())["key"]
    return wire


def read_answer(opened: socket.socket) -> bytes:
    """What comes until the other end closes, resets, or has sent as much as it announced. Raises TimeoutError."""
    raw = b""
    while True:
        try:
            piece = opened.recv(65_536)
        except (ConnectionResetError, BrokenPipeError):
            return raw
        raw += piece
        if not piece or _is_whole(raw):
            return raw


def _is_whole(raw: bytes) -> bool:
    head, end, body = raw.partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
    return bool(end) and length.isdigit() and len(body) >= int(length)


def reset(opened: socket.socket) -> None:
    """Ends a connection as a machine that lost its power does: no goodbye."""
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    opened.close()


def message(text: str) -> bytes:
    """A websocket text message of a client."""
    return frame(text.encode(), opcode=1)


def frame(data: bytes, *, opcode: int) -> bytes:
    """A client's frame; masked with zeros, which leaves it readable."""
    size = len(data)
    if size < 126:
        length = struct.pack("!B", 0x80 | size)
    elif size < 65_536:
        length = struct.pack("!BH", 0x80 | 126, size)
    else:
        length = struct.pack("!BQ", 0x80 | 127, size)
    return bytes([0x80 | opcode]) + length + b"\0\0\0\0" + data


def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Whether it comes true; `seconds` is a bound against hanging."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
