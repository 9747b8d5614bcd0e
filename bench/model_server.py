"""A stand-in for Ollama (and OpenAI's shape) that costs next to nothing: what is measured over it is the product's own.

    python -m bench.model_server --port 11434 [--models NAME …]

The model's name says how it behaves, so that one server serves every measurement:

    fake-r50-n200          50 tokens a second, 200 tokens an answer
    fake-r0-n500           as fast as the socket takes them
    fake-r50-n200-d300     the first token after 300 ms only
    fake-r50-n200-stamp    each token is " t<monotonic ns>": a client on the same machine can tell how long it was under way
    fake-embed             bag-of-words vectors of 384 dimensions; similar texts get similar ones, so that finding counts

Tokens are paced against the absolute start of an answer: slow writes do not add up. GET /_stats and POST /_reset give and
reset counters; POST /_config {"embed_delay_ms": n, "embed_fail": 0|1} alters the embedder.
"""

import argparse
import asyncio
import re
import resource
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import uvloop
from aiohttp import web

DIMENSION: Final = 384
CHAT_MODELS: Final = ("fake-r50-n200", "fake-r50-n200-stamp", "fake-r0-n500")
EMBED_MODELS: Final = ("fake-embed",)
_WORD: Final = re.compile(r"[^\W_]+")
_MOST_WORDS: Final = 4_096
_RARE: Final = 5.0  # a stand-in for rarity: codes and numbers weigh more

Vector = npt.NDArray[np.float32]


@dataclass
class Stats:
    """What has been asked since the last reset."""

    requests: Counter[str] = field(default_factory=Counter)
    streams_now: int = 0
    streams_peak: int = 0
    tokens: int = 0
    embed_calls: int = 0
    embed_texts: int = 0
    embed_chars: int = 0
    aborted: int = 0
    last_chat: Any = None

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Counts a stream while it is open, and whether the client hung up."""
        self.streams_now += 1
        self.streams_peak = max(self.streams_peak, self.streams_now)
        try:
            yield
        except BaseException:
            self.aborted += 1
            raise
        finally:
            self.streams_now -= 1


@dataclass(frozen=True)
class Behaviour:
    """What a model's name says: tokens a second (0: no limit), tokens, milliseconds before the first, stamped or not."""

    rate: int
    tokens: int
    delay_ms: int
    stamped: bool


def behaviour(model: str) -> Behaviour:
    """Reads a name; what it does not say is 50 a second, 200, no delay."""
    name = model.split(":")[0]

    def number(letter: str, otherwise: int) -> int:
        found = re.search(rf"-{letter}(\d+)", name)
        return int(found[1]) if found else otherwise

    return Behaviour(number("r", 50), number("n", 200), number("d", 0), "-stamp" in name)


@lru_cache(maxsize=200_000)
def word_vector(word: str) -> Vector:
    """The same word has the same direction in every process."""
    drawn = np.random.default_rng(zlib.crc32(word.encode())).standard_normal(DIMENSION).astype(np.float32)
    weight = _RARE if any(letter.isdigit() for letter in word) else 1.0
    vector: Vector = weight * drawn / np.linalg.norm(drawn)
    return vector


def embed(text: str) -> Vector:
    """The normalised sum of the words' vectors."""
    words = _WORD.findall(text.lower())[:_MOST_WORDS] or ["\0empty"]
    total = np.sum([word_vector(word) for word in words], axis=0)
    return np.ascontiguousarray(total / (np.linalg.norm(total) + 1e-9), dtype=np.float32)


