"""What can go wrong with stored bytes."""

from youworker_app.core.errors import Conflict, NotFound, TooLarge
from youworker_app.core.errors import StorageAway as StorageAway
from youworker_app.core.errors import StorageFull as StorageFull


class FileTooLarge(TooLarge):
    code = "FILE_TOO_LARGE"
    template = "This file is larger than the {limit_mib} MiB that are allowed. Nothing of it was kept."


class BlobMissing(NotFound):
    code = "FILE_CONTENT_MISSING"
    template = "The content of this file is no longer there."


class BlobExists(Conflict):
    code = "FILE_CONTENT_EXISTS"
    template = "There is already stored content under this id; stored content is never overwritten."


class BlobDamaged(Conflict):
    """A changed, swapped or shortened file, or a wrong key."""

    code = "FILE_CONTENT_DAMAGED"
    template = "The stored content of this file is damaged and is not shown. Upload the file again or restore a backup."
