"""Multipart forms, pulled: part by part, piece by piece, never more in memory than one chunk of the network.

Owns the framing and its limits. It knows nothing of documents and of no web framework. Whoever reads slowly slows the
sender down: the next chunk is asked for when the last one is used up.
"""

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from youworker_app.ingestion.upload_errors import UploadCutShort, UploadMalformed, UploadNotForm

_MAX_HEADERS = 8
_MAX_HEADER_BYTES = 8 * 1024


@dataclass(frozen=True)
class Part:
    """The head of a part: a field when `filename` is None, else a file."""

    name: str
    filename: str | None


@dataclass(frozen=True)
class _PartEnd:
    pass


@dataclass
class _Head:
    """Header lines while they come in."""

    fields: dict[bytes, bytes] = field(default_factory=dict)
    name: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)


def boundary_of(content_type: str) -> bytes:
    """The boundary that a Content-Type header names. Raises UploadNotForm, UploadMalformed."""
    try:
        kind, options = parse_options_header(content_type)
    except UnicodeError as error:
        raise UploadMalformed(reason="the Content-Type header has foreign characters") from error
    if kind != b"multipart/form-data":
        raise UploadNotForm
    boundary = options.get(b"boundary", b"")
    if not 1 <= len(boundary) <= 200 or b"\r" in boundary or b"\n" in boundary:
        raise UploadMalformed(reason="the Content-Type header names no usable boundary")
    return boundary


class TooMuchLeft(Exception):
    """More bytes than agreed would have to be read only to be thrown away."""


class MultipartReader:
    """Reads a form from `chunks`: `next_part()`, then `content()` or nothing, and again until there is no part.

    At most `max_discarded` unwanted bytes are read, then TooMuchLeft is raised.
    """

    def __init__(self, chunks: AsyncIterator[bytes], boundary: bytes, *, max_discarded: int) -> None:
        self._chunks = chunks
        self._max_discarded = max_discarded
        self._discarded = 0
        self._events: deque[Part | bytes | _PartEnd] = deque()
        self._head = _Head()
        self._is_complete = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_part_data": lambda data, start, end: self._events.append(data[start:end]),
                "on_part_end": lambda: self._events.append(_PartEnd()),
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": lambda: self._events.append(_part(self._head.fields)),
                "on_end": self._on_end,
            },
            max_header_count=_MAX_HEADERS,
            max_header_size=_MAX_HEADER_BYTES,
        )

    async def next_part(self) -> Part | None:
        """Goes to the next part, past what is left of this one; None at the end.

        Raises UploadMalformed, UploadCutShort, TooMuchLeft, and what `chunks` raises.
        """
        part = await self.peek_part()
        if part is not None:
            self._events.popleft()
        return part

    async def peek_part(self) -> Part | None:
        """The next part, without going there."""
        while True:
            while self._events and not isinstance(self._events[0], Part):
                self._discard(self._events.popleft())
            if self._events:
                return head if isinstance(head := self._events[0], Part) else None
            if not await self._feed():
                return None

    async def content(self) -> AsyncIterator[bytes]:
        """The bytes of this part, to its end."""
        while True:
            while self._events:
                event = self._events.popleft()
                if not isinstance(event, bytes):
                    return
                yield event
            if not await self._feed():
                return

    def _discard(self, event: Part | bytes | _PartEnd) -> None:
        self._discarded += len(event) if isinstance(event, bytes) else 0
        if self._discarded > self._max_discarded:
            raise TooMuchLeft

    async def _feed(self) -> bool:
        """Parses one more chunk; False when the form is complete."""
        if self._is_complete:
            return False
        chunk = await anext(self._chunks, None)
        if chunk is None:
            raise UploadCutShort
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise UploadMalformed(reason="its multipart framing is broken") from error
        return True

    def _on_part_begin(self) -> None:
        self._head = _Head()

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._head.name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._head.value += data[start:end]

    def _on_header_end(self) -> None:
        self._head.fields[bytes(self._head.name).lower()] = bytes(self._head.value)
        self._head.name.clear()
        self._head.value.clear()

    def _on_end(self) -> None:
        self._is_complete = True


def _part(headers: dict[bytes, bytes]) -> Part:
    kind, options = parse_options_header(headers.get(b"content-disposition", b""))
    name = options.get(b"name")
    if kind != b"form-data" or name is None:
        raise UploadMalformed(reason="a part has no name")
    if headers.get(b"content-transfer-encoding", b"binary").strip().lower() not in {
        b"binary",
        b"8bit",
        b"7bit",
    }:
        raise UploadMalformed(reason="a part has a transfer encoding")
    filename = options.get(b"filename")
    return Part(_text(name), None if filename is None else _unescaped(_text(filename)))


def _text(raw: bytes) -> str:
    """Browsers and curl send UTF-8 here; what is not is read byte by byte, so that a name is never lost."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _unescaped(name: str) -> str:
    """Browsers write these three, and no others, as percent signs in a file's name."""
    return name.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
