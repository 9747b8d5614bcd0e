"""A server that speaks Ollama's protocol and answers every question with one given text, in small pieces."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def speaking(text: str, *, piece: int = 7, pause_s: float = 0.0) -> Iterator[str]:
    """The address of a server that says `text`, with a pause after each piece. It ends when nobody listens."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            model = {"name": "parrot:1b", "model": "parrot:1b", "digest": "d" * 64, "size": 1, "details": {}}
            self._answer({"models": [model]} if self.path == "/api/tags" else {"version": "0.12.6"})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path == "/api/show":
                self._answer({"capabilities": ["completion"], "model_info": {}, "details": {}})
                return
            self._begin()
            for start in range(0, len(text), piece):
                said = {"role": "assistant", "content": text[start : start + piece]}
                try:
                    self._line({"message": said, "done": False})
                except OSError:
                    return
                time.sleep(pause_s)
            self._line({"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"})

        def _begin(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/x-ndjson")
            self.end_headers()

        def _answer(self, body: dict[str, Any]) -> None:
            self._begin()
            self._line(body)

        def _line(self, body: dict[str, Any]) -> None:
            self.wfile.write(json.dumps(body).encode() + b"\n")

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
