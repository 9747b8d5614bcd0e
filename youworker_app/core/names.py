"""Names that people give to things and to themselves: one form, no hidden characters, one key to compare by.

Owns no rule of a domain: how long a name may be, and what to say about a bad one, is the domain's.
"""

import unicodedata
from typing import Final

_LONGEST: Final = 2_000

# Control, format (bidi marks and overrides, zero width), surrogates, private use, unassigned, line and paragraph ends.
_HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Invisible although their category says letter, mark or symbol (Unicode: Default_Ignorable_Code_Point, and Braille blank).
_HIDDEN: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
) | frozenset(
    chr(code) for low, high in ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF)) for code in range(low, high + 1)
)


def visible_name(raw: str) -> str | None:
    """The name in NFKC, blanks at its ends gone and inside made single. Applying it again changes nothing.

    None when it is empty, holds hidden characters, or is longer than any name could be.
    """
    if len(raw) > _LONGEST:
        return None
    name = " ".join(part for part in unicodedata.normalize("NFKC", raw).split(" ") if part)
    if not any(character.isalnum() for character in name) or unicodedata.category(name[0]).startswith("M"):
        return None
    return None if any(_is_hidden(character) for character in name) else name


def name_key(name: str) -> str:
    """What two names share when they differ in case, width or composition only (Unicode caseless matching, D146)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def is_plain_text(text: str) -> bool:
    """Whether every database can keep it: no NUL, no lone surrogate."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _is_hidden(character: str) -> bool:
    return character in _HIDDEN or unicodedata.category(character) in _HIDDEN_CATEGORIES
