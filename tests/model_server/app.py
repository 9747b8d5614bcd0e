"""Ollama's HTTP protocol, as much of it as its Python client uses: version, tags, show, chat, embed, pull.

Owns the wire format. The answers come from `engine`, the embeddings from the product's own MiniLM.
"""

import hashlib
import json
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.model_server.engine import CONTEXT_LENGTH, Engine, Refused, weights
from tests.model_server.faults import KINDS, OUT_OF_MEMORY, Fault, Faults, spoiled
from youworker_app.gateways.embeddings.minilm import MiniLMEmbedder

CHAT_MODEL = "smollm2:135m"
EMBEDDING_MODEL = "all-minilm:latest"
CLOUD_MODEL = "giant:671b-cloud"

_SHOWN: dict[str, dict[str, Any]] = {
    CHAT_MODEL: {
        "details": {
            "format": "gguf",
            "family": "llama",
            "parameter_size": "134.52M",
            "quantization_level": "Q4_1",
        },
        "model_info": {"general.architecture": "llama", "llama.context_length": CONTEXT_LENGTH},
        "capabilities": ["completion"],
    },
    EMBEDDING_MODEL: {
        "details": {"format": "gguf", "family": "bert", "parameter_size": "23M", "quantization_level": "F16"},
        "model_info": {"general.architecture": "bert", "bert.context_length": 512},
        "capabilities": ["embedding"],
    },
    CLOUD_MODEL: {"details": {"family": "giant"}, "model_info": {}, "capabilities": ["completion"]},
}


class ModelServer:
    """The endpoints and what they share."""

    def __init__(self, cache: Path) -> None:
        self.engine = Engine()
        self.embedder = MiniLMEmbedder(cache)
        self.faults = Faults()
        self.counts: dict[str, int] = {"list": 0, "show": 0, "embed": 0}

    async def version(self, _: Request) -> Response:
        return JSONResponse({"version": "0.12.0"})

    async def tags(self, _: Request) -> Response:
        self.counts["list"] += 1
        return JSONResponse({"models": [_listed(name) for name in _SHOWN]})

    async def show(self, request: Request) -> Response:
        self.counts["show"] += 1
        model = _full((await request.json())["model"])
        return JSONResponse(_SHOWN[model]) if model in _SHOWN else _missing(model)

    async def chat(self, request: Request) -> Response:
        body = await request.json()
        model = _full(body["model"])
        if model not in _SHOWN:
            return _missing(model)
        if model != CHAT_MODEL:
            return JSONResponse({"error": f'"{model}" does not support chat'}, 400)
        fault = self.faults.take()
        if fault and fault.kind in {"error", "away"} and not fault.after:
            return JSONResponse({"error": OUT_OF_MEMORY}, 500 if fault.kind == "error" else 503)
        lines = self._lines(model, body)
        if body.get("stream", True):
            return await _streamed(spoiled(lines, fault) if fault else lines)
        return JSONResponse(await _joined(lines))

    async def embed(self, request: Request) -> Response:
        self.counts["embed"] += 1
        body = await request.json()
        model = _full(body["model"])
        if model not in _SHOWN:
            return _missing(model)
        if model != EMBEDDING_MODEL:
            return JSONResponse({"error": "this model does not support embeddings"}, 400)
        match self.faults.take():
            case Fault("away"):
                return JSONResponse({"error": "overloaded"}, 503)
            case Fault("garbage", after):
                return JSONResponse({"embeddings": [[1.0] * (after or 3)] * len(body["input"])})
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        # Twice as long as they should be: the client has to bring them to length 1.
        vectors = (await self.embedder.embed_documents(texts)) * 2
        return JSONResponse({"model": model, "embeddings": vectors.tolist(), "prompt_eval_count": len(texts)})

    async def pull(self, request: Request) -> Response:
        model = _full((await request.json())["model"])
        return StreamingResponse(_pulling(model), media_type="application/x-ndjson")

    async def stats(self, _: Request) -> Response:
        engine = self.engine
        counted = {"started": engine.started, "aborted": engine.aborted, "generating": engine.generating}
        return JSONResponse(counted | self.counts)

    async def fault(self, request: Request) -> Response:
        wanted = await request.json()
        if wanted.get("kind") not in KINDS | {None}:
            return JSONResponse({"error": f"kinds: {sorted(KINDS)}"}, 400)
        self.faults.set(Fault(wanted["kind"], wanted.get("after", 0)) if wanted.get("kind") else None)
        return JSONResponse({})

    async def _lines(self, model: str, body: dict[str, Any]) -> AsyncGenerator[bytes, None]:
        """Ollama's lines made of llama.cpp's chunks."""
        finish = "stop"
        usage: dict[str, int] = {}
        messages = [
            {"role": message["role"], "content": message.get("content", "")} for message in body["messages"]
        ]
        async with aclosing(self.engine.answer(messages, body.get("options") or {})) as chunks:
            async for chunk in chunks:
                usage = chunk.get("usage") or usage
                for choice in chunk["choices"]:
                    finish = choice["finish_reason"] or finish
                    if content := choice["delta"].get("content"):
                        yield _line(model, content, done=False)
        counts = {
            "prompt_eval_count": usage.get("prompt_tokens"),
            "eval_count": usage.get("completion_tokens"),
        }
        yield _line(model, "", done=True, done_reason=finish, **counts)


