"""First token and delay a token on /v1/chat, for programs with keys: what the product adds to the model server alone.

Every round asks the model server and then the product, so that what else the machine does weighs on both. Each asker is a
person of their own; each question begins a conversation; nobody has documents.
"""

from collections.abc import AsyncIterator
from functools import partial

import aiohttp

from bench.client import Answer, ask_model, ask_v1, at_once, milliseconds, open_client, quantile
from bench.context import Bench
from bench.figures import Figure
from bench.people import Person, make_people
from bench.servers import QUICK_MODEL, SHORT_STAMPED_MODEL, STAMPED_MODEL, Server

QUESTION = "What should I know about the opening hours of the archive?"
_ROUNDS = {1: (30, 8), 10: (12, 3), 50: (8, 2)}  # by how many ask at once, in a full and a quick run


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """first_v1_*, delay_*."""
    async with bench.product() as server, open_client() as http:
        people = await make_people(server, bench.pick(50, 50, 1))
        await _warm(bench, http, server, people)
        for count in _ROUNDS:
            if count <= len(people):
                yield await _first(bench, http, server, people[:count])
        for figure in await _delays(bench, http, server, people):
            yield figure


async def _warm(bench: Bench, http: aiohttp.ClientSession, server: Server, people: list[Person]) -> None:
    """Models loaded, connections open."""
    for _ in range(bench.pick(2, 2)):
        await _alone(bench, http, len(people))
        await _asked(http, server, people, QUICK_MODEL)


async def _alone(bench: Bench, http: aiohttp.ClientSession, count: int) -> list[Answer]:
    return await at_once([partial(ask_model, http, bench.models.url, QUICK_MODEL)] * count)


async def _asked(
    http: aiohttp.ClientSession, server: Server, people: list[Person], model: str, *, stamped: bool = False
) -> list[Answer]:
    body = {"message": QUESTION, "model": f"{model}:latest"}
    return await at_once(
        [partial(ask_v1, http, server.url, each.headers, body, stamped=stamped) for each in people]
    )


async def _first(bench: Bench, http: aiohttp.ClientSession, server: Server, people: list[Person]) -> Figure:
    alone: list[float] = []
    ours: list[float] = []
    used = 0.0
    for _ in range(bench.pick(*_ROUNDS[len(people)])):
        alone += milliseconds(await _alone(bench, http, len(people)))
        before = server.cpu_seconds()
        ours += milliseconds(await _asked(http, server, people, QUICK_MODEL))
        used += server.cpu_seconds() - before
    detail = {
        "model_alone_p50_ms": quantile(alone, 0.5),
        "product_p50_ms": quantile(ours, 0.5),
        "product_p95_ms": quantile(ours, 0.95),
        "cpu_ms_an_answer_of_50_tokens": round(used * 1_000 / len(ours), 1),
        "questions": len(ours),
    }
    added = quantile(ours, 0.5) - quantile(alone, 0.5)
    return Figure(f"first_v1_{len(people)}", round(added, 1), detail)


async def _delays(
    bench: Bench, http: aiohttp.ClientSession, server: Server, people: list[Person]
) -> list[Figure]:
    model = SHORT_STAMPED_MODEL if bench.size == "smoke" else STAMPED_MODEL
    alone = await at_once([partial(ask_model, http, bench.models.url, model, stamped=True)] * len(people))
    bare = [delay for answer in alone for delay in answer.delays_ms]
    before, delays, seconds = server.cpu_seconds(), [], 0.0
    for _ in range(bench.pick(3, 1)):
        answers = await _asked(http, server, people, model, stamped=True)
        delays += [delay for answer in answers for delay in answer.delays_ms]
        seconds += 4.0  # 200 tokens at 50 a second
    share = (server.cpu_seconds() - before) / seconds
    detail = {
        "tokens": len(delays),
        "model_alone_p50_ms": quantile(bare, 0.5),
        "model_alone_p95_ms": quantile(bare, 0.95),
        "worst_ms": quantile(delays, 1.0),
    }
    return [
        Figure("delay_p50", quantile(delays, 0.5), detail),
        Figure("delay_p95", quantile(delays, 0.95), detail),
        Figure("delay_cpu", round(share, 2), {"streams": len(people)}),
    ]
