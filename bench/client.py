"""The measuring client: asks, and notes when which byte came. It runs apart from the servers and reads no more than it must."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import aiohttp
import numpy as np
import orjson

SSE_TOKEN = b"event: token"
SSE_ERROR = b"event: error"
OLLAMA_TOKEN = b'"done":false'
_STAMP = re.compile(rb" t(\d{9,})")


class NoAnswer(Exception):
    """A stream that ended without a token, with its last bytes."""


@dataclass(frozen=True)
class Answer:
    """Seconds from the question to the first token, and how long each stamped token was under way, in milliseconds."""

    first_s: float
    delays_ms: tuple[float, ...] = ()


def open_client() -> aiohttp.ClientSession:
    """As many connections as are asked for, kept open between questions."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=300),
        timeout=aiohttp.ClientTimeout(total=120),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


async def ask_model(http: aiohttp.ClientSession, url: str, model: str, *, stamped: bool = False) -> Answer:
    """The model server alone, as the product asks it."""
    body = {"model": model, "messages": [{"role": "user", "content": "How are you?"}], "stream": True}
    begun = time.perf_counter()
    async with http.post(f"{url}/api/chat", data=orjson.dumps(body)) as response:
        return await follow(response, OLLAMA_TOKEN, begun, stamped=stamped)


async def ask_v1(
    http: aiohttp.ClientSession,
    url: str,
    headers: Mapping[str, str],
    body: Mapping[str, object],
    *,
    stamped: bool = False,
) -> Answer:
    """POST /v1/chat, streamed."""
    packed = orjson.dumps({"stream": True, **body})
    sent = {**headers, "Content-Type": "application/json"}
    begun = time.perf_counter()
    async with http.post(f"{url}/v1/chat", data=packed, headers=sent) as response:
        return await follow(response, SSE_TOKEN, begun, stamped=stamped)


async def follow(
    response: aiohttp.ClientResponse, marker: bytes, begun: float, *, stamped: bool = False
) -> Answer:
    """Reads to the end. Raises NoAnswer where no token came, ClientResponseError for an error's status."""
    response.raise_for_status()
    first, tail, chunk = 0.0, b"", b""
    delays: list[float] = []
    async for chunk in response.content.iter_any():
        arrived, arrived_ns = time.perf_counter(), time.monotonic_ns()
        seen = tail + chunk
        if not first and marker in seen:
            first = arrived
        if stamped:
            # Only whole lines: a stamp that is cut is read with the next piece.
            whole, _, tail = seen.rpartition(b"\n")
            delays += [(arrived_ns - int(stamp)) / 1e6 for stamp in _STAMP.findall(whole)]
        else:
            tail = seen[-len(marker) :]
    if not first:
        raise NoAnswer(chunk[-500:])
    return Answer(first - begun, tuple(delays))


async def at_once(askers: Sequence[Callable[[], Awaitable[Answer]]]) -> list[Answer]:
    """All of them at the same time; bounded."""
    async with asyncio.timeout(90):
        return list(await asyncio.gather(*(ask() for ask in askers)))


def milliseconds(answers: Sequence[Answer]) -> list[float]:
    """The waits for the first token."""
    return [answer.first_s * 1_000 for answer in answers]


def quantile(values: Sequence[float], share: float) -> float:
    """Rounded to hundredths."""
    return round(float(np.quantile(values, share)), 2) if values else 0.0
