"""The built-in embedder: memory before and after the first upload, small files, the long manual, memory a chunk."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from bench.client import open_client
from bench.context import Bench, Size
from bench.figures import Figure
from bench.library import File, Library
from bench.people import make_people
from bench.scenarios.ingestion import manual, small_file, small_files
from bench.servers import Server
from bench.texts import text

# What is given back a moment after the work counts as given back; the index does so after 5 s of quiet.
_SETTLING_S = 7.0
# Characters: a first long document where the manual would take half of the run, and the one by which memory grows.
_WARM_UP: Mapping[Size, int] = {"full": 0, "quick": 300_000, "smoke": 20_000}
_FURTHER: Mapping[Size, int] = {"full": 2_000_000, "quick": 300_000, "smoke": 20_000}


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """memory_*, files_builtin, pdf_builtin. One installation that grows."""
    async with bench.product() as server, open_client() as http:
        library = Library(http, server, (await make_people(server, 1))[0])
        for figure in await _memory("memory_idle", bench, server):
            yield figure
        await library.add([small_file(0)])
        for figure in await _memory("memory_uploaded", bench, server):
            yield figure
        yield await small_files("files_builtin", bench, server, library)
        first: dict[str, float] = {}
        async with _growth(bench, server, library, first):
            if bench.size == "full":
                yield await manual("pdf_builtin", bench, server, library)
            else:
                await library.add([_long(bench, _WARM_UP, 5)])
        further: dict[str, float] = {}
        async with _growth(bench, server, library, further):
            await library.add([_long(bench, _FURTHER, 6)])
        detail = {**further, "first_long_document": first}
        yield Figure("memory_chunk", round(further["kb_a_chunk"], 2), detail)


def _long(bench: Bench, lengths: Mapping[Size, int], seed: int) -> File:
    return File(f"long-{seed}.txt", text(lengths[bench.size], seed).encode())


@asynccontextmanager
async def _growth(
    bench: Bench, server: Server, library: Library, told: dict[str, float]
) -> AsyncIterator[None]:
    """Fills `told`: what a document that is read meanwhile adds."""
    chunks, before = library.chunks(), (await _memory("", bench, server))[0].value
    yield
    after, made = (await _memory("", bench, server))[0].value, library.chunks() - chunks
    kilobytes = (after - before) * 1_000 / made
    told |= {"chunks": made, "before_mb": before, "after_mb": after, "kb_a_chunk": round(kilobytes, 2)}


async def _memory(name: str, bench: Bench, server: Server) -> tuple[Figure, Figure]:
    """All processes: what they take of the machine, pages that they share counted once, and the sum of what each has."""
    await asyncio.sleep(bench.pick(1, 1, 0) * _SETTLING_S)
    resident, proportional = server.memory_mb()
    return Figure(name, round(proportional)), Figure(f"{name}_summed", round(resident))
