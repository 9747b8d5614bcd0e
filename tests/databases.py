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
from pathlib import Path

from sqlmodel import SQLModel

from youworker_app.access.policies import POLICIES
from youworker_app.core import fence
from youworker_app.core.db import Database
from youworker_app.core.migrations import migrate

_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
_OPTIONS = "-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c synchronous_commit=off"


def has_postgres() -> bool:
    """Whether PostgreSQL's programs are on this machine (Debian: `apt-get install postgresql`)."""
    return bool(_BINARIES)


@contextmanager
def postgres_cluster() -> Iterator[str]:
    """A private PostgreSQL on a free port of loopback, as a user that is not root. Yields the URL of an empty database."""
    home = Path(tempfile.mkdtemp(prefix="youworker-pg-"))
    user = _unprivileged_user(home)
    run = _Runner(user)
    port = _free_port()
    try:
        run(
            "initdb",
            "-D",
            home / "data",
            "-U",
            "tests",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        )
        run("pg_ctl", "-D", home / "data", "-w", "-l", home / "log", "-o", f"{_OPTIONS} -p {port}", "start")
        try:
            yield f"postgresql+asyncpg://tests@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-D", home / "data", "-w", "-m", "immediate", "stop")
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
    """Takes every row away (PostgreSQL)."""
    names = ", ".join(str(model.__tablename__) for model in POLICIES)
    with fence.migrations():
        async with database.engine.begin() as connection:
            await connection.exec_driver_sql(f"TRUNCATE {names} CASCADE")


def all_tables() -> set[str]:
    """Names of all tables of the models."""
    return set(SQLModel.metadata.tables)
