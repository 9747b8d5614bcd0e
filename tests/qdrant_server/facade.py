"""Serves Qdrant's REST wire on a free port of loopback, in a thread. Bodies are checked by the client library's own models.

It goes away, comes back with its data, is slow, stumbles, refuses keys and drops connections when told to.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from qdrant_client import QdrantClient, models

VERSION = "1.19.3"
_DEFAULT_GRAPH = {"m": 16, "ef_construct": 100, "full_scan_threshold": 10_000, "max_indexing_threads": 0}
_OPTIMIZER = {
    "deleted_threshold": 0.2,
    "vacuum_min_vector_number": 1000,
    "default_segment_number": 0,
    "flush_interval_sec": 5,
}


class Refused(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


@dataclass
class Faults:
    """What goes wrong. `stumbles` and `drops` count requests; a drop comes before the request was worked on, or after."""

    slow_s: float = 0.0
    stumbles: int = 0
    status: int = 500
    drops: int = 0
    drop_when: Literal["before", "after"] = "before"
    only: str = ""  # requests whose path has this in it


@dataclass(frozen=True)
class Asked:
    """A request that arrived."""

    method: str
    path: str
    body: Any
    correlation_id: str | None


class QdrantServer:
    """The facade. `start` and `stop` may be called again and again: the data stays, and so does the address."""

    def __init__(self, api_key: str = "") -> None:
        self.api_key, self.faults, self.asked = api_key, Faults(), list[Asked]()
        self._local = _local_client()
        self._made: dict[
            str, dict[str, Any]
        ] = {}  # what collections were made with, which local mode forgets
        self._indexed: dict[str, set[str]] = {}
        self._lock = threading.Lock()
        self._serving: _Server | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> "QdrantServer":
        self._serving = _Server(("127.0.0.1", self._port), self)
        self._port = self._serving.server_port
        threading.Thread(target=self._serving.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Goes away: connections break, new ones are refused."""
        if self._serving is not None:
            self._serving.go()
            self._serving = None

    def lose(self) -> None:
        """Forgets everything, as a server whose disk was exchanged."""
        self._local, self._made, self._indexed = _local_client(), {}, {}

    def close(self) -> None:
        self.stop()
        self._local.close()

    def collections(self) -> set[str]:
        """Names of the collections that are there."""
        return set(self._made)

    def config(self, name: str) -> dict[str, Any]:
        """What a collection was made with, changes included."""
        return self._made[name]

    def indexed(self, name: str) -> set[str]:
        """The payload fields that have an index."""
        return self._indexed[name]

    def answer(self, method: str, path: str, body: Any) -> Any:
        """The result of a request. Raises Refused."""
        if path == "/":
            return {"title": "qdrant", "version": VERSION}
        _, _, name, *rest = path.split("/")
        operation = _OPERATIONS.get((method, "/".join(rest)))
        if operation is None:
            raise Refused(404, f"nothing at {method} {path}")
        with self._lock:
            if name not in self._made and operation not in (_exists, _create):
                raise Refused(404, f"Not found: Collection `{name}` doesn't exist!")
            try:
                return operation(self, name, body)
            except (ValueError, KeyError) as error:
                raise Refused(400, str(error)) from error


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], facade: QdrantServer) -> None:
        self.facade, self._connections = facade, set[socket.socket]()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, *_: object) -> None:
        """Says nothing: clients go away."""

    def go(self) -> None:
        self.shutdown()
        self.server_close()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        facade, path = self.server.facade, self.path.partition("?")[0]
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(raw) if raw else None
        facade.asked.append(Asked(self.command, path, body, self.headers.get("X-Correlation-ID")))
        try:
            self._suffer(path, "before")
            if facade.api_key and self.headers.get("api-key") != facade.api_key:
                raise Refused(401, "Must provide an API key or an Authorization bearer token")
            result = facade.answer(self.command, path, body)
            self._suffer(path, "after")
        except Refused as refused:
            self._say(refused.status, {"status": {"error": str(refused)}, "time": 0.0})
        except ConnectionAbortedError:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self._say(200, result if path == "/" else {"result": result, "status": "ok", "time": 0.0})

    def _suffer(self, path: str, when: str) -> None:
        faults = self.server.facade.faults
        if faults.only not in path:
            return
        if when == "before" and faults.slow_s:
            time.sleep(faults.slow_s)
        if faults.drops and faults.drop_when == when:
            faults.drops -= 1
            raise ConnectionAbortedError
        if when == "before" and faults.stumbles:
            faults.stumbles -= 1
            raise Refused(faults.status, "inner words")

    def _say(self, status: int, content: Any) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _serve

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def qdrant_server(api_key: str = "") -> Iterator[QdrantServer]:
    """A running server, which ends with the block."""
    server = QdrantServer(api_key).start()
    try:
        yield server
    finally:
        server.close()


def _local_client() -> QdrantClient:
    return QdrantClient(":memory:", force_disable_check_same_thread=True)


def _exists(server: QdrantServer, name: str, _: Any) -> Any:
    return {"exists": name in server._made}


