"""Search over 13,000 chunks with needles among them, over /v1/search; what they take of memory, and add to a first token."""

from collections.abc import AsyncIterator
from functools import partial

import aiohttp

from bench.client import ask_v1, at_once, milliseconds, open_client, quantile
from bench.context import Bench
from bench.figures import Figure
from bench.library import File, Library
from bench.memory import idle_memory_mb
from bench.people import Person, make_people
from bench.servers import FREE_EMBEDDER, QUICK_MODEL, Server
from bench.texts import Needle, make_needles, text

_NEEDLES = 100
_FILE_CHARS = 200_000
_FIRST_OF_MORE = 100  # number of the first file without a needle
_FIRST_OF_ALL = 10  # searches that load what is loaded once


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """memory_chunk, search_*, retrieval_added."""
    async with bench.product(FREE_EMBEDDER) as server, open_client() as http:
        person = (await make_people(server, 1))[0]
        library = Library(http, server, person)
        needles = make_needles(bench.pick(_NEEDLES, _NEEDLES, 4))
        await _hide(library, needles, bench.pick(10, 10, 1))
        yield await _filled(bench, server, library, bench.pick(13_000, 13_000, 500))
        for figure in await _searches(bench, server, library, needles):
            yield figure
        yield await _added(bench, http, server, person, needles)


async def _hide(library: Library, needles: list[Needle], files: int) -> None:
    """The first files hold all the needles."""
    archive = [
        File(f"archive-{n}.txt", text(_FILE_CHARS, n, tuple(needles[n::files])).encode())
        for n in range(files)
    ]
    await library.add(archive, at_once=2)


async def _filled(bench: Bench, server: Server, library: Library, chunks: int) -> Figure:
    """More files until there are enough passages; by how much memory grows with them."""
    first, before = library.chunks(), (await idle_memory_mb(bench, server))[0]
    number = _FIRST_OF_MORE
    while library.chunks() < chunks:
        await library.add([File(f"archive-{number}.txt", text(_FILE_CHARS, number).encode())])
        number += 1
    after, made = (await idle_memory_mb(bench, server))[0], library.chunks() - first
    detail = {"chunks_before": first, "chunks": made, "before_mb": before, "after_mb": after}
    return Figure("memory_chunk", round((after - before) * 1_000 / made, 2), detail)


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
