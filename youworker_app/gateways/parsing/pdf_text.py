"""From pdfium's text to cleaned text and back: pure, and the same each time, so that marks find their place again."""

import re
import unicodedata
from collections.abc import Iterator

_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
_BLANK = " \t\r\n\f\v\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# For a hyphen at the end of a line pdfium writes U+FFFE (U+0002 where it is asked by character) and joins the lines.
# One alternative for each thing to clean:
_PIECE = re.compile(
    f"(?P<blank>[{_BLANK}]{{2,}}|[{_BLANK.replace(' ', '', 1)}])"
    "|(?P<hyphen>[\x02\ufffe]+)"
    "|(?P<soft>\xad(?:\r\n|[\r\n])?)"
    "|(?P<ligature>[\ufb00-\ufb06])"
    "|(?P<accented>[^\\W\\d_][\u0300-\u036f]+)"
    "|(?P<dropped>[\x00\x01\x03-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u200b\u2060\ufeff\uffff\ufdd0-\ufdef\ud800-\udfff]+)"
)
_LINE_END = re.compile("\r\n|[\r\n\f\v\x85\u2028\u2029]")


def clean_page(raw: str) -> str:
    """The text of a page: words joined over line ends, one kind of line end, blanks single, letters composed."""
    return _PIECE.sub(_replacement, raw)


def source_ranges(raw: str) -> list[tuple[int, int]]:
    """For each character of `clean_page(raw)` the range of UTF-16 units of `raw` that it comes from."""
    ranges: list[tuple[int, int]] = []
    unit = 0
    for piece, cleaned in _pieces(raw):
        length = _utf16_length(piece)
        if cleaned is None:
            for character in piece:
                width = _utf16_length(character)
                ranges.append((unit, unit + width))
                unit += width
        else:
            ranges.extend([(unit, unit + length)] * len(cleaned))
            unit += length
    return ranges


def mark_range(raw: str, start: int, end: int) -> tuple[int, int]:
    """The range of UTF-16 units of `raw` under [start, end) of its cleaned text; (0, 0) when nothing lies there."""
    covered = source_ranges(raw)[max(0, start) : max(0, end)]
    return (covered[0][0], covered[-1][1]) if covered else (0, 0)


def _pieces(raw: str) -> Iterator[tuple[str, str | None]]:
    """The raw text in order: (piece, what it becomes), None for a piece that stays as it is."""
    done = 0
    for match in _PIECE.finditer(raw):
        yield raw[done : match.start()], None
        yield match[0], _replacement(match)
        done = match.end()
    yield raw[done:], None


def _replacement(match: re.Match[str]) -> str:
    piece = match[0]
    match match.lastgroup:
        case "blank":
            return _blank(piece)
        case "hyphen":
            return _hyphen(match.string, match.start(), match.end())
        case "ligature":
            return _LIGATURES[piece]
        case "accented":
            return unicodedata.normalize("NFC", piece)
        case _:
            return ""


def _blank(piece: str) -> str:
    line_ends = len(_LINE_END.findall(piece))
    return " " if line_ends == 0 else "\n" if line_ends == 1 else "\n\n"


def _hyphen(raw: str, start: int, end: int) -> str:
    """Stays in `Emilia-Romagna` and `2020-2021`, goes in a word that was broken at the end of a line."""
    before, after = raw[start - 1 : start], raw[end : end + 1]
    return "" if before.isalpha() and after.islower() else "-" if before.isalnum() and after.isalnum() else ""


def _utf16_length(text: str) -> int:
    return len(text) + sum(1 for character in text if character > "\uffff")


_NO_TITLE = re.compile(
    r"(?i)\(?(?:untitled|anonymous|unknown|senza titolo|none|null|documento? ?\d*|(?:slide|page|pagina) \d+)\)?"
    r"(?:\.\w{1,5})?"
)
_NO_NAME = re.compile(
    r"(?i)\(?(?:anonymous|unknown|none|null|(?:my)?user(?:name)?|utente|author|autore|admin|administrator|amministratore"
    r"|owner|default|root|[a-z]{0,10}[-_ ]?pc)\)?"
)
_PATH = re.compile(r"(?i)(?:~?/|[a-z]:[/\\]|(?:file|https?):).*|[^ ]*/[^ ]*|.*\\.*")
_PROGRAM = re.compile(r"(?i)^microsoft (?:word|powerpoint|excel) - ")
# Turns of the writing direction: they make a name read as another one.
_TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
_LONGEST_TITLE = 200
_LONGEST_NAME = 200


def sane_title(raw: str) -> str | None:
    """A title that a person would recognise, or None: programs write their own names, paths and nothing at all."""
    title = _PROGRAM.sub("", _one_line(raw))
    if not 3 <= len(title) <= _LONGEST_TITLE or not _has_letter(title):
        return None
    if _NO_TITLE.fullmatch(title) or _PATH.fullmatch(title):
        return None
    return title


def sane_author(raw: str) -> str | None:
    """The author's name, or several, cut when there are very many; None for what stands for nobody."""
    name = _one_line(raw)[:_LONGEST_NAME].strip()
    if len(name) < 2 or not _has_letter(name) or _NO_NAME.fullmatch(name) or _PATH.fullmatch(name):
        return None
    return name


def sane_producer(raw: str) -> str | None:
    """The program that wrote the file, with its version."""
    producer = _one_line(raw)[:_LONGEST_NAME].strip()
    return producer if _has_letter(producer) and not _NO_NAME.fullmatch(producer) else None


def _one_line(raw: str) -> str:
    return " ".join(clean_page(_TURNS.sub("", raw)).split())


def _has_letter(text: str) -> bool:
    return any(character.isalpha() for character in text)
