"""Plain text and markdown as documents: parts and sections whose texts, put together, are the whole cleaned text."""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

from youworker_app.gateways.parsing.errors import EmptyFile, PageNotFound, TypeUnknown
from youworker_app.gateways.parsing.media_types import MARKDOWN
from youworker_app.gateways.parsing.protocol import DocumentMetadata, TextUnit, UnitKind
from youworker_app.gateways.parsing.text_decoding import NotText, clean_text, decode_text

LONGEST_UNIT = 200_000  # characters
_LONGEST_LABEL = 200
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_UNDERLINE = re.compile(r" {0,3}(=+|---+)[ \t]*\n?\Z")
_NO_PARAGRAPH = re.compile(r"\s*(?:[-*+>|#]|\d+[.)]\s|\Z)| {4}|\t")
_MARKUP = re.compile(r"!?\[([^\]\[]*)\]\([^()\s]*\)|[*`]+|(?<!\w)_+|_+(?!\w)")


@dataclass(frozen=True)
class _Section:
    text: str
    label: str | None  # None before the first heading


class TextDocument:
    """An OpenDocument over a text; it has no pages and no pictures."""

    page_count: int | None = None

    def __init__(self, data: bytes, media_type: str) -> None:
        """Decodes and cuts; blocking, some 20 MB a second. Raises EmptyFile and TypeUnknown."""
        try:
            text = clean_text(decode_text(data))
        except NotText as error:
            raise TypeUnknown from error
        if not text.strip():
            raise EmptyFile
        sections = list(_sections(text)) if media_type == MARKDOWN else [_Section(text, None)]
        self._units = list(_numbered(sections))
        self.unit_count = len(self._units)
        self.title = (
            next((heading.name for heading in _headings(text)), None) if media_type == MARKDOWN else None
        )
        self.has_text = True
        self.is_rescued = False

    async def metadata(self) -> DocumentMetadata:
        return DocumentMetadata(title=self.title)

    async def units(self, first: int = 1) -> AsyncIterator[TextUnit]:
        for unit in self._units[max(0, first - 1) :]:
            yield unit

    async def render_page(
        self, number: int, *, marks: Sequence[tuple[int, int]] = (), width_px: int = 1240
    ) -> bytes:
        raise PageNotFound(page=number)


def _numbered(sections: list[_Section]) -> Iterator[TextUnit]:
    number = 0
    for section in sections:
        for text in split_long(section.text):
            number += 1
            kind: UnitKind = "part" if section.label is None else "section"
            yield TextUnit(number, text, kind, str(number) if section.label is None else section.label)


def split_long(text: str, longest: int = LONGEST_UNIT) -> Iterator[str]:
    """The text in pieces of at most `longest` characters, cut after a paragraph, a line or a word if there is one."""
    start = 0
    while len(text) - start > longest:
        stop = _border(text, start, start + longest)
        yield text[start:stop]
        start = stop
    yield text[start:]


def _border(text: str, start: int, limit: int) -> int:
    for mark in ("\n\n", "\n", " "):
        # A border in the first half would make too small a piece: take a lesser kind of border then.
        if (found := text.rfind(mark, start + (limit - start) // 2, limit - len(mark) + 1)) >= 0:
            return found + len(mark)
    return limit


@dataclass(frozen=True)
class _Heading:
    start: int
    end: int
    level: int  # 1 to 6
    name: str


def _sections(text: str) -> Iterator[_Section]:
    """Cuts before every heading, but keeps headings that follow one another in one section with what comes below."""
    path: list[tuple[int, str]] = []
    label: str | None = None
    start = body = 0
    for heading in _headings(text):
        if text[body : heading.start].strip():
            yield _Section(text[start : heading.start], label)
            start = heading.start
        body = heading.end
        path = [step for step in path if step[0] < heading.level] + [(heading.level, heading.name)]
        label = " › ".join(name for _, name in path)[-_LONGEST_LABEL:]
    yield _Section(text[start:], label)


def _headings(text: str) -> Iterator[_Heading]:
    """Headings, `#` or underlined, that are not in a fenced code block or in the front matter."""
    fence: str | None = None
    previous = ""
    for start, line in _lines(text):
        end = start + len(line)
        marked = None if fence else _HEADING.match(line)
        if fence is not None:
            closing = line.strip()
            fence = None if closing.startswith(fence) and not closing.strip(fence[0]) else fence
        elif opening := _FENCE.match(line):
            fence = opening[1]
        elif marked and (name := _plain(line[marked.end() :].rstrip("# \t\n"))):
            yield _Heading(start, end, len(marked[1]), name)
        elif (underline := _UNDERLINE.match(line)) and (name := _plain(previous)):
            yield _Heading(start - len(previous), end, 1 if underline[1].startswith("=") else 2, name)
        elif not _NO_PARAGRAPH.match(line):
            previous = line
            continue
        previous = ""


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Offset and text of each line after the front matter."""
    lines = text.splitlines(keepends=True)
    begin = _front_matter(lines)
    offset = 0
    for line in lines:
        if offset >= begin:
            yield offset, line
        offset += len(line)


def _front_matter(lines: list[str]) -> int:
    """The length of a YAML block at the very start, 0 without one."""
    if not lines or lines[0].rstrip() != "---":
        return 0
    length = len(lines[0])
    for line in lines[1:200]:
        length += len(line)
        if line.rstrip() in {"---", "..."}:
            return length
    return 0


def _plain(heading: str) -> str:
    return " ".join(_MARKUP.sub(r"\1", heading[:_LONGEST_LABEL]).split())
