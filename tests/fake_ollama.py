"""A server that speaks Ollama's protocol and does what a test tells it, in a thread: slow, failing, away and back again.

The model that answers is called `parrot:1b`; vectors come from the words of a text, so that a search finds it.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CHAT_MODEL, EMBEDDING_MODEL = "parrot:1b", "nomic-embed-text:latest"
OUT_OF_MEMORY = "model requires more system memory (5.5 GiB) than is available (1.2 GiB)"
_DIMENSION = 32


@dataclass
class FakeOllama:
    """What it has, says and fails with; changed while it runs. `embedded` are the texts that it gave vectors for."""

    answer: str = "The boiler is serviced in March."
    piece: int = 7
    pause_s: float = 0.0  # after each piece of an answer
    first_pause_s: float = 0.0  # before the first
    embed_pause_s: float = 0.0
    models: list[str] = field(default_factory=lambda: [CHAT_MODEL, EMBEDDING_MODEL])
    chat_error: tuple[int, str] | None = None
    embed_error: tuple[int, str] | None = None
    break_after: int | None = None  # pieces, then the connection is cut
    garbage_after: int | None = None  # pieces, then half a line of JSON
    embedded: list[str] = field(default_factory=list)
    port: int = 0
    _server: ThreadingHTTPServer | None = None
    _thread: threading.Thread | None = None
    _gone: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "FakeOllama":
        """Listens, on the same port as before."""
        self._gone.clear()
        server = _Server(("127.0.0.1", self.port), _handler(self))
        self._server, self.port = server, server.server_port
        self._thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Nobody listens any more; answers that are being given are cut."""
        self._gone.set()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = None

    def wait(self, seconds: float) -> None:
        """Sleeps, but not beyond its own end. Raises ConnectionError then."""
        if self._gone.wait(seconds) or self._gone.is_set():
            raise ConnectionError


@contextmanager
def fake_ollama(**behaviour: Any) -> Iterator[FakeOllama]:
    """One that runs."""
    fake = FakeOllama(**behaviour).start()
    try:
        yield fake
    finally:
        fake.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or an end that a test asked for."""


def _handler(fake: FakeOllama) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({"models": [_listed(name) for name in fake.models]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            routes: dict[str, Callable[[dict[str, Any]], None]] = {
                "/api/show": self._show,
                "/api/chat": self._chat,
                "/api/embed": self._embed,
            }
            name = body.get("model", "")
            if name not in fake.models and f"{name}:latest" not in fake.models:
                self._answer({"error": f"model '{name}' not found"}, 404)
                return
            routes[self.path](body)

        def _show(self, body: dict[str, Any]) -> None:
            kind = "completion" if body["model"] == CHAT_MODEL else "embedding"
            self._answer({"capabilities": [kind], "model_info": {}, "details": {}})

        def _chat(self, _: dict[str, Any]) -> None:
            if fake.chat_error:
                self._answer({"error": fake.chat_error[1]}, fake.chat_error[0])
                return
            fake.wait(fake.first_pause_s)
            self._begin(200)
            pieces = [
                fake.answer[start : start + fake.piece] for start in range(0, len(fake.answer), fake.piece)
            ]
            for number, piece in enumerate(pieces):
                if number == fake.break_after:
                    return
                if number == fake.garbage_after:
                    self.wfile.write(b'{"message": {"role": "assist\n')
                    return
                self._line({"message": {"role": "assistant", "content": piece}, "done": False})
                fake.wait(fake.pause_s)
            self._line({"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"})

        def _embed(self, body: dict[str, Any]) -> None:
            if fake.embed_error:
                self._answer({"error": fake.embed_error[1]}, fake.embed_error[0])
                return
            texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
            fake.wait(fake.embed_pause_s)
            fake.embedded += texts
            self._answer({"embeddings": [_vector(text) for text in texts]})

        def _answer(self, body: dict[str, Any], status: int = 200) -> None:
            self._begin(status)
            self._line(body)

        def _begin(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-ndjson")
            self.end_headers()

        def _line(self, body: dict[str, Any]) -> None:
            self.wfile.write(json.dumps(body).encode() + b"\n")

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handler


def _listed(name: str) -> dict[str, Any]:
    digest = hashlib.sha256(name.encode()).hexdigest()
    return {"name": name, "model": name, "digest": digest, "size": 1, "details": {}}


def _vector(text: str) -> list[float]:
    vector = [0.01] * _DIMENSION
    for word in text.lower().split():
        vector[hashlib.sha256(word.encode()).digest()[0] % _DIMENSION] += 1.0
    return vector
