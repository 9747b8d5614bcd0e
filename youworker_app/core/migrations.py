"""Brings the database to the schema of this release, at start, in one transaction. Never `create_all`.

Knows no table: the revisions stand in `alembic/versions`.
"""

import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, event, inspect
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import AutoString

from youworker_app.core import fence
from youworker_app.core.database_errors import telling
from youworker_app.core.database_url import told_url
from youworker_app.core.db import Database, UTCDateTime
from youworker_app.core.errors import AppError, ConfigurationError
from youworker_app.core.settings import DatabaseSettings, Settings

SCRIPTS = Path(__file__).resolve().parents[2] / "alembic"

_REVISION = re.compile(r'^revision\b[^=]*= "(\w+)"', re.MULTILINE)
_FOLLOWS = re.compile(r'^down_revision\b[^=]*= "(\w+)"', re.MULTILINE)

# Any number, the same in every release: processes that start together migrate one after the other.
_POSTGRES_LOCK = 7_205_759_403


# What PostgreSQL says to who may not come in.
_REASONS = {
    "28P01": "it refuses this user or password",
    "28000": "it refuses this user or password",
    "3D000": "there is no database of this name",
    "42501": "this user may not change its tables",
    "57P03": "it is starting or stopping",
}


class DanglingReferences(RuntimeError):
    """A migration would leave rows that point at nothing; it was rolled back. A defect of ours."""


async def migrate(url: str) -> None:
    """Upgrades the database at `url` to the newest revision.

    Raises ConfigurationError when a newer release wrote it, or when it cannot be used now. Whatever fails, nothing is
    changed.
    """
    try:
        with telling():
            async with _connection(url) as connection:
                if not await connection.run_sync(_is_newest):
                    # Alembic takes 11 MB that most starts can do without.
                    from youworker_app.core.alembic_commands import upgrade

                    await connection.run_sync(upgrade)
                    await _check_references(connection)
    except ConfigurationError:
        raise
    except (AppError, OSError) as error:
        raise ConfigurationError(problem=_away(url, error)) from error


def _away(url: str, error: AppError | OSError) -> str:
    """Names the database, never its password, and says what is wrong with it."""
    cause = error if isinstance(error, OSError) else error.__cause__
    if isinstance(cause, OSError):
        number = cause.errno or 0
        reason = os.strerror(number) if number > 0 else cause.strerror or "no answer in time"
    else:
        told = error.message if isinstance(error, AppError) else ""
        reason = _REASONS.get(getattr(getattr(cause, "orig", None), "sqlstate", ""), told)
    where = (
        "Look after that file and its disk"
        if url.startswith("sqlite")
        else "Start it, or change DATABASE_URL"
    )
    return f"The database {told_url(url)} cannot be used: {reason.rstrip('.')}. {where}."


def newest_revision() -> str:
    """The revision that no other one follows."""
    texts = [path.read_text(encoding="utf-8") for path in (SCRIPTS / "versions").glob("*.py")]
    revisions: set[str] = {found for text in texts for found in _REVISION.findall(text)}
    [newest] = revisions - {found for text in texts for found in _FOLLOWS.findall(text)}
    return newest


def _is_newest(connection: Connection) -> bool:
    if not inspect(connection).has_table("alembic_version"):
        return False
    rows: Sequence[str] = (
        connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
    )
    return list(rows) == [newest_revision()]


@asynccontextmanager
async def developer_connection() -> AsyncIterator[AsyncConnection]:
    """The configured database, for the `alembic` command."""
    async with _connection(Settings().database_url()) as connection:
        yield connection
        await _check_references(connection)


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """How autogenerate writes the column types that are not SQLAlchemy's own: as what they are in the database."""
    match kind, item:
        case "type", UTCDateTime():
            return "sa.DateTime(timezone=True)"
        case "type", AutoString():
            return f"sa.String({item.length})"
        case _:
            return False


@asynccontextmanager
async def _connection(url: str) -> AsyncIterator[AsyncConnection]:
    """One locked transaction with the fence open, committed on clean exit."""
    # A migration takes the time that it takes.
    database = Database(url, DatabaseSettings.model_construct(statement_timeout_ms=0))
    if database.is_sqlite:
        # Changing a SQLite table copies and drops it, and a drop would cascade; a pragma is void inside a transaction.
        event.listen(database.engine.sync_engine, "connect", _foreign_keys_off)
    engine = database.engine.execution_options(**{fence.MODE: "write"})
    try:
        with fence.migrations():
            async with engine.begin() as connection:
                # The first statement takes the lock: on SQLite the transaction begins with it.
                await connection.exec_driver_sql(
                    "SELECT 1" if database.is_sqlite else f"SELECT pg_advisory_xact_lock({_POSTGRES_LOCK})"
                )
                yield connection
    finally:
        await database.close()


async def _check_references(connection: AsyncConnection) -> None:
    """On SQLite, where they are not enforced meanwhile."""
    if connection.dialect.name != "sqlite":
        return
    dangling = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all()
    if dangling:
        raise DanglingReferences(", ".join(sorted({str(row[0]) for row in dangling})))


def _foreign_keys_off(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA foreign_keys=OFF").close()
