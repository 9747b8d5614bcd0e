"""Packs files into a zip as they come: nothing is ever whole in memory, and no name leads out of the folder it is unpacked in."""

import re
import unicodedata
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, Final, cast

from youworker_app.core.clock import now
from youworker_app.core.errors import AppError, DependencyAway
from youworker_app.core.exports import ExportedFile, json_text
from youworker_app.gateways.blobs.threads import in_thread

LONGEST_NAME_BYTES: Final = 180
PROBLEMS: Final = "problems.json"
_OWNER_ALONE: Final = 0o600 << 16
_RESERVED: Final = str.maketrans(dict.fromkeys('<>:"|?*\\', "_"))
# Names of devices under Windows, with any extension.
_DEVICE: Final = re.compile(r"(?i)(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\Z")
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})


class Names:
    """The names that an archive holds: each safe, and no two the same for a disk that does not know large from small."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, wanted: str) -> str:
        """The name under which the file goes."""
        parts = [_part(each) for each in wanted.split("/") if each not in {"", ".", ".."}] or ["_"]
        name, number = "/".join(parts), 1
        while name.casefold() in self._taken:
            number += 1
            stem, dot, extension = parts[-1].partition(".")
            name = "/".join((*parts[:-1], f"{stem} ({number}){dot}{extension}"))
        self._taken.add(name.casefold())
        return name


class _Sink:
    """What the packer writes to; it cannot be asked where it stands, so that sizes follow each file."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._written.append(bytes(data))
        return len(data)

    def flush(self) -> None: ...

    def take(self) -> bytes:
        written, self._written = b"".join(self._written), []
        return written


class Archive:
    """A zip on its way. Its methods are quick enough for a thread, and each returns what is ready to be sent on."""

    def __init__(self) -> None:
        self.files = 0
        self.problems: list[dict[str, str]] = []
        self._sink, self._names = _Sink(), Names()
        self._zip = zipfile.ZipFile(cast(Any, self._sink), "w", allowZip64=True)
        self._file: Any = None

    def begin(self, path: str, *, is_packed: bool) -> str:
        """A new file; the name that it got."""
        name = self._names.take(path)
        info = zipfile.ZipInfo(name, now().timetuple()[:6])
        info.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
        info.external_attr = _OWNER_ALONE
        # How large it becomes is not known before: the form for large ones.
        self._file = self._zip.open(info, "w", force_zip64=True)
        self.files += 1
        return name

    def add(self, piece: bytes) -> bytes:
        """More of the file that was begun."""
        self._file.write(piece)
        return self._sink.take()

    def end(self) -> bytes:
        """The file is whole."""
        self._file.close()
        return self._sink.take()

    def close(self) -> bytes:
        """The archive is."""
        self._zip.close()
        return self._sink.take()

    def abandon(self) -> None:
        """Nothing more is wanted of it; after `close` nothing happens."""
        if self._file is not None:
            self._file.close()
        self._zip.close()


async def packed(
    files: AsyncIterator[ExportedFile], archive: Archive, come_to: Callable[[ExportedFile], Any]
) -> AsyncIterator[bytes]:
    """The bytes of the archive. What cannot be read is left where it broke and named in `problems.json`; raises
    DependencyAway when it could be read another time. `come_to` is awaited with each file.
    """
    try:
        async for file in files:
            await come_to(file)
            async for piece in _packed(file, archive):
                yield piece
        if archive.problems:
            archive.begin(PROBLEMS, is_packed=False)
            yield archive.add(json_text(archive.problems))
            yield archive.end()
        yield archive.close()
    finally:
        archive.abandon()


async def _packed(file: ExportedFile, archive: Archive) -> AsyncIterator[bytes]:
    name = archive.begin(file.path, is_packed=file.is_packed)
    try:
        async with aclosing(cast(Any, file.pieces)) as pieces:
            async for piece in pieces:
                yield await in_thread(archive.add, piece)
    except DependencyAway:
        raise
    except AppError as error:
        archive.problems.append({"file": name, "code": error.code, "message": error.message})
    yield archive.end()


def _part(raw: str) -> str:
    plain = "".join("_" if unicodedata.category(each) in _HIDDEN else each for each in raw)
    name = unicodedata.normalize("NFC", plain).translate(_RESERVED).strip(" .")
    if _DEVICE.match(name.partition(".")[0].strip()):
        name = f"_{name}"
    return _shortened(name) or "_"


def _shortened(name: str) -> str:
    if len(name.encode()) <= LONGEST_NAME_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    ending = f"{dot}{extension}" if stem and len(extension.encode()) <= 16 else ""
    kept = (stem if ending else name).encode()[: LONGEST_NAME_BYTES - len(ending.encode())]
    return kept.decode(errors="ignore").rstrip(" .") + ending
