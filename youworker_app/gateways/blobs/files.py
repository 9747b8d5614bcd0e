"""Blobs as files in a local folder, two levels of fan-out, readable by the server's user alone.

<root>/3f/a2/3fa2….      a finished blob
<root>/unfinished/….     one that is being written, locked by its writer; swept at start
"""

import fcntl
import os
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import BinaryIO

from youworker_app.core.disk import disk_errors, require_room
from youworker_app.core.ids import new_id
from youworker_app.core.telemetry import get_logger
from youworker_app.gateways.blobs.errors import BlobExists, BlobMissing, FileTooLarge
from youworker_app.gateways.blobs.frames import PIECE_BYTES, SealedBlob, Sealer, plain_size
from youworker_app.gateways.blobs.protocol import BlobReceipt
from youworker_app.gateways.blobs.threads import in_thread

log = get_logger(__name__)

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{3,127}", re.ASCII)
_UNFINISHED = "unfinished"
_MIB = 1024 * 1024


def checked_id(blob_id: str) -> str:
    """The id itself. Raises ValueError for one that could name another place: ids are ours, so this is a bug."""
    if not _ID.fullmatch(blob_id):
        raise ValueError("a blob id is 4 to 128 letters, digits, '-' or '_'")
    return blob_id


def too_large(max_bytes: int) -> FileTooLarge:
    """The refusal, with the limit in bytes and in whole MiB."""
    return FileTooLarge(limit_bytes=max_bytes, limit_mib=max_bytes // _MIB)


class FileBlobStore:
    """A BlobStore in the folder `root`, which is made (0700) when it is not there. It leaves `reserve_bytes` of the disk."""

    def __init__(self, root: Path, *, reserve_bytes: int = 0) -> None:
        self._root, self._reserve_bytes = root, reserve_bytes

    async def write(
        self, blob_id: str, key: bytes, source: AsyncIterator[bytes], *, hash_key: bytes, max_bytes: int
    ) -> BlobReceipt:
        place = self._place(blob_id)
        sealer = Sealer(blob_id, key, hash_key)
        unfinished = _Unfinished(self._root / _UNFINISHED, place, self._reserve_bytes)
        pieces = _batched(source, max_bytes)
        try:
            first, second = await anext(pieces), await anext(pieces, None)
            if second is None:
                await in_thread(unfinished.write, sealer, first)
            else:
                await in_thread(unfinished.begin, sealer.header)
                for plain in (first, second):
                    await in_thread(unfinished.append, sealer, plain)
                async for plain in pieces:
                    await in_thread(unfinished.append, sealer, plain)
                await in_thread(unfinished.finish, sealer)
        except BaseException:
            await in_thread(unfinished.discard)
            raise
        return sealer.receipt()

    async def read(
        self, blob_id: str, key: bytes, *, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        place = self._place(blob_id)
        sealed_size = await self._sealed_size(place)

        # Opened anew for each piece: no descriptor outlives a reader that stops half-way.
        def fetch(offset: int, length: int) -> bytes:
            try:
                with disk_errors(), place.open("rb", buffering=0) as file:
                    return os.pread(file.fileno(), length, offset)
            except FileNotFoundError as error:
                raise BlobMissing from error

        blob = await in_thread(SealedBlob, blob_id, key, sealed_size, fetch)
        for piece_start, piece_end in blob.pieces(start, end):
            yield await in_thread(blob.open, piece_start, piece_end)

    async def read_all(self, blob_id: str, key: bytes) -> bytes:
        async with aclosing(self.read(blob_id, key)) as pieces:
            return b"".join([piece async for piece in pieces])

    async def size(self, blob_id: str) -> int:
        return plain_size(await self._sealed_size(self._place(blob_id)))

    async def delete(self, blob_id: str) -> None:
        with disk_errors():
            await in_thread(self._place(blob_id).unlink, missing_ok=True)

    async def list_ids(self) -> AsyncIterator[str]:
        for folder in await in_thread(_folders, self._root):
            for name in await in_thread(_names, folder):
                yield name

    async def sweep_unfinished(self) -> int:
        """Removes what a killed process left half-written; what is still being written is locked and stays.

        Returns how many files were removed.
        """
        removed = await in_thread(_sweep, self._root / _UNFINISHED)
        if removed:
            log.info("unfinished_blobs_swept", count=removed)
        return removed

    def _place(self, blob_id: str) -> Path:
        checked_id(blob_id)
        return self._root / blob_id[:2] / blob_id[2:4] / blob_id

    async def _sealed_size(self, place: Path) -> int:
        try:
            with disk_errors():
                return (await in_thread(place.stat)).st_size
        except FileNotFoundError as error:
            raise BlobMissing from error


async def _batched(source: AsyncIterator[bytes], max_bytes: int) -> AsyncIterator[bytes]:
    """The source in pieces of about PIECE_BYTES, whatever pieces it comes in: few steps, little memory."""
    waiting = bytearray()
    total = 0
    async for given in source:
        total += len(given)
        if total > max_bytes:
            raise too_large(max_bytes)
        for start in range(0, len(given), PIECE_BYTES):
            waiting += given[start : start + PIECE_BYTES]
            if len(waiting) >= PIECE_BYTES:
                yield bytes(waiting)
                waiting.clear()
    yield bytes(waiting)


class _Unfinished:
    """One file on its way to `place`. Its methods run in threads, one at a time."""

    def __init__(self, folder: Path, place: Path, reserve_bytes: int) -> None:
        self._reserve_bytes = reserve_bytes
        self._path = folder / f"{new_id()}.part"
        self._place = place
        self._file: BinaryIO | None = None

    def write(self, sealer: Sealer, plain: bytes) -> None:
        """All of a small one at once: each hand-over to a thread costs more than what it does."""
        self.begin(sealer.header)
        self.append(sealer, plain)
        self.finish(sealer)

    def begin(self, header: bytes) -> None:
        if self._place.exists():
            raise BlobExists
        require_room(self._path.parent, self._reserve_bytes)
        with disk_errors():
            _make_folder(self._path.parent)
            self._file = os.fdopen(
                os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb"
            )
            fcntl.flock(self._file, fcntl.LOCK_EX)  # told apart from a leftover by sweep_unfinished
            self._file.write(header)

    def append(self, sealer: Sealer, plain: bytes) -> None:
        require_room(self._path.parent, self._reserve_bytes)
        with disk_errors():
            self._opened().write(sealer.add(plain))

    def finish(self, sealer: Sealer) -> None:
        file = self._opened()
        with disk_errors():
            file.write(sealer.finish())
            file.flush()
            os.fsync(file.fileno())
            _make_folder(self._place.parent)
            self._path.rename(self._place)
            self._path = self._place  # what discard removes when the caller was cancelled meanwhile
            _sync_folder(self._place.parent)
            file.close()

    def _opened(self) -> BinaryIO:
        if self._file is None:
            raise RuntimeError("begin comes first")
        return self._file

    def discard(self) -> None:
        """Leaves nothing behind; safe at every stage."""
        self._path.unlink(missing_ok=True)
        if self._file is not None:
            with suppress(OSError):  # what is still buffered may not fit either
                self._file.close()


def _make_folder(folder: Path) -> None:
    """Makes the folder (0700) and those above it, and puts each new entry on disk."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _folders(root: Path) -> list[Path]:
    return [folder for folder in root.glob("*/*") if folder.is_dir() and folder.parent.name != _UNFINISHED]


def _names(folder: Path) -> list[str]:
    return [entry.name for entry in os.scandir(folder) if _ID.fullmatch(entry.name)]


def _sweep(folder: Path) -> int:
    return sum(_swept(path) for path in folder.glob("*.part"))


def _swept(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        path.unlink(missing_ok=True)
        return True