def create_app() -> Starlette:
    """The server's application; loads both models."""
    folder = tempfile.TemporaryDirectory(prefix="model-server-")
    server = ModelServer(Path(folder.name))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await server.embedder.warm()
        yield
        await server.embedder.close()
        folder.cleanup()

    return Starlette(
        routes=[
            Route("/api/version", server.version),
            Route("/api/tags", server.tags),
            Route("/api/show", server.show, methods=["POST"]),
            Route("/api/chat", server.chat, methods=["POST"]),
            Route("/api/embed", server.embed, methods=["POST"]),
            Route("/api/pull", server.pull, methods=["POST"]),
            Route("/_stats", server.stats),
            Route("/_fault", server.fault, methods=["POST"]),
        ],
        lifespan=lifespan,
    )


async def _streamed(lines: AsyncGenerator[bytes, None]) -> Response:
    """Waits for the first line before the status goes out, so that a refusal is an HTTP error, as
    Ollama's."""
    try:
        first = await anext(lines)
    except Refused as error:
        return JSONResponse({"error": error.reason}, error.status)
    return StreamingResponse(_chained(first, lines), media_type="application/x-ndjson")


async def _chained(first: bytes, lines: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(lines):
        yield first
        async for line in lines:
            yield line


async def _joined(lines: AsyncGenerator[bytes, None]) -> dict[str, Any]:
    parts = [json.loads(line) async for line in lines]
    text = "".join(part["message"]["content"] for part in parts)
    return {**parts[-1], "message": {"role": "assistant", "content": text}}


async def _pulling(model: str) -> AsyncGenerator[bytes, None]:
    steps: list[dict[str, object]] = [{"status": "pulling manifest"}]
    if model in _SHOWN:
        digest = _digest(model)
        parts = [{"status": "pulling", "digest": digest, "total": 100, "completed": n} for n in (0, 50, 100)]
        steps += [*parts, {"status": "success"}]
    else:
        steps += [{"error": "pull model manifest: file does not exist"}]
    for step in steps:
        yield json.dumps(step).encode() + b"\n"


def _line(model: str, content: str, **fields: object) -> bytes:
    message = {"role": "assistant", "content": content}
    return json.dumps({"model": model, "created_at": _now(), "message": message, **fields}).encode() + b"\n"


def _listed(name: str) -> dict[str, object]:
    size = weights().stat().st_size if name == CHAT_MODEL else 23_000_000
    details = _SHOWN[name]["details"]
    listed = {"name": name, "model": name, "modified_at": _now(), "size": size, "details": details}
    return listed | {"digest": _digest(name)}


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _full(name: str) -> str:
    return name if ":" in name else f"{name}:latest"


def _missing(model: str) -> JSONResponse:
    return JSONResponse({"error": f"model '{model}' not found"}, 404)


def _now() -> str:
    return datetime.now(UTC).isoformat()
