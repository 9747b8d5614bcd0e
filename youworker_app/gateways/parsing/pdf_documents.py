"""PDFs as documents: each is read by a child process of its own, so that a hostile file costs that file alone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from youworker_app.core.clock import now
from youworker_app.core.telemetry import get_logger
from youworker_app.gateways.parsing.errors import (
    FileTooComplex,
    FileUnreadable,
    PageNotFound,
    PdfDamaged,
    PdfTooManyPages,
    ReaderStopped,
)
from youworker_app.gateways.parsing.outline import Outline
from youworker_app.gateways.parsing.pdf_process import PdfProcess
from youworker_app.gateways.parsing.pdf_text import sane_author, sane_producer, sane_title
from youworker_app.gateways.parsing.protocol import DocumentMetadata, ParserLimits, TextUnit

log = get_logger(__name__)

_READER_NICE = 10  # ingestion gives way to people who wait
_PREVIEWS = 2
_METADATA_SECONDS = 10.0  # it is not worth more
_BEFORE_PDF = datetime(1985, 1, 1, tzinfo=UTC)  # a file may be dated by what it was converted from
_CLOCKS_APART = timedelta(days=1)


class PdfDocument:
    """An OpenDocument over a child that has opened the file."""

    def __init__(
        self,
        process: PdfProcess,
        limits: ParserLimits,
        *,
        page_count: int,
        title: str | None,
        outline: Outline,
        is_rescued: bool,
    ) -> None:
        self._process = process
        self._limits = limits
        self._turn = asyncio.Lock()  # the child answers one question at a time
        self.page_count: int | None = page_count
        self.unit_count = page_count
        self.title = title
        self.has_text = False
        self.is_rescued = is_rescued
        self._metadata: DocumentMetadata | None = None
        self._outline = outline

    async def units(self, first: int = 1) -> AsyncIterator[TextUnit]:
        number = max(1, first)
        is_any_whole = number > 1
        while number <= self.unit_count:
            for text in await self._texts(number):
                is_any_whole = is_any_whole or text is not None
                self.has_text = self.has_text or bool(text and text.strip())
                headings = self._outline.headings(number, text or "")
                yield TextUnit(number, text or "", "page", str(number), headings)
                number += 1
        if not is_any_whole:
            raise PdfDamaged

    async def metadata(self) -> DocumentMetadata:
        if self._metadata is None:
            seconds = min(_METADATA_SECONDS, self._limits.step_seconds)
            try:
                async with self._turn:
                    reply, _ = await self._process.ask({"do": "metadata"}, seconds=seconds)
            except (FileTooComplex, FileUnreadable):
                reply = {}  # logged there
            self._metadata = _metadata(reply, self.title)
        return self._metadata

    async def render_page(
        self, number: int, *, marks: Sequence[tuple[int, int]] = (), width_px: int = 1240
    ) -> bytes:
        if not 1 <= number <= self.unit_count:
            raise PageNotFound(page=number)
        request = {
            "do": "picture",
            "number": number,
            "marks": [list(mark) for mark in marks],
            "width": max(16, width_px),
            "pixels": self._limits.picture_pixels,
        }
        async with self._turn:
            _, picture = await self._process.ask(request, seconds=self._limits.step_seconds)
        return picture

    async def _texts(self, first: int) -> list[str | None]:
        async with self._turn:
            reply, _ = await self._process.ask(
                {"do": "texts", "first": first}, seconds=self._limits.step_seconds
            )
        texts = reply.get("texts")
        if not isinstance(texts, list) or not 0 < len(texts) <= self.unit_count - first + 1:
            raise FileUnreadable
        return [text if isinstance(text, str) else None for text in texts]


class PdfParser:
    """Opens PDFs, `readers` at a time and two previews beside them."""

    def __init__(self, limits: ParserLimits, *, readers: int) -> None:
        self._limits = limits
        self._readers = asyncio.Semaphore(readers)
        self._previews = asyncio.Semaphore(_PREVIEWS)
        self._running: set[PdfProcess] = set()
        self._spare: asyncio.Task[PdfProcess] | None = None
        self._closed = False

    @asynccontextmanager
    async def open(self, data: bytes, *, preview: bool) -> AsyncIterator[PdfDocument]:
        """The document in its own child, which ends with the context."""
        async with self._previews if preview else self._readers:
            if self._closed:
                raise ReaderStopped
            process = await (self._take_spare() if preview else self._start(nice=_READER_NICE))
            self._running.add(process)
            try:
                yield await self._opened(process, data)
            finally:
                self._running.discard(process)
                await process.end()

    async def close(self) -> None:
        """Ends all children."""
        self._closed = True
        if self._spare is not None:
            self._running.add(await self._spare)
        await asyncio.gather(*(process.end() for process in self._running))

    async def _opened(self, process: PdfProcess, data: bytes) -> PdfDocument:
        reply, _ = await process.ask({"do": "open"}, data, seconds=self._limits.step_seconds)
        pages, title, outline = reply.get("pages"), reply.get("title"), Outline(reply.get("outline"))
        if not isinstance(pages, int) or pages < 1:
            raise FileUnreadable
        if pages > self._limits.max_pages:
            raise PdfTooManyPages(pages=pages, limit=self._limits.max_pages)
        is_rescued = reply.get("rescued") is True
        if is_rescued:
            log.info("pdf_rescued", pages=pages, size_bytes=len(data))
        return PdfDocument(
            process,
            self._limits,
            page_count=pages,
            title=title if isinstance(title, str) else None,
            outline=outline,
            is_rescued=is_rescued,
        )

    async def _start(self, *, nice: int) -> PdfProcess:
        return await PdfProcess.start(memory_bytes=self._limits.memory_bytes, nice=nice)

    async def _take_spare(self) -> PdfProcess:
        """A child that is up already, when there is one; the next is started meanwhile."""
        spare, self._spare = self._spare, None
        process = await spare if spare is not None else await self._start(nice=0)
        if not self._closed and self._spare is None:
            self._spare = asyncio.create_task(self._start(nice=0))
        return process


def _metadata(reply: dict[str, object], title: str | None) -> DocumentMetadata:
    texts = {key: value for key, value in reply.items() if isinstance(value, str)}
    return DocumentMetadata(
        title=sane_title(texts.get("title", "")) or title,
        author=sane_author(texts.get("author", "")),
        created=_moment(texts.get("creation_date", "")),
        producer=sane_producer(texts.get("producer", "")),
    )


def _moment(raw: str) -> datetime | None:
    """A moment in UTC, which is also assumed where the file names no zone; None when there was no PDF then, or not yet."""
    try:
        moment = datetime.fromisoformat(raw)
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment >= _BEFORE_PDF and moment <= now() + _CLOCKS_APART else None
