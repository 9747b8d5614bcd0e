"""The upload form: which fields it has, in which order, and the files in it as streams.

The fields say whose a file becomes, and a file is stored while it arrives: so they come first, or in the address. The end of
a file is told only when it is known what follows, so that a field that comes too late still stops the file before it.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from youworker_app.core.errors import AppError
from youworker_app.ingestion.multipart import MultipartReader, Part
from youworker_app.ingestion.schemas import Upload
from youworker_app.ingestion.upload_errors import (
    UploadFieldAfterFile,
    UploadFieldInvalid,
    UploadFieldTooLarge,
    UploadTooManyFields,
    UploadTooManyFiles,
)

FIELDS = frozenset({"group_id", "is_private", "tags", "collection"})
MAX_FIELD_BYTES = 64 * 1024
MAX_FIELDS = 64
MAX_TAGS = 200
_BOOLEANS = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}


@dataclass
class UploadFields:
    """What the form and the address say about all files of an upload. An empty value says nothing."""

    group_id: str | None = None
    is_private: bool | None = None
    collection: str | None = None
    tags: list[str] = field(default_factory=list)

    def add(self, name: str, value: str) -> None:
        """Takes one field. Raises UploadFieldInvalid for what is no value, or another one than before."""
        value = value.strip()
        if "\0" in value:
            raise UploadFieldInvalid(field=name, reason="it contains a NUL character")
        if name == "tags":
            self.tags += [tag for part in value.split(",") if (tag := part.strip())]
            if len(self.tags) > MAX_TAGS:
                raise UploadFieldInvalid(field=name, reason=f"there are more than {MAX_TAGS}")
        elif value and name in FIELDS:
            self._set(name, _boolean(value) if name == "is_private" else value)

    def _set(self, name: str, value: str | bool) -> None:
        if getattr(self, name) not in (None, value):
            raise UploadFieldInvalid(field=name, reason="it was given twice with different values")
        setattr(self, name, value)

    def for_file(self, filename: str) -> Upload:
        """What the uploader says about one file."""
        return Upload(filename, self.group_id, self.is_private, tuple(self.tags), self.collection)


@dataclass(frozen=True)
class IncomingFile:
    """A file of the form; `content` can be read once, before the next file is asked for."""

    filename: str
    content: AsyncIterator[bytes]


class UploadForm:
    """Goes through a form once: fields are taken into `fields`, files are handed out."""

    def __init__(self, reader: MultipartReader, fields: UploadFields, *, max_files: int) -> None:
        self.fields = fields
        self.failure: AppError | None = (
            None  # what ended the form, so that it is not taken for a file's own error
        )
        self._reader, self._max_files = reader, max_files
        self._n_files = self._n_fields = 0

    async def next_file(self) -> IncomingFile | None:
        """The next file, None after the last. Raises the errors of upload_errors.py."""
        while (part := await self._reader.next_part()) is not None:
            if part.filename is None:
                await self._take_field(part)
                continue
            content = self._content()
            if not part.filename:
                # A browser sends an empty choice as a file without a name and without bytes: that is none.
                first = await anext(content, None)
                if first is None:
                    self._count_field()
                    continue
                content = _with_first(first, content)
            self._count_file()
            return IncomingFile(part.filename, content)
        return None

    async def _content(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._reader.content():
                yield piece
            following = await self._reader.peek_part()
            if following is not None and following.filename is None:
                _refuse_late(following)
        except AppError as error:
            self.failure = error
            raise

    async def _take_field(self, part: Part) -> None:
        if self._n_files:
            _refuse_late(part)
        self._count_field()
        raw = bytearray()
        async for piece in self._reader.content():
            raw += piece
            if len(raw) > MAX_FIELD_BYTES:
                raise UploadFieldTooLarge(field=part.name[:64], limit=MAX_FIELD_BYTES)
        if part.name in FIELDS:
            self.fields.add(part.name, _decoded(part.name, raw))

    def _count_field(self) -> None:
        self._n_fields += 1
        if self._n_fields > MAX_FIELDS:
            raise UploadTooManyFields(limit=MAX_FIELDS)

    def _count_file(self) -> None:
        self._n_files += 1
        if self._n_files > self._max_files:
            raise UploadTooManyFiles(limit=self._max_files)


async def _with_first(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _refuse_late(part: Part) -> None:
    if part.name in FIELDS:
        raise UploadFieldAfterFile(field=part.name)


def _boolean(value: str) -> bool:
    try:
        return _BOOLEANS[value.lower()]
    except KeyError as error:
        raise UploadFieldInvalid(field="is_private", reason="write true or false") from error


def _decoded(name: str, raw: bytearray) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise UploadFieldInvalid(field=name, reason="it is not UTF-8") from error
