"""SQLite off the event loop, with one hand-over to its thread a statement.

Owns how aiosqlite is driven. SQLAlchemy's own adapter hands over four times for a select (open a cursor, execute, fetch,
close), which was a third of the time of every request (docs/adr/0009). Knows no transaction and no pool: see `db`.
"""

import sqlite3
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiosqlite
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.util import immutabledict
from sqlalchemy.util.concurrency import await_


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a statement left behind, in the words of PEP 249."""

    description: Any = None
    rowcount: int = -1
    lastrowid: int | None = None
    arraysize: int = 1
    rows: Sequence[Any] = ()


_NONE_YET = _Outcome()


class OneHopCursor(AsyncAdapt_aiosqlite_cursor):
    """A cursor that exists in the connection's thread only for the length of one statement; its rows are all fetched."""

    __slots__ = ()

    def __init__(self, adapt_connection: AsyncAdapt_aiosqlite_connection) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._soft_closed_memoized = immutabledict()
        self._rows = deque()
        self._keep(_NONE_YET)

    def close(self) -> None:
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """Nothing is open."""

    async def _execute_async(self, operation: Any, parameters: Any) -> Any:
        await self._run(_execute, operation, () if parameters is None else parameters)

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> Any:
        await self._run(_execute_many, operation, seq_of_parameters)

    async def _run(self, function: Any, operation: Any, parameters: Any) -> None:
        driver: Any = self._connection
        adapted: Any = self._adapt_connection
        async with adapted._execute_mutex:
            begin, adapted.pending_begin = adapted.pending_begin, ""
            self._keep(await driver._execute(function, driver._conn, begin, operation, parameters))

    def _keep(self, outcome: _Outcome) -> None:
        self._cursor: Any = outcome
        self._rows = deque(outcome.rows)


class OneHopConnection(AsyncAdapt_aiosqlite_connection):
    """A connection with such cursors, that begins with the first statement and ends only what has begun."""

    __slots__ = ("pending_begin",)

    _cursor_cls: Any = OneHopCursor

    def __init__(self, driver: AsyncAdapt_aiosqlite_dbapi, connection: Any) -> None:
        super().__init__(driver, connection)
        self.pending_begin = ""

    def commit(self) -> None:
        if self._has_begun():
            super().commit()

    def rollback(self) -> None:
        if self._has_begun():
            super().rollback()

    def _has_begun(self) -> bool:
        self.pending_begin = ""
        connection: Any = self._connection
        return connection._connection is not None and bool(connection.in_transaction)


class OneHopDriver(AsyncAdapt_aiosqlite_dbapi):
    """For `create_async_engine(module=…)`: the driver that makes such connections."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)

    def connect(self, *arguments: Any, **options: Any) -> AsyncAdapt_aiosqlite_connection:
        connection = self.aiosqlite.connect(*arguments, **options)
        # A process that was told to end must not wait for a thread that waits for work.
        connection._thread.daemon = True
        return OneHopConnection(self, await_(connection))


def begin_with_next(connection: Connection, statement: str) -> None:
    """Lets `statement` (BEGIN or BEGIN IMMEDIATE) go along with the next one that is executed."""
    adapted: Any = connection.connection.dbapi_connection
    adapted.pending_begin = statement


def _execute(connection: sqlite3.Connection, begin: str, operation: str, parameters: Any) -> _Outcome:
    if begin:
        connection.execute(begin)
    return _outcome(connection.execute(operation, parameters))


def _execute_many(connection: sqlite3.Connection, begin: str, operation: str, parameters: Any) -> _Outcome:
    if begin:
        connection.execute(begin)
    return _outcome(connection.executemany(operation, parameters))


def _outcome(cursor: sqlite3.Cursor) -> _Outcome:
    try:
        rows = cursor.fetchall() if cursor.description else ()
        return _Outcome(cursor.description, cursor.rowcount, cursor.lastrowid, rows=rows)
    finally:
        cursor.close()
