"""Databases for tests: migrated by Alembic once, then a copy (SQLite) or emptied tables (PostgreSQL) for each test."""

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar

import asyncpg
from sqlalchemy import delete
from sqlmodel import SQLModel

from youworker_app.access.policies import POLICIES
from youworker_app.core import fence
from youworker_app.core.db import Database
from youworker_app.core.ids import new_id
from youworker_app.core.migrations import migrate

_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
# Nothing here outlives its test run: no write has to reach a disk.
_OPTIONS = " ".join(
    f"-c {option}"
    for option in (
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "autovacuum=off",
        "wal_level=minimal",
        "max_wal_senders=0",
    )
)


def has_postgres() -> bool:
    """Whether PostgreSQL's programs are on this machine (Debian: `apt-get install postgresql`)."""
    return bool(_BINARIES)


T = TypeVar("T")
Rows: TypeAlias = Mapping[str, bytes]


@dataclass(frozen=True)
class Cluster:
    """A private PostgreSQL on a port of loopback. `url` is that of its first database, which is empty."""

    url: str
    _home: Path
    _port: int
    _run: "_Runner"

    def start(self) -> None:
        """Starts it; returns when it answers."""
        options = f"{_OPTIONS} -p {self._port}"
        self._run("pg_ctl", "-D", self._home / "data", "-w", "-l", self._home / "log", "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stops it: `fast` ends every connection, `immediate` is like a crash."""
        self._run("pg_ctl", "-D", self._home / "data", "-w", "-m", mode, "stop")


@contextmanager
def postgres_cluster() -> Iterator[Cluster]:
    """A private PostgreSQL on a free port of loopback, as a user that is not root."""
    home = Path(tempfile.mkdtemp(prefix="youworker-pg-"))
    run = _Runner(_unprivileged_user(home))
    port = _free_port()
    made = ("-U", "tests", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
    cluster = Cluster(f"postgresql+asyncpg://tests@127.0.0.1:{port}/postgres", home, port, run)
    try:
        run("initdb", "-D", home / "data", *made)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop("immediate")
    finally:
        shutil.rmtree(home, ignore_errors=True)


class _Runner:
    def __init__(self, user: str | None) -> None:
        self._user = user

    def __call__(self, program: str, *arguments: str | Path) -> None:
        # The server must not hold our pipes open: its output goes to its own log.
        subprocess.run(
            [_BINARIES[-1] / program, *arguments],
            check=True,
            user=self._user,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )


def _unprivileged_user(home: Path) -> str | None:
    """PostgreSQL refuses to run as root: then its files go to another user of this machine."""
    if os.geteuid() != 0:
        return None
    user = next(
        name for name in ("postgres", "nobody") if name in {entry.pw_name for entry in pwd.getpwall()}
    )
    shutil.chown(home, user)
    return user


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Databases(Protocol):
    """Where databases for tests are made."""

    def fresh(self, folder: Path) -> str:
        """The URL of a new one, migrated and empty. A file lies in `folder`."""
        ...

    def copy(self, url: str, folder: Path) -> str:
        """The URL of a copy. Nobody is connected to the original."""
        ...

    def drop(self, url: str) -> None:
        """Takes one away, with whoever is connected."""
        ...


@dataclass(frozen=True)
class SqliteDatabases:
    """Files. `migrated` is one without rows."""

    migrated: Path

    def fresh(self, folder: Path) -> str:
        return self.copy(sqlite_url(self.migrated), folder)

    def copy(self, url: str, folder: Path) -> str:
        path = folder / f"{new_id()}.db"
        shutil.copyfile(url.removeprefix("sqlite+aiosqlite:///"), path)
        return sqlite_url(path)

    def drop(self, url: str) -> None:
        """Goes with its folder."""


@dataclass(frozen=True)
class PostgresDatabases:
    """On one server. `migrated` is the URL of one without rows, to which nobody connects.

    CREATE DATABASE waits for a checkpoint. What was dropped is therefore used again: its rows go, those of the original
    come.
    """

    migrated: str
    _idle: list[str] = field(default_factory=list)
    _rows: dict[str, Rows] = field(default_factory=dict)

    def fresh(self, folder: Path) -> str:
        return self._filled({})

    def copy(self, url: str, folder: Path) -> str:
        if url not in self._rows:
            self._rows[url] = _now(_read_rows(url))
        return self._filled(self._rows[url])

    def drop(self, url: str) -> None:
        self._idle.append(url)

    def _filled(self, rows: Rows) -> str:
        url = self._idle.pop() if self._idle else self._new()
        _now(_write_rows(url, rows))
        return url

    def _new(self) -> str:
        name = f"copy_{new_id().replace('-', '')}"
        _now(_run(self.migrated, f"CREATE DATABASE {name} TEMPLATE {database_of(self.migrated)}"))
        return with_database(self.migrated, name)


def database_of(url: str) -> str:
    """The name of the database at the end of a URL."""
    return url.rpartition("/")[2]


def with_database(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return f"{url.rpartition('/')[0]}/{name}"


def _now(work: Coroutine[Any, Any, T]) -> T:
    """Runs it to its end, in a thread of its own, since a loop may be running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        yield connection
    finally:
        await connection.close()


async def _run(url: str, statement: str) -> None:
    """Beside the database that it is about: for what no transaction may hold."""
    async with _connected(with_database(url, "postgres")) as connection:
        await connection.execute(statement)


async def _read_rows(url: str) -> Rows:
    found = {}
    async with _connected(url) as connection:
        for table in all_tables():
            rows = BytesIO()
            await connection.copy_from_table(table, output=rows, format="binary")
            found[table] = rows.getvalue()
    return found


async def _write_rows(url: str, rows: Rows) -> None:
    deletes = "; ".join(str(delete(model)) for model in POLICIES)
    async with _connected(url) as connection, connection.transaction():
        await connection.execute(f"SET LOCAL session_replication_role = replica; {deletes}")  # in any order
        for table, kept in rows.items():
            await connection.copy_to_table(table, source=BytesIO(kept), format="binary")


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite+aiosqlite:///{path}"


def migrated_databases(cluster: Cluster) -> PostgresDatabases:
    """Makes the original of all databases on this server."""
    _now(_run(cluster.url, "CREATE DATABASE migrated"))
    url = with_database(cluster.url, "migrated")
    migrate_now(url)
    return PostgresDatabases(url)


def migrate_now(url: str) -> None:
    """Migrates outside any running loop (session fixtures)."""
    with asyncio.Runner() as runner:
        runner.run(migrate(url))


async def empty(database: Database) -> None:
    """Takes every row away (PostgreSQL). TRUNCATE would make new files for each table and index, which takes far longer."""
    deletes = "; ".join(str(delete(model)) for model in POLICIES)
    with fence.migrations():
        async with database.engine.begin() as connection:
            await connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # in any order
            await connection.exec_driver_sql(f"DO $$ BEGIN {deletes}; END $$")


def all_tables() -> set[str]:
    """Names of all tables of the models."""
    return set(SQLModel.metadata.tables)
