"""One installation that lives through many kills: starts it, lets people work, kills it, and remembers where it stood."""

import asyncio
import os
import random
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tests.crash.journal import Journal
from tests.crash.models import Models, serving_models
from tests.crash.people import Person, first_account, sign_up
from tests.crash.points import POINTS
from tests.crash.workload import Day
from tests.databases import sqlite_url
from tests.e2e.product import Product
from youworker_app.core import fence

# Longer than anything takes; what takes so long hangs.
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Standing:
    """How far each document's job had come when the server was killed, and how many texts had been embedded by then."""

    embedded: int
    jobs: dict[str, tuple[str, int]]


@dataclass
class Life:
    """An installation, its people, and what they remember."""

    product: Product
    models: Models
    seed: str
    rng: random.Random
    database_url: str = ""
    journal: Journal = field(default_factory=Journal)
    people: dict[str, Person] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    kills: list[Standing] = field(default_factory=list)

    @property
    def armed(self) -> Path:
        return self.product.data.parent / "armed"

    @property
    def database(self) -> Path:
        return self.product.data / "youworker.db"

    async def start(self) -> bool:
        """Starts the server; False when it was killed before it answered."""
        up = await asyncio.to_thread(self.product.launch)
        if not up:
            await self._bury()
        return up

    async def found(self) -> None:
        """The first account, colleagues, two groups, and somebody who is in none yet."""
        token = self.product.setup_link().rpartition("=")[2]
        root = await first_account(self.product.url, token, self.journal)
        self.people["root"] = root
        for name in ("anna", "bruno", "carla", "dario"):
            self.people[name] = await sign_up(root, name)
        self.journal.guest = "dario"
        self.journal.guest_id = (await self.people["dario"].get("/v1/auth/me"))["id"]
        for group, admin, member in (("north", "anna", "bruno"), ("south", "bruno", "carla")):
            made = await self.people[admin].call("POST", "/v1/groups", json={"name": group})
            self.groups[group] = made.raise_for_status().json()["id"]
            path = f"/v1/groups/{self.groups[group]}/members"
            added = await self.people[admin].call("POST", path, json={"username": member, "role": "member"})
            added.raise_for_status()
            self.people[admin].groups.append(self.groups[group])
            self.people[member].groups.append(self.groups[group])
        self.journal.guest_group = self.groups["north"]

    def arm(self, point: str, passes: int = 0) -> None:
        """Has the server die at its next pass through the point, after so many that it survives."""
        assert point in POINTS
        self.armed.with_suffix(".fired").unlink(missing_ok=True)
        growing = self.armed.with_suffix(".new")
        growing.write_text(f"{passes} {point}")
        growing.rename(self.armed)

    def disarm(self) -> bool:
        """Whether the server has died at the point; it no longer will."""
        self.armed.unlink(missing_ok=True)
        return self.armed.with_suffix(".fired").exists()

    async def work(self, names: tuple[str, ...] = ("anna", "bruno", "carla"), steps: int = 1_000) -> None:
        """All of them work until the server is gone, or have done so many steps each."""
        days = [Day(self.people[name], random.Random(self.rng.random()), self.journal) for name in names]
        await asyncio.gather(*(day.work(steps) for day in days))

    async def work_until_killed(
        self, seconds: float, *, worker: bool = True, supervisor: bool = True
    ) -> None:
        """All of them work; after so many seconds the server is killed, unless it died before."""
        working = asyncio.ensure_future(self.work())
        await asyncio.wait({working}, timeout=seconds)
        await self.kill(worker=worker, supervisor=supervisor)
        async with asyncio.timeout(PATIENCE_S):
            await working

    async def kill(self, *, worker: bool = True, supervisor: bool = True) -> None:
        """SIGKILL to one or both of the server's processes."""
        if self.product.is_running():
            pids = [self.product.supervisor] * supervisor + [self.product.worker()] * worker
            for pid in pids:
                _kill(pid)
        await self._bury()

    async def start_and_kill(self, seconds: float) -> None:
        """Starts the server and kills it so soon that it may still be recovering."""
        starting = asyncio.ensure_future(asyncio.to_thread(self.product.launch))
        await asyncio.wait({starting}, timeout=seconds)
        for pid in processes_over(self.product.data):
            _kill(pid)
        await starting
        await self._bury()

    async def dead(self) -> None:
        """Waits until the server has died by itself."""
        async with asyncio.timeout(PATIENCE_S):
            while self.product.is_running():
                await asyncio.sleep(0.01)
        await self._bury()

    async def stop(self) -> None:
        """Ends the server in order."""
        assert await asyncio.to_thread(self.product.stop) == 0, self.product.log[-3_000:]
        await self._bury()

    async def _bury(self) -> None:
        """Waits for the end of every process of the server, and notes where it stood."""
        async with asyncio.timeout(PATIENCE_S):
            while survivors := processes_over(self.product.data):
                await asyncio.sleep(0.01)
        assert not survivors
        await asyncio.to_thread(self.product.wait)
        jobs = await self.rows("SELECT document_id, stage, cursor FROM jobs") if self._has_tables() else []
        self.kills.append(Standing(len(self.models.embedded), {row[0]: (row[1], row[2]) for row in jobs}))

    def _has_tables(self) -> bool:
        return bool(self.people)

    async def rows(self, sql: str) -> list[Any]:
        """What the database says. Of SQLite's files a copy is read: the server finds them as the kill left them."""
        if self.database_url:
            return await _select(self.database_url, sql)
        with tempfile.TemporaryDirectory() as folder:
            for path in self.database.parent.glob("youworker.db*"):
                if path.suffix != ".db-shm":
                    shutil.copy(path, folder)
            return await _select(sqlite_url(Path(folder) / self.database.name), sql)


@asynccontextmanager
async def living(folder: Path, seed: str, *, database_url: str = "") -> AsyncIterator[Life]:
    """An installation over `folder` that has been started once, with its people; killed at the end if it still runs."""
    with serving_models() as models:
        settings = {
            "CRASH_ARMED": str(folder / "armed"),
            "YOUWORKER_EMBEDDING_BACKEND": "ollama",
            "YOUWORKER_EMBEDDING_MODEL": "parrot-embed",
            "YOUWORKER_CHAT_SAVE_EVERY_MS": "100",
            "YOUWORKER_LLM_MODEL": "parrot:1b",
        }
        if database_url:
            settings["YOUWORKER_DATABASE_URL"] = database_url
        product = Product(folder / "data", models.url, settings, program="tests.crash.server")
        life = Life(product, models, seed, random.Random(seed), database_url)
        try:
            yield life
        finally:
            if life.product.is_running():
                await life.kill()
            for person in life.people.values():
                await person.http.aclose()


def processes_over(data: Path) -> list[int]:
    """Processes that were started over a data folder and have not ended, whoever their parent is by now."""
    wanted = f"YOUWORKER_STORAGE_DATA_DIR={data}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0") and not _is_zombie(folder):
                found.append(int(folder.name))
        except OSError:
            continue  # it ended meanwhile, or is not ours
    return found


def _is_zombie(folder: Path) -> bool:
    return (folder / "stat").read_text().rpartition(")")[2].split()[0] in {"Z", "X"}


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):  # it ended by itself meanwhile
        os.kill(pid, signal.SIGKILL)


async def _select(url: str, sql: str) -> list[Any]:
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        with fence.migrations():
            async with engine.connect() as connection:
                return [tuple(row) for row in await connection.execute(text(sql))]
    finally:
        await engine.dispose()
