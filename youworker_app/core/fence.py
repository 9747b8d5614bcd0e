"""The query fence: SQL that names a guarded table without the stamp of `access.visible()` never reaches the database.

Knows no domain: access hands it the guarded names. The stamp is an execution option of the statement, never of the
connection, and lists the tables that its policies cover: a join to another guarded table is stopped as well. It cannot
see: hits in a session's identity map (one session an actor), the raw driver connection and names built at run time (a
lint in tests/architecture forbids both).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session

STAMP = "youworker_scope"
MODE = "youworker_mode"

_WRITES = re.compile(r"^\s*(insert|update|delete|replace|merge)\b", re.IGNORECASE)
_flushing: ContextVar[bool] = ContextVar("flushing", default=False)
_migrating: ContextVar[bool] = ContextVar("migrating", default=False)
_guarded: frozenset[str] = frozenset()
_pattern: re.Pattern[str] | None = None


class UnscopedQuery(RuntimeError):
    """A statement names a guarded table and was not built by access. A defect of ours, never of a client."""


class WriteInReadUnit(RuntimeError):
    """A unit that was opened for reading tried to write. A defect of ours."""


def guard_tables(names: frozenset[str]) -> None:
    """Sets which tables are fenced (called once by access at import)."""
    global _guarded, _pattern
    _guarded = names
    _pattern = (
        re.compile(r"\b(" + "|".join(sorted(names, key=len, reverse=True)) + r")\b", re.IGNORECASE)
        if names
        else None
    )
    _names_guarded.cache_clear()


@lru_cache(maxsize=4_096)
def _names_guarded(sql: str) -> frozenset[str]:
    return frozenset(name.lower() for name in _pattern.findall(sql)) if _pattern else frozenset()


@contextmanager
def migrations() -> Iterator[None]:
    """Opens the fence for schema migrations, which own every table."""
    token = _migrating.set(True)
    try:
        yield
    finally:
        _migrating.reset(token)


@contextmanager
def plans() -> Iterator[None]:
    """Opens the fence for EXPLAIN without ANALYZE, which returns no row of any table."""
    with migrations():
        yield


class FencedSession(Session):
    """A session whose own flush may write: rows reach it only after `require()`. Overrides a private hook: pinned by a test."""

    def _flush(self, objects: Any = None) -> None:
        token = _flushing.set(True)
        try:
            super()._flush(objects)
        finally:
            _flushing.reset(token)


@event.listens_for(Engine, "before_cursor_execute")
def _check(conn: Connection, _cursor: Any, sql: str, _params: Any, context: Any, _many: bool) -> None:
    if _WRITES.match(sql) and conn.get_execution_options().get(MODE) == "read":
        raise WriteInReadUnit(sql.split(maxsplit=1)[0])
    if _migrating.get() or _flushing.get() or not (named := _names_guarded(sql)):
        return
    invoked = getattr(context, "invoked_statement", None)
    options = invoked.get_execution_options() if invoked is not None else {}
    if not named <= (options.get(STAMP) or frozenset()):
        raise UnscopedQuery(sql[:200])
