"""Puts files in over /v1 and waits until they can be searched."""

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import aiohttp

from bench.people import Person
from bench.servers import Server

_POLL_S = 0.02
_PATIENCE_S = 400


class NotSearchable(Exception):
    """A file that was not read to its end, with its job as last told."""


@dataclass(frozen=True)
class File:
    """What is uploaded."""

    name: str
    content: bytes


class Library:
    """One person's documents."""

    def __init__(self, http: aiohttp.ClientSession, server: Server, person: Person) -> None:
        self._http, self._server, self._person = http, server, person

    async def add(self, files: Sequence[File], *, at_once: int = 1) -> float:
        """Seconds from the first byte sent until the last file can be searched; a request carries one file."""
        few = asyncio.Semaphore(at_once)
        begun = time.perf_counter()
        async with asyncio.timeout(_PATIENCE_S):
            jobs = await asyncio.gather(*(self._upload(file, few) for file in files))
            for job in jobs:
                await self._ended(job)
        return time.perf_counter() - begun

    async def _upload(self, file: File, few: asyncio.Semaphore) -> str:
        form = aiohttp.FormData()
        form.add_field("files", file.content, filename=file.name, content_type="application/octet-stream")
        async with few, self._post("/v1/ingest/upload", data=form) as answer:
            answer.raise_for_status()
            item = (await answer.json())["items"][0]
            if not item.get("job_id"):
                raise NotSearchable(item)
            return str(item["job_id"])

    async def _ended(self, job: str) -> None:
        while True:
            told = await self._get(f"/v1/ingest/jobs/{job}")
            if told["state"] == "done":
                return
            if told["state"] in {"failed", "cancelled"}:
                raise NotSearchable(told)
            await asyncio.sleep(_POLL_S)

    async def names(self) -> Counter[str]:
        """How often each filename stands in the list of documents that are ready."""
        found: Counter[str] = Counter()
        cursor: str | None = ""
        while cursor is not None:
            page = await self._get(
                f"/v1/documents?limit=100&state=ready&cursor={cursor}" if cursor else _FIRST
            )
            found.update(item["filename"] for item in page["items"])
            cursor = page["next_cursor"]
        return found

    async def search(self, query: str, limit: int = 5) -> tuple[float, list[str]]:
        """(seconds, the texts found)."""
        begun = time.perf_counter()
        async with self._post("/v1/search", json={"query": query, "limit": limit}) as answer:
            answer.raise_for_status()
            found = await answer.json()
        return time.perf_counter() - begun, [item["text"] for item in found["items"]]

    def chunks(self) -> int:
        """How many passages the installation has: read beside the server, which tells nobody."""
        with closing(sqlite3.connect(f"file:{self._server.data}/youworker.db?mode=ro", uri=True)) as opened:
            return int(opened.execute("SELECT count(*) FROM chunks").fetchone()[0])

    async def _get(self, path: str) -> Any:
        async with self._http.get(f"{self._server.url}{path}", headers=self._person.headers) as answer:
            answer.raise_for_status()
            return await answer.json()

    def _post(self, path: str, **body: Any) -> Any:
        return self._http.post(f"{self._server.url}{path}", headers=self._person.headers, **body)


_FIRST = "/v1/documents?limit=100&state=ready"
