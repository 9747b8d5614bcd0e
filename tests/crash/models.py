"""A server that speaks Ollama's protocol, says what can be foreseen, and remembers every text that it embedded."""

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_DIMENSION = 16
_QUESTION = re.compile(r"question-[0-9a-f]+")
_MARK = re.compile(r"zq[0-9a-f]{12}")
_PIECES = 40


def answer_to(question: str) -> list[str]:
    """The pieces of the answer to a text that holds `question-<hex>`; the last such mark counts."""
    mark = _QUESTION.findall(question)[-1]
    return [f"{mark}.{number} " for number in range(_PIECES)]


@dataclass
class Models:
    """`embedded` holds every text in order, once for each time that it was asked for. Pauses are in seconds."""

    url: str = ""
    embedded: list[str] = field(default_factory=list)
    embed_pause_s: float = 0.0
    piece_pause_s: float = 0.0

    def embed(self, texts: list[str]) -> list[list[float]]:
        """Vectors that the texts alone decide: those of a document, and its mark as a query, point one way."""
        self.embedded += texts
        time.sleep(self.embed_pause_s)
        marks = [(_MARK.findall(text) or [text])[0] for text in texts]
        digests = [hashlib.shake_128(mark.encode()).digest(_DIMENSION) for mark in marks]
        return [[byte / 255 - 0.5 for byte in digest] for digest in digests]


@contextmanager
def serving_models() -> Iterator[Models]:
    """Such a server in threads of this process."""
    models = Models()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            model = {"name": "parrot:1b", "model": "parrot:1b", "digest": "d" * 64, "size": 1, "details": {}}
            self._answer({"models": [model]} if self.path == "/api/tags" else {"version": "0.12.6"})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            if self.path == "/api/show":
                self._answer({"capabilities": ["completion"], "model_info": {}, "details": {}})
            elif self.path == "/api/embed":
                self._answer({"model": body["model"], "embeddings": models.embed(body["input"])})
            else:
                self._speak(body["messages"][-1]["content"])

        def _speak(self, prompt: str) -> None:
            self._begin()
            for piece in answer_to(prompt):
                self._line({"message": {"role": "assistant", "content": piece}, "done": False})
                time.sleep(models.piece_pause_s)
            end = {"done": True, "done_reason": "stop"}
            self._line({"message": {"role": "assistant", "content": ""}, **end})

        def _answer(self, body: dict[str, Any]) -> None:
            self._begin()
            self._line(body)

        def _begin(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/x-ndjson")
            self.end_headers()

        def _line(self, body: dict[str, Any]) -> None:
            self.wfile.write(json.dumps(body).encode() + b"\n")

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                self.close_connection = True  # the server on the other side was killed

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    models.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield models
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
