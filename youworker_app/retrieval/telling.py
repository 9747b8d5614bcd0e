"""Sentences of a passage, and which of them tells what was asked. Pure: offsets in, offsets out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

Span = tuple[int, int]

# English and Italian; a full stop after one of these ends no sentence.
_ABBREVIATIONS = frozenset(
    """abb ap arch artt avv ca capp cf cfr co corp cpv d dep dir dott dr dssa ecc ed eds eg e.g es etc fasc figg frat gen
    geom gg i.e id ing jr lett lgs lt ltd mr mrs ms mt n nn nr op p pag pagg parr pp prof proff prot rif s sect segg sez
    sig sigg sigra spett sr ss st tel trad v voll vs d.lgs d.l d.p.r d.m c.c c.p c.p.c p.es s.p.a s.r.l u.s u.k a.m p.m
    a.c d.c inc""".split()
)
# Words of their own as well: an abbreviation before a number only.
_BEFORE_NUMBERS = frozenset("all art cap col fig max min no nos num par ref reg rev sec seg tab vol".split())
# These may stand last in a sentence; a capital after them starts a new one.
_MAY_END = frozenset({"a.m", "co", "corp", "ecc", "etc", "inc", "jr", "ltd", "p.m"})
_END = re.compile("[.!?…。！？]+[\"'”’»)\\]]*(?=\\s|$)|[。！？]")
_BULLET = r"(?:[-–—*•‣▪◦·]|\(?[0-9]{1,3}[.)]|\(?[a-zA-Z][.)]|[IVXivx]{1,5}[.)])[ \t]+"
_LINE_BREAK = re.compile(rf"\n(?=[ \t]*\n)|\n(?=[ \t]*{_BULLET})")
_SOFT_BREAK = re.compile(r"\n")
_LAST_WORD = re.compile(r"[\w.]*\Z")
_LONGEST = 400
_LONGEST_ABBREVIATION = 12
_INNER = re.compile(r"[;\n]\s*")
_SHORT_LINE = 0.6


@dataclass(frozen=True)
class Sentence:
    """The sentence at [start, end) of its text, without white space around it."""

    start: int
    end: int


def split_sentences(text: str) -> list[Sentence]:
    """The sentences in order. Everything but white space belongs to exactly one.

    Ends: a full stop, question or exclamation mark that is no abbreviation, initial or number; an empty line; the line
    before a list item; a short line that stands like a heading. What is longer than 400 characters is cut at
    semicolons and line ends.
    """
    borders = sorted({*_stops(text), *_breaks(text)})
    spans = _between(text, borders, 0, len(text))
    return [Sentence(*part) for span in spans for part in _shortened(text, span)]


def _stops(text: str) -> list[int]:
    return [found.end() for found in _END.finditer(text) if _ends_sentence(text, found)]


def _ends_sentence(text: str, found: re.Match[str]) -> bool:
    following = text[found.end() :].lstrip()[:1]
    if not found.group().startswith(".") or found.group().startswith(".."):
        return not following.islower()
    word = _LAST_WORD.search(text[max(0, found.start() - _LONGEST_ABBREVIATION) : found.start()])
    before = word.group().lower().lstrip(".") if word else ""
    if following.islower():
        return False
    if before in _BEFORE_NUMBERS and following.isdigit():
        return False
    if before in _ABBREVIATIONS:
        return before in _MAY_END and following.isupper()
    # An initial ("A. Rossi"), or the number of an item at the start of a line or after a sentence.
    is_initial = len(before) == 1 and before.isalpha()
    return not is_initial and not (
        before.isdigit() and len(before) <= 3 and _opens(text, found.start() - len(before))
    )


def _opens(text: str, at: int) -> bool:
    line = text[text.rfind("\n", 0, at) + 1 : at].rstrip()
    return not line or line[-1] in ".!?:;"


def _breaks(text: str) -> list[int]:
    hard = [found.end() for found in _LINE_BREAK.finditer(text)]
    lines = [len(line) for line in text.split("\n")]
    usual = max(lines)
    soft = [
        found.end()
        for found in _SOFT_BREAK.finditer(text)
        if _is_heading(text, found.start(), found.end(), usual)
    ]
    return hard + soft


def _is_heading(text: str, at: int, after: int, usual: int) -> bool:
    line = text[text.rfind("\n", 0, at) + 1 : at].strip()
    if line.endswith(":"):
        return True
    following = text[after:].lstrip(" \t")[:1]
    return (
        len(line) < usual * _SHORT_LINE
        and (following.isupper() or following.isdigit())
        and not line.endswith(",")
    )


def _between(text: str, borders: Sequence[int], start: int, end: int) -> list[Span]:
    spans = []
    for left, right in zip([start, *borders], [*borders, end], strict=True):
        piece = text[left:right]
        if piece.strip():
            spans.append((left + len(piece) - len(piece.lstrip()), left + len(piece.rstrip())))
    return spans


def _shortened(text: str, span: Span) -> list[Span]:
    start, end = span
    if end - start <= _LONGEST:
        return [span]
    borders = [found.end() for found in _INNER.finditer(text, start, end) if start < found.end() < end]
    return _between(text, borders, start, end)
