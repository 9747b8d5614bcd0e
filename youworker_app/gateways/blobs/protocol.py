"""The store of encrypted bytes, as the domains see it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class BlobReceipt:
    """What was written: the plain size, and HMAC-SHA-256 of the plain content under the caller's `hash_key`."""

    size_bytes: int
    content_hash: bytes


class BlobStore(Protocol):
    """Bytes under an opaque id (4 to 128 letters, digits, `-` or `_`), each sealed under its own 32-byte key."""

    async def write(
        self, blob_id: str, key: bytes, source: AsyncIterator[bytes], *, hash_key: bytes, max_bytes: int
    ) -> BlobReceipt:
        """Seals and stores the stream in constant memory; on return it is safe on disk.

        Whatever ends it early (an error of the source, a cancellation, one of these errors) leaves nothing behind.
        Raises FileTooLarge as soon as more than `max_bytes` have come, BlobExists, StorageFull and StorageAway.
        """
        ...

    def read(
        self, blob_id: str, key: bytes, *, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        """The plain bytes [start, end) in pieces of at most 1 MiB; an `end` past the file means its end.

        Raises BlobMissing, and BlobDamaged before the first byte for a shortened file or a wrong key, or at the frame
        that was changed.
        """
        ...

    async def read_all(self, blob_id: str, key: bytes) -> bytes:
        """The whole plain content. Raises BlobMissing and BlobDamaged."""
        ...

    async def size(self, blob_id: str) -> int:
        """The plain size in bytes, told from the stored length (not authenticated). Raises BlobMissing."""
        ...

    async def delete(self, blob_id: str) -> None:
        """Removes it; nothing happens when it is not there."""
        ...

    def list_ids(self) -> AsyncIterator[str]:
        """Every stored id, in no order."""
        ...
