"""The language of a text, among those whose words the sparse index can reduce to stems."""

import re
from functools import cache
from typing import Literal

from py3langid.langid import MODEL_FILE, LanguageIdentifier

Language = Literal[
    "en", "it", "ar", "da", "de", "el", "es", "fi", "fr", "hu", "nl", "no", "pt", "ro", "ru", "sv", "tr"
]

# The names by which the BM25 embedder knows them.
LANGUAGE_NAMES: dict[Language, str] = {
    "en": "english",
    "it": "italian",
    "ar": "arabic",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
}
DEFAULT_LANGUAGE: Language = "en"
_SAMPLE_CHARS = 4_000
_FEWEST_LETTERS = 12
_LEAST_SURE = 0.5
_NO_WORD = re.compile(r"https?://\S+|\S+@\S+|[\d\W_]+")


def detect_language(sample: str) -> Language:
    """The language of `sample` (a few hundred characters tell it; more than 4,000 are not read), "en" when unsure."""
    words = _NO_WORD.sub(" ", sample[:_SAMPLE_CHARS]).strip()
    if len(words) < _FEWEST_LETTERS:
        return DEFAULT_LANGUAGE
    code, sureness = _identifier().classify(words)
    return next(
        (known for known in LANGUAGE_NAMES if known == code and sureness >= _LEAST_SURE), DEFAULT_LANGUAGE
    )


@cache
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGE_NAMES))
    return identifier
