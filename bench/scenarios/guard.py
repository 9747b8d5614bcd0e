"""What the rate limits and the outer checks add to a request: the product as it is and without them, asked by turns."""

import time
from collections.abc import AsyncIterator

import aiohttp

from bench.bare import NO_LIMITS
from bench.client import open_client, quantile
from bench.context import Bench
from bench.figures import Figure
from bench.people import Person, make_people
from bench.servers import Server

_PATHS = ("/v1/auth/me", "/v1/documents?limit=1")
_IN_TURN = 100


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """guard_*."""
    async with (
        bench.product() as whole,
        bench.product(NO_LIMITS, program="bench.bare") as bare,
        open_client() as http,
    ):
        sides = [(server, (await make_people(server, 1))[0]) for server in (whole, bare)]
        rounds = [
            [await _turn(http, *side, bench.pick(_IN_TURN, _IN_TURN, 2)) for side in sides]
            for _ in range(bench.pick(20, 5) + 1)
        ][1:]  # both are warm then
    # Round by round, so that what else the machine does meanwhile is in both.
    added = [quantile(whole, 0.5) - quantile(bare, 0.5) for whole, bare in rounds]
    with_it, without = ([each for both in rounds for each in both[side]] for side in (0, 1))
    detail = {
        "with_ms": {"p50": quantile(with_it, 0.5), "p95": quantile(with_it, 0.95)},
        "without_ms": {"p50": quantile(without, 0.5), "p95": quantile(without, 0.95)},
        "requests": len(with_it),
    }
    yield Figure("guard_p50", quantile(added, 0.5), detail)
    yield Figure("guard_whole", quantile(with_it, 0.5))


async def _turn(http: aiohttp.ClientSession, server: Server, person: Person, count: int) -> list[float]:
    """Milliseconds of each request, one after the other."""
    took = []
    for number in range(count):
        begun = time.perf_counter()
        async with http.get(f"{server.url}{_PATHS[number % len(_PATHS)]}", headers=person.headers) as answer:
            await answer.read()
            answer.raise_for_status()
        took.append((time.perf_counter() - begun) * 1_000)
    return took
