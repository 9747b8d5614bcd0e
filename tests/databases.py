"""Databases for tests: migrated by Alembic once, then a copy (SQLite) or emptied tables (PostgreSQL) for each test."""

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete
from sqlmodel import SQLModel

from youworker_app.access.policies import POLICIES
from youworker_app.core import fence
from youworker_app.core.db import Database
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


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite+aiosqlite:///{path}"


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
