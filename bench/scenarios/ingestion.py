"""Files to searchable with the free embedder (the model server's): small ones, many at once, a long PDF, a long text."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import aiohttp

from bench.client import open_client
from bench.context import Bench, Size
from bench.figures import Figure
from bench.library import File, Library
from bench.manual import long_pdf
from bench.people import make_people
from bench.servers import FREE_EMBEDDER, Server
from bench.texts import text
from tests.files import pdf_of, wrapped

SMALL = 2_048
# The line of the table, and characters.
LONG_TEXT: Mapping[Size, tuple[str, int]] = {
    "full": ("text_free", 10_000_000),
    "quick": ("text_quick", 2_000_000),
    "smoke": ("text_quick", 20_000),
}


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """files_free, uploads_*, pdf_free, text_*."""
    async with bench.product(FREE_EMBEDDER) as server, open_client() as http:
        library = Library(http, server, (await make_people(server, 1))[0])
        await library.add([small_file(0)])  # its processes are up
        yield await small_files("files_free", bench, server, library)
        for figure in await _sixteen(bench, library):
            yield figure
        yield await manual("pdf_free", bench, server, library)
        for figure in await _long_text(bench, http, server, library):
            yield figure


def small_file(number: int) -> File:
    """2 KB of text that no other number has."""
    return File(f"note-{number}.txt", text(SMALL, number).encode()[:SMALL])


async def small_files(name: str, bench: Bench, server: Server, library: Library) -> Figure:
    """100 files of 2 KB, four uploads at once."""
    files = [small_file(number) for number in range(1, 1 + bench.pick(100, 100, 4))]
    before, chunks = server.cpu_seconds(), library.chunks()
    seconds = await library.add(files, at_once=4)
    detail = {"files": len(files), "chunks": library.chunks() - chunks, **_cpu(server, before)}
    return Figure(name, round(seconds, 2), detail)


async def manual(name: str, bench: Bench, server: Server, library: Library) -> Figure:
    """The long PDF; a small one in a smoke run."""
    content, about = await asyncio.to_thread(_manual, bench)
    before, chunks = server.cpu_seconds(), library.chunks()
    seconds = await library.add([File("manual.pdf", content)])
    detail = {"file": about, "chunks": library.chunks() - chunks, **_cpu(server, before)}
    return Figure(name, round(seconds, 2), detail)


def _manual(bench: Bench) -> tuple[bytes, str]:
    if bench.size == "smoke":
        return pdf_of([wrapped(text(1_900, page)) for page in range(3)]), "three pages"
    file, about = long_pdf(bench.folder)
    return file.read_bytes(), about


async def _sixteen(bench: Bench, library: Library) -> list[Figure]:
    files = [small_file(number) for number in range(1_000, 1_000 + bench.pick(100, 100, 4))]
    seconds = await library.add(files, at_once=16)
    found = await library.names()
    times = [found[file.name] for file in files]
    detail = {"files": len(files), "seconds": round(seconds, 2)}
    lost, doubled = sum(each == 0 for each in times), sum(each > 1 for each in times)
    return [Figure("uploads_lost", lost, detail), Figure("uploads_doubled", doubled, detail)]


async def _long_text(
    bench: Bench, http: aiohttp.ClientSession, server: Server, library: Library
) -> list[Figure]:
    name, length = LONG_TEXT[bench.size]
    content = text(length, 7).encode()
    await bench.models.reset(http)
    before, chunks = server.cpu_seconds(), library.chunks()
    seconds = await library.add([File("long.txt", content)])
    made, stats = library.chunks() - chunks, await bench.models.stats(http)
    detail = {"bytes": len(content), "chunks": made, "embedder_calls": stats["embed_calls"]}
    return [
        Figure(name, round(seconds, 2), {**detail, **_cpu(server, before)}),
        Figure("text_times", round(stats["embed_texts"] / made, 3), detail),
    ]


def _cpu(server: Server, before: float) -> dict[str, float]:
    return {"cpu_s": round(server.cpu_seconds() - before, 2)}
