"""Room on the disk: uploads stop first, the index next, so that the database still has some when the rest has none.

For the index this is more than politeness: it writes through memory, where a disk without room ends its process.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from youworker_app.core.errors import StorageAway, StorageFull

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turns the disk's errors into ours: a full disk, or a disk that fails. A missing file stays FileNotFoundError."""
    try:
        yield
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull from error
        raise StorageAway(reason=errno.errorcode.get(error.errno or 0, "EIO")) from error


def require_room(folder: Path, needed: int) -> None:
    """Raises StorageFull when fewer bytes than `needed` are free where `folder` is, or will be."""
    if needed and free_bytes(folder) < needed:
        raise StorageFull


def free_bytes(folder: Path) -> int:
    """Bytes that this user may still write there. The nearest folder above counts while it is not made."""
    while True:
        try:
            found = os.statvfs(folder)
        except FileNotFoundError:
            folder = folder.absolute().parent
            continue
        return found.f_bavail * found.f_frsize
