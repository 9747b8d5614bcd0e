"""The built-in embedder: memory before and after the first upload, small files, the long manual."""

from collections.abc import AsyncIterator

from bench.client import open_client
from bench.context import Bench
from bench.figures import Figure
from bench.library import Library
from bench.memory import idle_memory_mb
from bench.people import make_people
from bench.scenarios.ingestion import manual, small_file, small_files
from bench.servers import Server


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """memory_idle, memory_uploaded, files_builtin, pdf_builtin. One installation that grows."""
    async with bench.product() as server, open_client() as http:
        library = Library(http, server, (await make_people(server, 1))[0])
        for figure in await _memory("memory_idle", bench, server):
            yield figure
        await library.add([small_file(0)])
        for figure in await _memory("memory_uploaded", bench, server):
            yield figure
        yield await small_files("files_builtin", bench, server, library)
        if bench.size == "full":
            yield await manual("pdf_builtin", bench, server, library)


async def _memory(name: str, bench: Bench, server: Server) -> tuple[Figure, Figure]:
    proportional, resident = await idle_memory_mb(bench, server)
    return Figure(name, round(proportional)), Figure(f"{name}_summed", round(resident))
