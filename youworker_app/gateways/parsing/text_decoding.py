"""Bytes to text: byte order marks, UTF-8, and old 8-bit files, with care not to take any bytes for text."""

import codecs
import re
import unicodedata

import charset_normalizer

_MARKS: tuple[tuple[bytes, str], ...] = (  # UTF-32 first: its mark begins like that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 64 * 1024
# Texts do hold tabs, line ends, form feeds, old terminals' backspace and escape, and the end-of-file mark of DOS.
_CONTROLS = re.compile("[\x00-\x07\x0e-\x19\x1c-\x1f\x7f]")
_MOST_CONTROLS = 0.1
# With one broken sequence in this many good ones a file is still UTF-8, only bruised.
_GOOD_PER_BROKEN = 10
_DROPPED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_WESTERN = re.compile("[A-Za-z\xc0-\xd6\xd8-\xf6\xf8-\xff\u0152\u0153\u0160\u0161\u0178\u017d\u017e]")
_WESTERN_SIGNS = re.compile("[\u2018-\u201e\u2013\u2014\u2022\u2026\u20ac\u2122\xa0-\xbf]")


class NotText(Exception):
    """These bytes are no text."""


def decode_text(data: bytes, *, is_complete: bool = True) -> str:
    """The text of `data`; unless `is_complete`, a character cut off at its end is left out. Raises NotText."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _plausible(_decoded(data, encoding, is_complete=is_complete))
    if b"\x00" in data:
        raise NotText
    try:
        return _plausible(_decoded(data, "utf-8", is_complete=is_complete))
    except UnicodeDecodeError:
        return _bruised_utf8(data) or _eight_bit(data)


def clean_text(text: str) -> str:
    """The text as everything else refers to it: composed (NFC), lines end in a newline, no control characters."""
    return unicodedata.normalize("NFC", _DROPPED.sub("", _LINE_ENDS.sub("\n", text)))


def _decoded(data: bytes, encoding: str, *, is_complete: bool) -> str:
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(data, is_complete)
    except UnicodeDecodeError:
        if encoding == "utf-8":
            raise
        raise NotText from None  # it had a mark that promised something else


def _plausible(text: str) -> str:
    if len(_CONTROLS.findall(text)) > len(text) * _MOST_CONTROLS:
        raise NotText
    return text


def _bruised_utf8(data: bytes) -> str | None:
    text = data.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    good = sum(1 for character in text[:_SAMPLE_BYTES] if character > "\x7f") - min(broken, _SAMPLE_BYTES)
    return _plausible(text) if good >= broken * _GOOD_PER_BROKEN else None


def _eight_bit(data: bytes) -> str:
    """Text of the years before UTF-8. Most here is Western (cp1252); the rest is guessed from its letters."""
    sample = data[:_SAMPLE_BYTES]
    if _CONTROLS.search(sample.decode("latin-1")):
        raise NotText
    if _is_western(sample):
        return data.decode("cp1252", errors="replace")
    best = charset_normalizer.from_bytes(sample, threshold=0.15).best()
    if best is None:
        raise NotText
    return data.decode(best.encoding, errors="replace")


def _is_western(sample: bytes) -> bool:
    try:
        text = sample.decode("cp1252")
    except UnicodeDecodeError:
        return False
    high = [character for character in text if character > "\x7f"]
    letters = len(_WESTERN.findall(text))
    sensible = sum(1 for character in high if _WESTERN.match(character) or _WESTERN_SIGNS.match(character))
    return len(high) <= 0.3 * letters and sensible >= 0.9 * len(high)
