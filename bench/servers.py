"""The servers of a run: the product over a folder of its own and the model server, each in its own process, ended by id."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench.machine import ROOT
from bench.processes import cpu_seconds, memory_mb
from tests.e2e.product import Product, free_port

# Fewer tokens than by default where only the first one is measured.
QUICK_MODEL = "fake-r50-n50"
STAMPED_MODEL = "fake-r50-n200-stamp"
SHORT_STAMPED_MODEL = "fake-r50-n20-stamp"
_MORE = (QUICK_MODEL, SHORT_STAMPED_MODEL)
FREE_EMBEDDER = {"YOUWORKER_EMBEDDING_BACKEND": "ollama", "YOUWORKER_EMBEDDING_MODEL": "fake-embed"}


class Server(Product):
    """The product, measured from outside."""

    @property
    def pid(self) -> int:
        """The supervisor; its children serve."""
        assert self._process is not None
        return self._process.pid

    def cpu_seconds(self) -> float:
        """Processor time of all its processes so far."""
        return cpu_seconds(self.pid)

    def memory_mb(self) -> tuple[float, float]:
        """(resident, proportional) of all its processes, in 10^6 bytes."""
        return memory_mb(self.pid)


@dataclass(frozen=True)
class Models:
    """The model server. `pid` to read its processor time."""

    url: str
    pid: int

    async def stats(self, http: aiohttp.ClientSession) -> dict[str, float]:
        """What was asked of it since the last reset."""
        async with http.get(f"{self.url}/_stats") as answer:
            told: dict[str, float] = await answer.json()
            return told

    async def reset(self, http: aiohttp.ClientSession) -> None:
        """Counts from zero."""
        async with http.post(f"{self.url}/_reset") as answer:
            await answer.read()


@asynccontextmanager
async def model_server() -> AsyncIterator[Models]:
    """The model server, answering."""
    port = free_port()
    command = [sys.executable, "-m", "bench.model_server", "--port", str(port), "--models", *_MORE]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    try:
        await _answering(f"http://127.0.0.1:{port}/api/version")
        yield Models(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        await process.wait()


async def _answering(url: str) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(30):
        while True:
            try:
                async with http.get(url):
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def product(
    folder: Path, models: Models, settings: Mapping[str, str] | None = None, *, program: str = ""
) -> AsyncIterator[Server]:
    """The product over a new data folder, with the model server as its Ollama; `program` where another module starts it."""
    server = Server(folder / "data", ollama_url=models.url, settings=dict(settings or {}))
    server.program = program or server.program
    await asyncio.to_thread(server.start)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.end)
