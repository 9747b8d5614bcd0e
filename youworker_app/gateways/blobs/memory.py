"""Blobs in memory, sealed as on disk: for tests."""

from collections.abc import AsyncIterator

from youworker_app.gateways.blobs.errors import BlobExists, BlobMissing
from youworker_app.gateways.blobs.files import checked_id, too_large
from youworker_app.gateways.blobs.frames import SealedBlob, Sealer, plain_size
from youworker_app.gateways.blobs.protocol import BlobReceipt


class MemoryBlobStore:
    """A BlobStore that forgets everything with its process."""

    def __init__(self) -> None:
        self.sealed: dict[str, bytes] = {}

    async def write(
        self, blob_id: str, key: bytes, source: AsyncIterator[bytes], *, hash_key: bytes, max_bytes: int
    ) -> BlobReceipt:
        if checked_id(blob_id) in self.sealed:
            raise BlobExists
        sealer = Sealer(blob_id, key, hash_key)
        sealed = bytearray(sealer.header)
        async for plain in source:
            if sealer.receipt().size_bytes + len(plain) > max_bytes:
                raise too_large(max_bytes)
            sealed += sealer.add(plain)
        sealed += sealer.finish()
        self.sealed[blob_id] = bytes(sealed)
        return sealer.receipt()

    async def read(
        self, blob_id: str, key: bytes, *, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        sealed = self._sealed(blob_id)
        blob = SealedBlob(blob_id, key, len(sealed), lambda offset, length: sealed[offset : offset + length])
        for piece_start, piece_end in blob.pieces(start, end):
            yield blob.open(piece_start, piece_end)

    async def read_all(self, blob_id: str, key: bytes) -> bytes:
        return b"".join([piece async for piece in self.read(blob_id, key)])

    async def size(self, blob_id: str) -> int:
        return plain_size(len(self._sealed(blob_id)))

    async def delete(self, blob_id: str) -> None:
        self.sealed.pop(checked_id(blob_id), None)

    async def list_ids(self) -> AsyncIterator[str]:
        for blob_id in list(self.sealed):
            yield blob_id

    def _sealed(self, blob_id: str) -> bytes:
        try:
            return self.sealed[checked_id(blob_id)]
        except KeyError as error:
            raise BlobMissing from error
