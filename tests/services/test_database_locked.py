"""A SQLite that another program holds, or whose disk fails: told, nothing lost, and recovered from without a restart."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from tests.databases import sqlite_url
from tests.services.test_units import is_there
from youworker_app.core.database_errors import (
    DatabaseBusy,
    DatabaseDamaged,
    DatabaseFull,
    StorageReadOnly,
)
from youworker_app.core.db import Database
from youworker_app.core.errors import AppError, ConfigurationError
from youworker_app.core.migrations import migrate
from youworker_app.core.settings import DatabaseSettings
from youworker_app.models.accounts import InstallationFact

# Another program: takes the lock, says so, and lets go when it is told or after its time.
HOLDER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN " + sys.argv[2])
print("held", flush=True)
time.sleep(float(sys.argv[3]))
connection.execute("ROLLBACK")
"""


@pytest.fixture
def database_url(tmp_path: Path, migrated_sqlite: Path) -> str:
    """SQLite alone."""
    copy = tmp_path / "youworker.db"
    copy.write_bytes(migrated_sqlite.read_bytes())
    return sqlite_url(copy)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where it lies."""
    return tmp_path / "youworker.db"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """One that waits for a foreign writer for a second."""
    opened = Database(database_url, DatabaseSettings(busy_timeout_ms=1_000, pool_timeout_s=1.5))
    yield opened
    await opened.close()


@contextmanager
def held(file: Path, kind: str = "IMMEDIATE", seconds: float = 60) -> Iterator[subprocess.Popen[str]]:
    """While a process of its own holds the lock."""
    command = [sys.executable, "-c", HOLDER, str(file), kind, str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        try:
            yield holder
        finally:
            holder.kill()


async def put(database: Database, name: str) -> None:
    async with database.write() as unit:
        unit.session.add(InstallationFact(name=name, value="x"))


@pytest.mark.parametrize("kind", ["IMMEDIATE", "EXCLUSIVE"])
async def test_a_short_lock_only_delays(database: Database, file: Path, kind: str) -> None:
    with held(file, kind, seconds=0.3):
        await asyncio.gather(*(put(database, f"fact {n}") for n in range(4)))
    assert all([await is_there(database, f"fact {n}") for n in range(4)])


@pytest.mark.parametrize("kind", ["IMMEDIATE", "EXCLUSIVE"])
async def test_a_long_lock_is_told_and_reads_go_on(database: Database, file: Path, kind: str) -> None:
    await put(database, "before")
    with held(file, kind):
        writing = asyncio.create_task(put(database, "meanwhile"))
        reads = 0
        while not writing.done():
            assert await is_there(database, "before")
            reads += 1
            await asyncio.sleep(0.05)
        with pytest.raises(DatabaseBusy) as told:
            await writing
        assert reads > 3
    assert (told.value.http_status, told.value.code) == (503, "DATABASE_BUSY")
    await put(database, "after")
    assert [await is_there(database, name) for name in ("before", "meanwhile", "after")] == [
        True,
        False,
        True,
    ]


async def test_writers_in_a_row_do_not_add_up_their_waits(database: Database, file: Path) -> None:
    """A wait of a second each would be twelve: who has waited through the turns of two others is told before his own."""
    with held(file), capture_logs() as told:
        results = await asyncio.gather(
            *(put(database, f"fact {n}") for n in range(12)), return_exceptions=True
        )
    assert {type(result) for result in results} == {DatabaseBusy}
    waited = Counter(str(each["event"]) for each in told)
    assert waited["database_trouble"] <= 3  # whoever asked SQLite waited there for a second
    assert waited["database_trouble"] + waited["database_turn_exhausted"] == 12
    await put(database, "after")
    assert await is_there(database, "after")


async def test_a_full_disk_is_told(database: Database) -> None:
    """SQLite's own bound on a file's pages fails like a disk without room."""

    async def fill() -> None:
        async with database.write() as unit:
            await unit.session.execute(text("PRAGMA max_page_count = 1"))
            unit.session.add(InstallationFact(name="large", value="x" * 1_000_000))

    await put(database, "before")
    with pytest.raises(DatabaseFull) as told:
        await fill()
    assert (told.value.http_status, told.value.code) == (503, "STORAGE_FULL")
    async with database.read() as unit:
        await unit.session.execute(text("PRAGMA max_page_count = 1000000"))
    await put(database, "after")
    assert [await is_there(database, name) for name in ("before", "large", "after")] == [True, False, True]


async def test_what_may_only_be_read_is_told(database: Database) -> None:
    async def switch(value: str) -> None:
        async with database.read() as unit:
            await unit.session.execute(text(f"PRAGMA query_only = {value}"))

    await put(database, "before")
    await switch("ON")
    with pytest.raises(StorageReadOnly) as told:
        await put(database, "meanwhile")
    assert (told.value.http_status, told.value.code) == (503, "STORAGE_READ_ONLY")
    assert await is_there(database, "before")
    await switch("OFF")
    await put(database, "after")


async def test_a_damaged_file_is_told(database_url: str, file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    data = bytearray(file.read_bytes())
    data[200:] = b"\xff" * (len(data) - 200)
    file.write_bytes(data)
    broken = Database(database_url)
    with pytest.raises(DatabaseDamaged) as told:
        await is_there(broken, "any")
    assert (told.value.http_status, told.value.code) == (503, "DATABASE_DAMAGED")
    await broken.close()


async def _start(url: str) -> AppError:
    with pytest.raises(ConfigurationError) as told:
        await migrate(url)
    # The driver's thread tells this loop when it has ended.
    while any("_connection_worker_thread" in thread.name for thread in threading.enumerate()):
        await asyncio.sleep(0.01)
    return told.value


async def test_a_start_over_what_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_bytes(b"Dear Sir or Madam, " * 1_000)
    told = await _start(sqlite_url(path))
    assert str(path) in told.message
    assert "damaged" in told.message


async def test_a_start_in_a_missing_folder_is_told(tmp_path: Path) -> None:
    told = await _start(sqlite_url(tmp_path / "nowhere" / "youworker.db"))
    assert "nowhere" in told.message
