"""The sealed format: a header, then frames of 64 KiB, each AES-256-GCM.

    header  = "YWB1" | 7 random bytes
    nonce   = those 7 bytes | frame number, 4 bytes big-endian | 1 for the last frame, else 0
    frame   = ciphertext of at most 64 KiB | 16-byte tag; the header and the blob's id are its associated data

The number keeps frames in their place, the last flag makes a shortened file fail, the id keeps a blob from standing
in for another one. Pure computation: no disk, no event loop.
"""

import hashlib
import hmac
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from youworker_app.gateways.blobs.errors import BlobDamaged
from youworker_app.gateways.blobs.protocol import BlobReceipt

FRAME_BYTES = 64 * 1024
PIECE_BYTES = 16 * FRAME_BYTES  # what one step reads, seals or opens
_MAGIC = b"YWB1"
_PREFIX_BYTES = 7
_TAG_BYTES = 16
_SEALED_FRAME_BYTES = FRAME_BYTES + _TAG_BYTES
HEADER_BYTES = len(_MAGIC) + _PREFIX_BYTES


@dataclass(frozen=True)
class _Cipher:
    """One blob's cipher; `header` holds the nonce prefix."""

    blob_id: str
    key: bytes = field(repr=False)
    header: bytes

    def seal(self, number: int, plain: bytes, *, last: bool) -> bytes:
        return AESGCM(self.key).encrypt(self._nonce(number, last), plain, self._associated())

    def open(self, number: int, sealed: bytes, *, last: bool) -> bytes:
        try:
            return AESGCM(self.key).decrypt(self._nonce(number, last), sealed, self._associated())
        except (InvalidTag, ValueError) as error:
            raise BlobDamaged(frame=number) from error

    def _nonce(self, number: int, last: bool) -> bytes:
        return self.header[len(_MAGIC) :] + struct.pack(">IB", number, last)

    def _associated(self) -> bytes:
        return self.header + self.blob_id.encode()


class Sealer:
    """Seals a stream whose length is not known ahead; counts and hashes the plain bytes on the way."""

    def __init__(self, blob_id: str, key: bytes, hash_key: bytes) -> None:
        self._cipher = _Cipher(blob_id, key, _MAGIC + os.urandom(_PREFIX_BYTES))
        self._hash = hmac.new(hash_key, digestmod=hashlib.sha256)
        self._waiting = bytearray()
        self._number = 0
        self._size = 0

    @property
    def header(self) -> bytes:
        """What stands before the first frame."""
        return self._cipher.header

    def add(self, plain: bytes) -> bytes:
        """The frames that are complete now. A full frame waits for the next byte: it could be the last one."""
        self._size += len(plain)
        self._hash.update(plain)
        self._waiting += plain
        sealed = bytearray()
        start = 0
        while len(self._waiting) - start > FRAME_BYTES:
            sealed += self._next_frame(bytes(self._waiting[start : start + FRAME_BYTES]), last=False)
            start += FRAME_BYTES
        del self._waiting[:start]
        return bytes(sealed)

    def finish(self) -> bytes:
        """The last frame; an empty blob has one empty frame."""
        return self._next_frame(bytes(self._waiting), last=True)

    def receipt(self) -> BlobReceipt:
        """Size and keyed hash of all plain bytes given so far."""
        return BlobReceipt(size_bytes=self._size, content_hash=self._hash.digest())

    def _next_frame(self, plain: bytes, *, last: bool) -> bytes:
        sealed = self._cipher.seal(self._number, plain, last=last)
        self._number += 1
        return sealed


def plain_size(sealed_size: int) -> int:
    """The plain size of a stored length. Raises BlobDamaged for a length that no blob has."""
    body = sealed_size - HEADER_BYTES
    frames = -(-body // _SEALED_FRAME_BYTES)
    size = body - frames * _TAG_BYTES
    # A last frame holds at least one byte, unless it is the only one.
    if frames < 1 or size < 0 or (frames > 1 and size <= (frames - 1) * FRAME_BYTES):
        raise BlobDamaged
    return size


class SealedBlob:
    """A stored blob of `sealed_size` bytes, opened frame by frame through `fetch(offset, length)`."""

    def __init__(
        self, blob_id: str, key: bytes, sealed_size: int, fetch: Callable[[int, int], bytes]
    ) -> None:
        """Reads header and last frame: a shortened file or a wrong key raises BlobDamaged here."""
        self.size = plain_size(sealed_size)
        self._last = max(0, (self.size - 1) // FRAME_BYTES)
        self._fetch = fetch
        header = fetch(0, HEADER_BYTES)
        if not header.startswith(_MAGIC) or len(header) != HEADER_BYTES:
            raise BlobDamaged
        self._cipher = _Cipher(blob_id, key, header)
        self._open_frames(self._last, self._last + 1)

    def pieces(self, start: int, end: int | None) -> Iterator[tuple[int, int]]:
        """The range [start, end) cut at multiples of PIECE_BYTES."""
        if start < 0 or (end is not None and end < 0):
            raise ValueError("a range starts and ends at 0 or later")
        end = self.size if end is None else min(end, self.size)
        while start < end:
            border = min(end, (start // PIECE_BYTES + 1) * PIECE_BYTES)
            yield start, border
            start = border

    def open(self, start: int, end: int) -> bytes:
        """The plain bytes [start, end), both within the blob, start < end."""
        first = start // FRAME_BYTES
        plain = self._open_frames(first, (end - 1) // FRAME_BYTES + 1)
        return plain[start - first * FRAME_BYTES : end - first * FRAME_BYTES]

    def _open_frames(self, first: int, stop: int) -> bytes:
        offset = HEADER_BYTES + first * _SEALED_FRAME_BYTES
        sealed = memoryview(self._fetch(offset, (stop - first) * _SEALED_FRAME_BYTES))
        frames = (
            self._cipher.open(
                first + i,
                bytes(sealed[i * _SEALED_FRAME_BYTES :][:_SEALED_FRAME_BYTES]),
                last=first + i == self._last,
            )
            for i in range(stop - first)
        )
        return b"".join(frames)
