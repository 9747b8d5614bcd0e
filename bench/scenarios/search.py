"""Search over 13,000 chunks with needles among them, over /v1/search; and what it adds to a chat's first token."""

from collections.abc import AsyncIterator
from functools import partial

import aiohttp

from bench.client import ask_v1, at_once, milliseconds, open_client, quantile
from bench.context import Bench
from bench.figures import Figure
from bench.library import File, Library
from bench.people import Person, make_people
from bench.servers import FREE_EMBEDDER, QUICK_MODEL, Server
from bench.texts import Needle, make_needles, text

_NEEDLES = 100
_FILE_CHARS = 200_000
_FIRST_OF_ALL = 10  # searches that load what is loaded once


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """search_*, retrieval_added."""
    async with bench.product(FREE_EMBEDDER) as server, open_client() as http:
        person = (await make_people(server, 1))[0]
        library = Library(http, server, person)
        needles = make_needles(bench.pick(_NEEDLES, _NEEDLES, 4))
        await _fill(library, bench.pick(13_000, 13_000, 100), needles)
        for figure in await _searches(bench, server, library, needles):
            yield figure
        yield await _added(bench, http, server, person, needles)


async def _fill(library: Library, chunks: int, needles: list[Needle]) -> None:
    """The first ten files hold all the needles; more files follow until there are enough passages."""
    files = [
        File(f"archive-{n}.txt", text(_FILE_CHARS, n, tuple(needles[n::10])).encode())
        for n in range(min(10, len(needles)))
    ]
    await library.add(files if chunks > 1_000 else files[:1], at_once=2)
    number = len(files)
    while library.chunks() < chunks:
        await library.add([File(f"archive-{number}.txt", text(_FILE_CHARS, number).encode())])
        number += 1


async def _searches(bench: Bench, server: Server, library: Library, needles: list[Needle]) -> list[Figure]:
    for needle in needles[:_FIRST_OF_ALL]:
        await library.search(needle.question)
    took: list[float] = []
    found = 0
    before = server.cpu_seconds()
    for needle in needles * bench.pick(3, 1):
        seconds, texts = await library.search(needle.question)
        took.append(seconds * 1_000)
        found += any(needle.code in each for each in texts)
    used = (server.cpu_seconds() - before) * 1_000 / len(took)
    detail = {"chunks": library.chunks(), "searches": len(took), "cpu_ms_a_search": round(used, 1)}
    return [
        Figure("search_p50", quantile(took, 0.5), detail),
        Figure("search_p95", quantile(took, 0.95), detail),
        Figure("search_found", round(100 * found / len(took), 1), {"needles": len(needles)}),
    ]


async def _added(
    bench: Bench, http: aiohttp.ClientSession, server: Server, person: Person, needles: list[Needle]
) -> Figure:
    """One at a time, with documents and without in turn."""
    waits: dict[bool, list[float]] = {True: [], False: []}
    for needle in needles[: bench.pick(30, 10)]:
        for used in (True, False):
            body = {"message": needle.question, "model": f"{QUICK_MODEL}:latest", "use_documents": used}
            asked = partial(ask_v1, http, server.url, person.headers, body)
            waits[used] += milliseconds(await at_once([asked]))
    with_documents, without = quantile(waits[True], 0.5), quantile(waits[False], 0.5)
    detail = {"with_p50_ms": with_documents, "without_p50_ms": without, "questions": len(waits[True])}
    return Figure("retrieval_added", round(with_documents - without, 1), detail)
