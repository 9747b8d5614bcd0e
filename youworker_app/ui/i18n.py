"""Languages and their words. Another language is its modules in `catalogue/` and one line here.

Knows no Reflex and no state: `words.py` makes the same texts switchable in the browser.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from youworker_app.core.errors import AppError, Detail
from youworker_app.ui.catalogue import en, en_privacy, en_trail, it, it_errors, it_privacy, it_trail

DEFAULT: Final = "en"
CATALOGUES: Final[Mapping[str, Mapping[str, str]]] = {
    "en": en.TEXTS | en_trail.TEXTS | en_privacy.TEXTS,
    "it": it.TEXTS | it_trail.TEXTS | it_privacy.TEXTS,
}
# English sentences of errors stand with the errors.
ERRORS: Final[Mapping[str, Mapping[str, str]]] = {"it": it_errors.TEXTS}
LANGUAGE_NAMES: Final[Mapping[str, str]] = {"en": "English", "it": "Italiano"}


def text(language: str, key: str, **details: Detail) -> str:
    """The text of a key in a language, filled in. Raises KeyError for a key that does not exist."""
    return CATALOGUES.get(language, CATALOGUES[DEFAULT])[key].format_map(_Details(details))


def error_text(language: str, code: str, fallback: str, details: Mapping[str, Detail]) -> str:
    """What an error says in a language; `fallback` (English, already filled in) where the catalogue has nothing."""
    template = ERRORS.get(language, {}).get(code)
    return fallback if template is None else template.format_map(_Details(details))


def error_by_code(language: str, code: str, details: Mapping[str, Detail]) -> str:
    """What an error says of which only the code came with us; empty for a code that does not exist."""
    return error_templates(language).get(code, "").format_map(_Details(details))


def error_templates(language: str) -> dict[str, str]:
    """Every known error's template by code, for sentences that the browser makes itself."""
    english = {kind.code: kind.template for kind in error_kinds()}
    return english | {code: t for code, t in ERRORS.get(language, {}).items() if code in english}


def error_kinds(root: type[AppError] = AppError) -> Iterable[type[AppError]]:
    """Every error class loaded so far."""
    yield root
    for kind in root.__subclasses__():
        yield from error_kinds(kind)


def choose_language(preferred: str, accept_language: str) -> str:
    """The person's own choice, else the first language of the browser that we speak, else English."""
    if preferred in CATALOGUES:
        return preferred
    for name, _ in sorted(_accepted(accept_language), key=lambda pair: -pair[1]):
        if name in CATALOGUES:
            return name
    return DEFAULT


def size_text(size_bytes: int, language: str) -> str:
    """A size in bytes for a person (1 kB is 1024 B), with the language's decimal sign."""
    size, unit = float(size_bytes), "B"
    for larger in ("kB", "MB", "GB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    number = f"{size:.0f}" if unit == "B" or size >= 10 else f"{size:.1f}"
    return f"{number.replace('.', ',') if language == 'it' else number} {unit}"


def _accepted(header: str) -> Iterable[tuple[str, float]]:
    for part in header[:1_000].split(","):
        name, _, weight = part.strip().partition(";q=")
        try:
            yield name.split("-")[0].lower(), float(weight or 1)
        except ValueError:
            continue


class _Details(dict[str, Detail]):
    def __missing__(self, key: str) -> str:
        return "?"
