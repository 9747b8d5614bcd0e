"""The built-in embedder: memory before and after the first upload, small files, the long manual, memory a chunk."""

import asyncio
from collections.abc import AsyncIterator

from bench.client import open_client
from bench.context import Bench
from bench.figures import Figure
from bench.library import File, Library
from bench.people import make_people
from bench.scenarios.ingestion import manual, small_file, small_files
from bench.servers import Server
from bench.texts import text

# What is given back a moment after the work counts as given back.
_SETTLING_S = 3.0


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
        chunks, before = library.chunks(), (await _memory("", bench, server))[0].value
        if bench.size == "quick":  # the manual would take half of a quick run
            await library.add([File("long.txt", text(300_000, 5).encode())])
        else:
            yield await manual("pdf_builtin", bench, server, library)
        after = (await _memory("", bench, server))[0]
        made = library.chunks() - chunks
        detail = {"chunks": made, "before_mb": before, "after_mb": after.value}
        yield Figure("memory_chunk", round((after.value - before) * 1_000 / made, 2), detail)


async def _memory(name: str, bench: Bench, server: Server) -> tuple[Figure, Figure]:
    """All processes: what they take of the machine, pages that they share counted once, and the sum of what each has."""
    await asyncio.sleep(bench.pick(1, 1, 0) * _SETTLING_S)
    resident, proportional = server.memory_mb()
    return Figure(name, round(proportional)), Figure(f"{name}_summed", round(resident))
