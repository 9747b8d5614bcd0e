"""What the domains see of a file: units of cleaned text, and pictures of its pages."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

UnitKind = Literal["page", "section", "part"]


@dataclass(frozen=True)
class TextUnit:
    """A page, a section under one heading, or a part of a text without headings.

    `text` is cleaned; chunks, offsets and marks all refer to it. Reading the same bytes again gives the same text.
    `number` counts from 1; `label` is the page number, the path of headings (`A › B`) or the part's number. `headings`
    tells where in a page sections begin: (offset, path of headings), in order; empty when the file does not tell.
    """

    number: int
    text: str
    kind: UnitKind
    label: str
    headings: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class DocumentMetadata:
    """What a file says of itself, cleaned: one line each, at most 200 characters; None where it says nothing of use."""

    title: str | None = None
    author: str | None = None
    created: datetime | None = None  # UTC
    producer: str | None = None


@dataclass(frozen=True)
class ParserLimits:
    """What one file may cost. Time is for one step: opening, a batch of pages, one picture."""

    max_pages: int = 20_000
    memory_bytes: int = 1024 * 1024 * 1024
    step_seconds: float = 60.0
    picture_pixels: int = 8_000_000
    # A text is cut in the server's own process and takes about four times its size while that lasts.
    text_bytes: int = 64 * 1024 * 1024


class OpenDocument(Protocol):
    """A file that is open for reading; use it inside its context only."""

    @property
    def unit_count(self) -> int: ...

    @property
    def page_count(self) -> int | None:
        """Pages of a PDF, None for a text."""
        ...

    @property
    def title(self) -> str | None:
        """The title that the file itself gives, None when it gives none worth showing."""
        ...

    @property
    def has_text(self) -> bool:
        """Whether any unit read so far held a visible character: False after the last one means a scan."""
        ...

    @property
    def is_rescued(self) -> bool:
        """Whether the file is damaged and a copy is read that was rebuilt from it; nothing that pages show is missing."""
        ...

    async def metadata(self) -> DocumentMetadata:
        """What the file says of itself; read at the first call, which may take longer than opening the file.

        Empty but for the title when that stops the reader: ask last, what is asked afterwards would raise.
        """
        ...

    def units(self, first: int = 1) -> AsyncIterator[TextUnit]:
        """The units from number `first` on. A page that is broken by itself comes with an empty text.

        Raises FileUnreadable and FileTooComplex, and PdfDamaged after the last page when not one was whole.
        """
        ...

    async def render_page(
        self, number: int, *, marks: Sequence[tuple[int, int]] = (), width_px: int = 1240
    ) -> bytes:
        """A page as PNG, `width_px` wide unless that makes too large a picture.

        `marks` are [start, end) offsets into the page's cleaned text, boxed in the picture; what lies outside the text
        is ignored. Raises PageNotFound, FileUnreadable and FileTooComplex.
        """
        ...


class DocumentParser(Protocol):
    """Opens files of an accepted media type. What a file does to its reader stays with that file."""

    def open(
        self, data: bytes, media_type: str, *, preview: bool = False
    ) -> AbstractAsyncContextManager[OpenDocument]:
        """The open document. `preview` takes a reader that is reserved for people who wait for a page picture.

        Entering raises EmptyFile, PdfDamaged, PdfPasswordProtected, PdfWithoutPages, PdfTooManyPages, TypeUnknown,
        FileUnreadable and FileTooComplex.
        """
        ...

    async def close(self) -> None:
        """Ends all readers; what is open, or opened from now on, raises ReaderStopped."""
        ...
