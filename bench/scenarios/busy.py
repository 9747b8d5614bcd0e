"""A chat's first token while files are read and embedded as fast as the product can (built-in embedder), against idle."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from itertools import count

import aiohttp

from bench.client import ask_model, ask_v1, at_once, milliseconds, open_client, quantile
from bench.context import Bench
from bench.figures import Figure
from bench.library import File, Library
from bench.people import Person, make_people
from bench.servers import QUICK_MODEL, Server
from bench.texts import text

QUESTION = "What should I know about the opening hours of the archive?"
_FILE_CHARS = 100_000
_FIRST_OF_ALL = 3


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """chat_busy: both with one question at a time, by somebody else than who uploads."""
    async with bench.product() as server, open_client() as http:
        asker, uploader = await make_people(server, 2)
        library = Library(http, server, uploader)
        questions = bench.pick(30, 10, 2)
        await _asked(http, server, asker, _FIRST_OF_ALL)
        idle, idle_model = await _asked(http, server, asker, questions), await _model(bench, http, questions)
        loads = [asyncio.create_task(_load(library, number)) for number in (0, 1)]
        await asyncio.sleep(bench.pick(5, 5, 1))
        busy, busy_model = await _asked(http, server, asker, questions), await _model(bench, http, questions)
        for load in loads:
            load.cancel()
        await asyncio.gather(*loads, return_exceptions=True)
    detail = {
        "idle_p50_ms": idle,
        "busy_p50_ms": busy,
        "model_alone_idle_p50_ms": idle_model,
        "model_alone_busy_p50_ms": busy_model,
        "chunks_at_the_end": library.chunks(),
    }
    yield Figure("chat_busy", round(busy / idle, 2), detail)


async def _load(library: Library, first: int) -> None:
    """One file after the other, as long as it lasts."""
    for number in count(first, 2):
        await library.add([File(f"load-{number}.txt", text(_FILE_CHARS, number).encode())])


async def _asked(http: aiohttp.ClientSession, server: Server, person: Person, questions: int) -> float:
    body = {"message": QUESTION, "model": f"{QUICK_MODEL}:latest"}
    asked = partial(ask_v1, http, server.url, person.headers, body)
    return quantile(milliseconds([(await at_once([asked]))[0] for _ in range(questions)]), 0.5)


async def _model(bench: Bench, http: aiohttp.ClientSession, questions: int) -> float:
    asked = partial(ask_model, http, bench.models.url, QUICK_MODEL)
    return quantile(milliseconds([(await at_once([asked]))[0] for _ in range(min(questions, 5))]), 0.5)
