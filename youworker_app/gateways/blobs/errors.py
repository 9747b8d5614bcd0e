"""What can go wrong with stored bytes."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from youworker_app.core.errors import AppError, Conflict, NotFound, TooLarge
from youworker_app.core.errors import StorageAway as StorageAway
from youworker_app.core.errors import StorageFull as StorageFull

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class FileTooLarge(TooLarge):
    code = "FILE_TOO_LARGE"
    template = "This file is larger than the {limit_mib} MiB that are allowed. Nothing of it was kept."


class BlobMissing(NotFound):
    code = "FILE_CONTENT_MISSING"
    template = "The content of this file is no longer there."


class BlobExists(Conflict):
    code = "FILE_CONTENT_EXISTS"
    template = "There is already stored content under this id; stored content is never overwritten."


class BlobDamaged(AppError):
    """A changed, swapped or shortened file, or a wrong key."""

    code, http_status = "FILE_CONTENT_DAMAGED", 500
    template = "The stored content of this file is damaged and is not shown. Upload the file again or restore a backup."


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
