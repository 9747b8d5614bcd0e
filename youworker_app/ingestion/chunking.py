"""Cuts a unit into passages: pure. A passage is exactly `unit.text[start:end]`, so that it can be found again."""

import re
from dataclasses import dataclass

from semantic_text_splitter import TextSplitter

from youworker_app.gateways.parsing.protocol import TextUnit, UnitKind

# MiniLM reads 256 tokens, title and section included; what a passage has beyond is found by its words alone. Passages that
# have more, and the share of all tokens that lies beyond (Debian's reference and its packagers' guide, which is Italian):
#          600 characters   700              800
# English   2 %, 0.2 %      10 %, 1.1 %      20 %, 4.5 %
# Italian   9 %, 0.6 %      39 %, 4.3 %      57 %, 11 %
# guide     4 %, 0.2 %      24 %, 2.5 %      50 %, 7.5 %
TARGET_CHARS = 700
# In scripts without spaces a character is about a token.
_DENSE_TARGET_CHARS = 220
_DENSE = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
_ITEM = re.compile(r"[ \t]*(?:[-*•‣▪–—·◦]|\(?\w{1,3}[.)]|\d+(?:\.\d+)+)[ \t]")
_HEADING = re.compile(
    r"(?:\d{1,3}(?:\.\d{1,3})*\.?|(?i:article|articolo|art\.|section|sezione|chapter|capitolo|annex|appendix|allegato))"
    r" [^\n]{0,90}[^\n.;:,!?]"
)
_SENTENCE_END = re.compile(r"[.!?:;…][\"'”’»)\]]*\Z")
_SHORT_LINE = 0.75  # of a usual long line
_NARROWEST_TEXT, _WIDEST_TEXT = (
    50,
    120,
)  # characters in the lines of a text that was wrapped by hand or by mail
_TABLE_OR_CODE = re.compile(r"\t| {4}|.*[|;{}]")


@dataclass(frozen=True)
class ChunkDraft:
    """A passage before it has an id. `start` and `end` are offsets in its unit's cleaned text, `page` counts from 1."""

    ordinal: int
    unit_number: int
    page: int | None
    start: int
    end: int
    text: str
    section: str | None
    kind: UnitKind
    label: str


def chunk_unit(
    unit: TextUnit, *, first_ordinal: int, section: str | None = None, target_chars: int = TARGET_CHARS
) -> list[ChunkDraft]:
    """The passages of a unit in order, each at most `target_chars` long, cut between paragraphs, sentences or words.

    `section` is what stands above the text where the unit does not tell by itself. A heading is moved from the end of
    a passage to the next one, which may then be longer by that line.
    """
    text = unit.text
    pieces = TextSplitter(_capacity(text, target_chars)).chunk_indices(_unwrapped(text, unit.kind))
    spans = [(start, start + len(piece)) for start, piece in pieces if piece.strip()]
    return [
        ChunkDraft(
            ordinal=first_ordinal + index,
            unit_number=unit.number,
            page=unit.number if unit.kind == "page" else None,
            start=start,
            end=end,
            text=text[start:end],
            section=_section_at(unit, start) or section,
            kind=unit.kind,
            label=unit.label,
        )
        for index, (start, end) in enumerate(_headings_ahead(text, spans))
    ]


def embedding_text(title: str | None, section: str | None, text: str) -> str:
    """What is embedded and indexed for a passage: its title and section stand in front, where they help to find it."""
    return "\n".join(part for part in (title, section, text) if part)


def _section_at(unit: TextUnit, start: int) -> str | None:
    if unit.kind == "section":
        return unit.label
    return next((path for offset, path in reversed(unit.headings) if offset <= start), None)


def _headings_ahead(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans with every heading before what it heads: the splitter leaves it with what it follows."""
    moved: list[tuple[int, int]] = []
    for start, end in spans:
        if moved:
            last_start, last_end = moved[-1]
            line = text.rfind("\n", last_start, last_end) + 1
            if (
                line > last_start
                and _HEADING.fullmatch(text, line, last_end)
                and text[last_start:line].strip()
            ):
                moved[-1] = (last_start, last_start + len(text[last_start:line].rstrip()))
                start = line
        moved.append((start, end))
    return moved


def _capacity(text: str, target_chars: int) -> int:
    is_dense = len(_DENSE.findall(text)) > len(text) * 0.3
    return min(target_chars, _DENSE_TARGET_CHARS) if is_dense else target_chars


def _unwrapped(text: str, kind: UnitKind) -> str:
    """The text with a space for every line end inside a paragraph, of the same length.

    The splitter takes a line end for a stronger border than the end of a sentence; on a page most line ends are only
    where the paper was full, and in a text those of lines of a typewriter's width.
    """
    lines = text.split("\n")
    usual = sorted(len(line) for line in lines)[len(lines) * 3 // 4]
    if kind != "page" and not _NARROWEST_TEXT <= usual <= _WIDEST_TEXT:
        return text
    out: list[str] = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        is_end = _ends_paragraph(line, following, usual) or (kind != "page" and _ends_line(line, usual))
        out += [line, "\n" if is_end else " "]
    return "".join(out[:-1])


def _ends_paragraph(line: str, following: str, usual: int) -> bool:
    if not line.strip() or not following.strip() or _ITEM.match(following):
        return True
    is_short = len(line) < usual * _SHORT_LINE
    return is_short and (
        bool(_SENTENCE_END.search(line)) or following[:1].isupper() or following[:1].isdigit()
    )


def _ends_line(line: str, usual: int) -> bool:
    """In a text, unlike on a page, a line end was typed: it only goes where a paragraph fills its lines."""
    return len(line) < usual * _SHORT_LINE or bool(_TABLE_OR_CODE.match(line))