def _create(server: QdrantServer, name: str, body: Any) -> Any:
    if name in server._made:
        raise Refused(409, f"Wrong input: Collection `{name}` already exists!")
    asked = models.CreateCollection.model_validate(body)
    server._local.create_collection(
        name,
        vectors_config=asked.vectors,
        sparse_vectors_config=asked.sparse_vectors,
        metadata=asked.metadata,
    )
    server._made[name], server._indexed[name] = asked.model_dump(mode="json", exclude_none=True), set()
    return True


def _describe(server: QdrantServer, name: str, _: Any) -> Any:
    made = server._made[name]
    return {
        "status": "green",
        "optimizer_status": "ok",
        "points_count": server._local.count(name).count,
        "segments_count": 1,
        "config": {
            "params": {"vectors": made["vectors"], "sparse_vectors": made.get("sparse_vectors")},
            "hnsw_config": _DEFAULT_GRAPH,
            "optimizer_config": _OPTIMIZER,
            "metadata": made.get("metadata"),
        },
        "payload_schema": {},
    }


def _update(server: QdrantServer, name: str, body: Any) -> Any:
    asked = models.UpdateCollection.model_validate(body)
    made = server._made[name]
    for key, change in (asked.vectors or {}).items():
        told = change.model_dump(mode="json", exclude_none=True)
        if told.get("quantization_config") == "Disabled":
            del told["quantization_config"]
            made["vectors"][key].pop("quantization_config", None)
        made["vectors"][key] |= told
    for key, params in (asked.sparse_vectors or {}).items():
        made["sparse_vectors"][key] |= params.model_dump(mode="json", exclude_none=True)
    return True


def _drop(server: QdrantServer, name: str, _: Any) -> Any:
    del server._made[name], server._indexed[name]
    return server._local.delete_collection(name)


def _index(server: QdrantServer, name: str, body: Any) -> Any:
    server._indexed[name].add(models.CreateFieldIndex.model_validate(body).field_name)
    return _done()


def _upsert(server: QdrantServer, name: str, body: Any) -> Any:
    server._local.upsert(name, models.PointsList.model_validate(body).points)
    return _done()


def _delete(server: QdrantServer, name: str, body: Any) -> Any:
    wanted = models.FilterSelector if "filter" in body else models.PointIdsList
    server._local.delete(name, points_selector=wanted.model_validate(body))
    return _done()


def _payload(server: QdrantServer, name: str, body: Any) -> Any:
    asked = models.SetPayload.model_validate(body)
    server._local.set_payload(name, asked.payload, points=asked.filter if asked.filter else asked.points)
    return _done()


def _query(server: QdrantServer, name: str, body: Any) -> Any:
    asked = models.QueryRequest.model_validate(body)
    # Local mode searches exactly, and warns where it is told how to.
    params = models.SearchParams(idf=asked.params.idf) if asked.params and asked.params.idf else None
    query = asked.query.nearest if isinstance(asked.query, models.NearestQuery) else asked.query
    found = server._local.query_points(
        name,
        query=query,
        using=asked.using,
        query_filter=asked.filter,
        search_params=params,
        limit=asked.limit or 10,
        with_payload=asked.with_payload or False,
    )
    return _plain(found)


def _scroll(server: QdrantServer, name: str, body: Any) -> Any:
    asked = models.ScrollRequest.model_validate(body)
    records, following = server._local.scroll(
        name,
        scroll_filter=asked.filter,
        limit=asked.limit or 10,
        offset=asked.offset,
        with_payload=asked.with_payload,
        with_vectors=asked.with_vector or False,
    )
    return {"points": [_plain(each) for each in records], "next_page_offset": following}


def _count(server: QdrantServer, name: str, body: Any) -> Any:
    asked = models.CountRequest.model_validate(body)
    return _plain(server._local.count(name, asked.filter, exact=True))


def _facet(server: QdrantServer, name: str, body: Any) -> Any:
    asked = models.FacetRequest.model_validate(body)
    if asked.key not in server._indexed[name]:
        raise Refused(400, f"Bad request: No appropriate index for faceting: `{asked.key}`")
    return _plain(server._local.facet(name, asked.key, facet_filter=asked.filter, limit=asked.limit or 10))


def _done() -> dict[str, Any]:
    return {"operation_id": 0, "status": "completed"}


def _plain(model: Any) -> Any:
    return model.model_dump(mode="json", exclude_none=True)


_OPERATIONS: dict[tuple[str, str], Callable[[QdrantServer, str, Any], Any]] = {
    ("GET", "exists"): _exists,
    ("PUT", ""): _create,
    ("GET", ""): _describe,
    ("PATCH", ""): _update,
    ("DELETE", ""): _drop,
    ("PUT", "index"): _index,
    ("PUT", "points"): _upsert,
    ("POST", "points/delete"): _delete,
    ("POST", "points/payload"): _payload,
    ("POST", "points/query"): _query,
    ("POST", "points/scroll"): _scroll,
    ("POST", "points/count"): _count,
    ("POST", "facet"): _facet,
}
