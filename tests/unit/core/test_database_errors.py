"""Which failure of a driver is told as what."""

import sqlite3

import pytest
from sqlalchemy.exc import DBAPIError

from youworker_app.core.database_errors import told_of


class _FromServer(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


def _from_file(code: int, name: str = "") -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("told by its number alone")
    error.sqlite_errorcode, error.sqlite_errorname = code, name
    return error


def _code(original: BaseException, *, is_broken: bool = False) -> str | None:
    told = told_of(DBAPIError("SELECT 1", None, original, connection_invalidated=is_broken))
    return told.code if told else None


@pytest.mark.parametrize(
    ("sqlstate", "code"),
    [
        ("08006", "DATABASE_AWAY"),
        ("57P01", "DATABASE_AWAY"),
        ("57P03", "DATABASE_AWAY"),
        ("28P01", "DATABASE_AWAY"),
        ("3D000", "DATABASE_AWAY"),
        ("53300", "DATABASE_BUSY"),
        ("53200", "DATABASE_BUSY"),
        ("55P03", "DATABASE_BUSY"),
        ("57014", "DATABASE_TOO_SLOW"),
        ("53100", "STORAGE_FULL"),
        ("58030", "STORAGE_AWAY"),
        ("25006", "STORAGE_READ_ONLY"),
        ("XX001", "DATABASE_DAMAGED"),
        ("23503", "CHANGED_MEANWHILE"),
        ("40P01", "CHANGED_MEANWHILE"),
        ("40001", "CHANGED_MEANWHILE"),
        ("23505", None),
        ("42601", None),
        ("42P01", None),
    ],
)
def test_of_postgresql(sqlstate: str, code: str | None) -> None:
    assert _code(_FromServer(sqlstate)) == code


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (sqlite3.SQLITE_BUSY, "DATABASE_BUSY"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "DATABASE_BUSY"),
        (sqlite3.SQLITE_LOCKED, "DATABASE_BUSY"),
        (sqlite3.SQLITE_FULL, "STORAGE_FULL"),
        (sqlite3.SQLITE_IOERR_WRITE, "STORAGE_FULL"),
        (sqlite3.SQLITE_IOERR_READ, "STORAGE_AWAY"),
        (sqlite3.SQLITE_IOERR_FSYNC, "STORAGE_AWAY"),
        (sqlite3.SQLITE_READONLY, "STORAGE_READ_ONLY"),
        (sqlite3.SQLITE_READONLY_DBMOVED, "STORAGE_READ_ONLY"),
        (sqlite3.SQLITE_CORRUPT, "DATABASE_DAMAGED"),
        (sqlite3.SQLITE_NOTADB, "DATABASE_DAMAGED"),
        (sqlite3.SQLITE_CANTOPEN, "DATABASE_AWAY"),
        (sqlite3.SQLITE_INTERRUPT, "DATABASE_TOO_SLOW"),
        (sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, "CHANGED_MEANWHILE"),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, None),
        (sqlite3.SQLITE_ERROR, None),
    ],
)
def test_of_sqlite(number: int, code: str | None) -> None:
    assert _code(_from_file(number)) == code


def test_a_failing_disk_says_how() -> None:
    told = told_of(DBAPIError("SELECT 1", None, _from_file(266, "SQLITE_IOERR_READ")))
    assert told is not None
    assert "SQLITE_IOERR_READ" in told.message


def test_a_broken_connection_is_told_and_a_defect_of_ours_is_not() -> None:
    assert _code(RuntimeError(), is_broken=True) == "DATABASE_AWAY"
    assert _code(RuntimeError()) is None
