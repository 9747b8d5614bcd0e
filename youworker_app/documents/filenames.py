"""Names of uploaded files, made safe to show, to store and to send back. Never used as a path."""

import re
import unicodedata
from urllib.parse import quote

DEFAULT_NAME = "document"
LONGEST_NAME_BYTES = 255
_LONGEST_EXTENSION_BYTES = 32
_SEPARATORS = re.compile(r"[/\\]")
# Reserved by Windows as the part before the first dot, with any extension.
_DEVICE = re.compile(r"(?i)(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\Z")
_RESERVED = str.maketrans(dict.fromkeys('<>:"|?*', "_"))
# Control, format (bidi marks and overrides, zero-width), surrogate, unassigned, line and paragraph separators.
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})
# RFC 5987 attr-char, besides letters and digits.
_ATTR_CHARS = "!#$&+-.^_`|~"


def safe_filename(raw: str | None) -> str:
    """One path part in NFC without hidden characters, at most 255 bytes of UTF-8, its extension kept; never empty.

    Applying it again changes nothing.
    """
    name = _SEPARATORS.split(_visible(raw or "").rstrip("/\\ ."))[-1]
    name = " ".join(name.translate(_RESERVED).split()).lstrip(". ").rstrip(". ")
    if _DEVICE.match(name.partition(".")[0].strip()):
        name = f"_{name}"
    return _shortened(name) or DEFAULT_NAME


def content_disposition(filename: str, *, is_inline: bool = False) -> str:
    """The header's value for a download under `filename` (RFC 6266): an ASCII name, and the whole one (RFC 5987)."""
    name = safe_filename(filename)
    kind = "inline" if is_inline else "attachment"
    plain = "".join(
        character if " " <= character <= "~" and character not in '"\\%' else "_"
        for character in _unaccented(name)
    )
    if plain == name:
        return f'{kind}; filename="{plain}"'
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe=_ATTR_CHARS)}"


def _visible(raw: str) -> str:
    spaced = (" " if character in "\t\r\n" else character for character in raw)
    kept = "".join(
        character for character in spaced if unicodedata.category(character) not in _HIDDEN_CATEGORIES
    )
    return unicodedata.normalize("NFC", kept)


def _unaccented(name: str) -> str:
    return "".join(
        character for character in unicodedata.normalize("NFKD", name) if not unicodedata.combining(character)
    )


def _shortened(name: str) -> str:
    if len(name.encode()) <= LONGEST_NAME_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    ending = f"{dot}{extension}"
    if not stem or len(ending.encode()) > _LONGEST_EXTENSION_BYTES:
        stem, ending = name, ""
    kept = stem.encode()[: LONGEST_NAME_BYTES - len(ending.encode())].decode(errors="ignore")
    return kept.rstrip(". ") + ending