class ModelServer:
    """The routes, their counters and their switches."""

    def __init__(self, more_models: Sequence[str] = ()) -> None:
        self.chat_models = (*CHAT_MODELS, *more_models)
        self.stats = Stats()
        self.config: dict[str, int] = {"embed_delay_ms": 0, "embed_fail": 0}

    def application(self) -> web.Application:
        """The server."""
        app = web.Application(client_max_size=1 << 30)
        for path, handler in (
            ("/", self.greet),
            ("/api/tags", self.tags),
            ("/api/version", self.version),
            ("/api/ps", self.running),
            ("/v1/models", self.openai_models),
            ("/_stats", self.tell),
        ):
            app.router.add_get(path, handler)
        for path, handler in (
            ("/api/show", self.show),
            ("/api/chat", self.chat),
            ("/api/generate", self.chat),
            ("/api/embed", self.embed),
            ("/api/embeddings", self.embed),
            ("/v1/embeddings", self.openai_embed),
            ("/v1/chat/completions", self.openai_chat),
            ("/_reset", self.reset),
            ("/_config", self.configure),
        ):
            app.router.add_post(path, handler)
        return app

    async def greet(self, request: web.Request) -> web.Response:
        return web.Response(text="Ollama is running")

    async def tags(self, request: web.Request) -> web.Response:
        self._count(request)
        names = [f"{name}:latest" for name in (*self.chat_models, *EMBED_MODELS)]
        return _json({"models": [_described(name) for name in names]})

    async def version(self, request: web.Request) -> web.Response:
        self._count(request)
        return _json({"version": "0.12.6"})

    async def running(self, request: web.Request) -> web.Response:
        self._count(request)
        return _json({"models": []})

    async def show(self, request: web.Request) -> web.Response:
        self._count(request)
        body = await request.json()
        is_embedder = "embed" in (body.get("model") or body.get("name") or "")
        shown = {
            "modelfile": "",
            "parameters": "",
            "template": "{{ .Prompt }}",
            "details": _details(),
            "model_info": {
                "general.architecture": "fake",
                "fake.context_length": 32_768,
                "fake.embedding_length": DIMENSION,
            },
            "capabilities": ["embedding"] if is_embedder else ["completion", "tools"],
            "modified_at": _now(),
        }
        return _json(shown)

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """/api/chat and /api/generate."""
        self._count(request)
        self.stats.last_chat = body = await request.json()
        model, how = body.get("model", "fake"), _limited(body)
        begun = time.monotonic_ns()
        head = {"model": model, "created_at": _now()}
        said = _generated if request.path == "/api/generate" else _spoken
        if body.get("stream", True) is False:
            text = "".join([piece async for piece in self._pieces(how)])
            return _json({**head, **said(text), **_done(how, begun)})
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        with self.stats.stream():
            async for piece in self._pieces(how):
                line = {"model": model, "created_at": _now(), **said(piece), "done": False}
                await response.write(orjson.dumps(line) + b"\n")
            await response.write(orjson.dumps({**head, **said(""), **_done(how, begun)}) + b"\n")
        return response

    async def embed(self, request: web.Request) -> web.Response:
        """/api/embed and the older /api/embeddings."""
        self._count(request)
        body = await request.json()
        vectors = await self._vectors(body.get("input", body.get("prompt", "")))
        if vectors is None:
            return _json({"error": "embedder down"}, 500)
        if request.path == "/api/embeddings":
            return _json({"embedding": vectors[0]})
        counts = {"total_duration": 1, "load_duration": 1, "prompt_eval_count": 1}
        return _json({"model": body.get("model"), "embeddings": vectors, **counts})

    async def openai_models(self, request: web.Request) -> web.Response:
        self._count(request)
        names = (*self.chat_models, *EMBED_MODELS)
        data = [{"id": name, "object": "model", "created": 1, "owned_by": "fake"} for name in names]
        return _json({"object": "list", "data": data})

    async def openai_embed(self, request: web.Request) -> web.Response:
        self._count(request)
        body = await request.json()
        vectors = await self._vectors(body["input"])
        if vectors is None:
            return _json({"error": {"message": "embedder down"}}, 500)
        data = [{"object": "embedding", "index": n, "embedding": each} for n, each in enumerate(vectors)]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return _json({"object": "list", "model": body.get("model"), "usage": usage, "data": data})

    async def openai_chat(self, request: web.Request) -> web.StreamResponse:
        self._count(request)
        self.stats.last_chat = body = await request.json()
        model = body.get("model", "fake")
        how = behaviour(model)
        head = {"id": "chatcmpl-fake", "created": int(time.time()), "model": model}
        if not body.get("stream"):
            text = "".join([piece async for piece in self._pieces(how)])
            message = {"role": "assistant", "content": text}
            usage = {"prompt_tokens": 10, "completion_tokens": how.tokens, "total_tokens": 10 + how.tokens}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            return _json({**head, "object": "chat.completion", "usage": usage, "choices": [choice]})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        with self.stats.stream():
            async for piece in self._pieces(how):
                await response.write(_openai_chunk(head, {"content": piece}, None))
            await response.write(_openai_chunk(head, {}, "stop") + b"data: [DONE]\n\n")
        return response

    async def tell(self, request: web.Request) -> web.Response:
        used = resource.getrusage(resource.RUSAGE_SELF)
        more = {"cpu_s": used.ru_utime + used.ru_stime, "rss_mb": used.ru_maxrss / 1024}
        return _json({**vars(self.stats), **more})

    async def reset(self, request: web.Request) -> web.Response:
        self.stats = Stats()
        return _json({"ok": True})

    async def configure(self, request: web.Request) -> web.Response:
        self.config.update(await request.json())
        return _json(self.config)

    def _count(self, request: web.Request) -> None:
        self.stats.requests[f"{request.method} {request.path}"] += 1

    async def _pieces(self, how: Behaviour) -> AsyncIterator[str]:
        begun = time.monotonic() + how.delay_ms / 1000
        for number in range(how.tokens):
            wait = begun + (number / how.rate if how.rate else 0) - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            elif not how.rate and number % 16 == 0:
                await asyncio.sleep(0)
            self.stats.tokens += 1
            yield f" t{time.monotonic_ns()}" if how.stamped else f" word{number % 97}"

    async def _vectors(self, given: str | list[str]) -> list[Vector] | None:
        """None when the embedder is to fail."""
        if self.config["embed_fail"]:
            return None
        if self.config["embed_delay_ms"]:
            await asyncio.sleep(self.config["embed_delay_ms"] / 1000)
        texts = [given] if isinstance(given, str) else given
        self.stats.embed_calls += 1
        self.stats.embed_texts += len(texts)
        self.stats.embed_chars += sum(map(len, texts))
        return [embed(text) for text in texts]


