"""What can be wrong with the database itself, as an error that is told; and which failure of a driver means which.

All of it passes: after each of these the next request asks again, no restart is needed. Knows no table.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from youworker_app.core.errors import AppError, ChangedMeanwhile, DependencyAway, StorageAway, StorageFull
from youworker_app.core.telemetry import get_logger

log = get_logger(__name__)


class DatabaseTrouble(DependencyAway):
    """The database cannot do its work now. Nothing of the step was kept, unless its very end was under way."""


class DatabaseAway(DatabaseTrouble):
    code = "DATABASE_AWAY"
    template = "The database cannot be reached at the moment. Try again in a moment; if it stays so, tell an administrator."


class DatabaseBusy(DatabaseTrouble):
    code = "DATABASE_BUSY"
    template = (
        "The database is busy: another program holds it, or too many ask at once. Nothing was changed. Try again in a "
        "moment; if it stays so, tell an administrator."
    )


class DatabaseTooSlow(DependencyAway):
    """One statement was. Waiting does not help, so it is no DatabaseTrouble."""

    passes = False
    code = "DATABASE_TOO_SLOW"
    template = (
        "The database took too long for this and was stopped. Nothing was changed. Ask for less at once, or try again "
        "later."
    )


class DatabaseDamaged(DatabaseTrouble):
    code = "DATABASE_DAMAGED"
    template = "The database is damaged and cannot be read. Tell an administrator: it has to be restored from a backup."


class DatabaseFull(StorageFull, DatabaseTrouble):
    """Told like a full disk under the files."""


class DatabaseDiskFails(StorageAway, DatabaseTrouble):
    """Told like a failing disk under the files."""


class StorageReadOnly(DatabaseTrouble):
    code = "STORAGE_READ_ONLY"
    template = "Nothing can be changed: the server may only read its storage. Tell an administrator, who has to let it write."


# PostgreSQL, appendix A: whole codes first, then their classes (the first two characters).
_SQLSTATES: Final[Mapping[str, type[AppError]]] = {
    "23503": ChangedMeanwhile,  # a reference to a row that is gone
    "40P01": ChangedMeanwhile,  # deadlock
    "40001": ChangedMeanwhile,  # failed serialization
    "25006": StorageReadOnly,
    "53100": DatabaseFull,
    "58030": DatabaseDiskFails,
    "57014": DatabaseTooSlow,
    "55P03": DatabaseBusy,
    "XX001": DatabaseDamaged,
    "XX002": DatabaseDamaged,
    "08": DatabaseAway,
    "28": DatabaseAway,  # refused: the password was changed under us
    "3D": DatabaseAway,  # no such database
    "53": DatabaseBusy,  # out of connections, out of memory
    "57": DatabaseAway,  # shutting down, starting up, connection ended by the administrator
}
# SQLite, result codes (the low byte of the extended ones).
_RESULT_CODES: Final[Mapping[int, type[AppError]]] = {
    5: DatabaseBusy,  # BUSY
    6: DatabaseBusy,  # LOCKED
    7: DatabaseBusy,  # NOMEM
    8: StorageReadOnly,  # READONLY
    9: DatabaseTooSlow,  # INTERRUPT
    10: DatabaseDiskFails,  # IOERR
    11: DatabaseDamaged,  # CORRUPT
    13: DatabaseFull,  # FULL
    14: DatabaseAway,  # CANTOPEN
    15: DatabaseBusy,  # PROTOCOL: the lock of a WAL could not be had
    26: DatabaseDamaged,  # NOTADB
}
# Extended ones that say more: a reference, and writes that found no room (a quota is told by another number than a full disk).
_EXTENDED_CODES: Final[Mapping[int, type[AppError]]] = {
    787: ChangedMeanwhile,  # CONSTRAINT_FOREIGNKEY
    778: DatabaseFull,  # IOERR_WRITE
    1546: DatabaseFull,  # IOERR_TRUNCATE
    4874: DatabaseFull,  # IOERR_SHMSIZE
}


@contextmanager
def telling() -> Iterator[None]:
    """Raises DatabaseTrouble, DatabaseTooSlow or ChangedMeanwhile instead of a driver's failure; defects of ours pass."""
    try:
        yield
    except (DBAPIError, NoFreeConnection) as error:
        told = told_of(error)
        if told is None:
            raise
        log.warning("database_trouble", code=told.code, reason=type(getattr(error, "orig", error)).__name__)
        raise told from error


def told_of(error: DBAPIError | NoFreeConnection) -> AppError | None:
    """What a failure of the driver means, or None for what is a defect of ours (wrong SQL, a broken constraint)."""
    if isinstance(error, NoFreeConnection):
        return DatabaseBusy()
    kind = _kind(error)
    if kind is DatabaseDiskFails:
        return kind(reason=getattr(error.orig, "sqlite_errorname", "EIO"))
    return kind() if kind is not None else None


def _kind(error: DBAPIError) -> type[AppError] | None:
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return _SQLSTATES.get(state) or _SQLSTATES.get(state[:2])
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return _EXTENDED_CODES.get(code) or _RESULT_CODES.get(code & 0xFF)
    # Without a code it did not come from the server: the connection broke under the statement.
    return DatabaseAway if error.connection_invalidated else None