def _limited(body: dict[str, Any]) -> Behaviour:
    how = behaviour(body.get("model", "fake"))
    most = (body.get("options") or {}).get("num_predict")
    if not isinstance(most, int) or most <= 0:
        return how
    return Behaviour(how.rate, min(how.tokens, most), how.delay_ms, how.stamped)


def _spoken(text: str) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": text}}


def _generated(text: str) -> dict[str, Any]:
    return {"response": text}


def _done(how: Behaviour, begun_ns: int) -> dict[str, Any]:
    took = time.monotonic_ns() - begun_ns
    counts = {"prompt_eval_count": 10, "prompt_eval_duration": 1000, "eval_count": how.tokens}
    ended = {"done": True, "done_reason": "stop", "total_duration": took, "load_duration": 1000}
    return {**ended, **counts, "eval_duration": took}


def _openai_chunk(head: dict[str, Any], delta: dict[str, str], reason: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return (
        b"data: " + orjson.dumps({**head, "object": "chat.completion.chunk", "choices": [choice]}) + b"\n\n"
    )


def _described(name: str) -> dict[str, Any]:
    digest = f"{zlib.crc32(name.encode()):064x}"
    about = {"modified_at": _now(), "size": 1 << 30, "digest": digest, "details": _details()}
    return {"name": name, "model": name, **about}


def _details() -> dict[str, Any]:
    family = {"family": "fake", "families": ["fake"]}
    return {
        "parent_model": "",
        "format": "gguf",
        **family,
        "parameter_size": "1B",
        "quantization_level": "Q4_0",
    }


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())


def _json(body: object, status: int = 200) -> web.Response:
    packed = orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
    return web.Response(body=packed, status=status, content_type="application/json")


def main() -> None:
    """Serves until a signal comes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=11434)
    parser.add_argument("--models", nargs="*", default=[], help="more names to offer")
    given = parser.parse_args()
    uvloop.install()
    app = ModelServer(given.models).application()
    web.run_app(app, host=given.host, port=given.port, print=None, access_log=None, backlog=4096)


if __name__ == "__main__":
    main()
