"""The language of a text, among those whose words the sparse index can reduce to stems."""

import asyncio
import re
from functools import cache
from typing import Literal

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from youworker_app.core.memory import give_back_freed

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


async def language_of(sample: str) -> Language:
    """`detect_language`; the first time it loads what it needs in a thread (0.3 s)."""
    if not _identifier.cache_info().currsize:
        await asyncio.to_thread(_load)
    return detect_language(sample)


@cache
def _identifier() -> LanguageIdentifier:
    whole = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    whole.set_languages(list(LANGUAGE_NAMES))
    # Made anew of the languages that are kept: the other 80 would stay, 25 MB.
    return LanguageIdentifier(
        whole.nb_ptc,
        whole.nb_pc,
        whole.nb_classes,
        whole.tk_nextmove,
        whole.tk_output,
        norm_probs=True,
        tk_row=whole.tk_row,
    )


def _load() -> None:
    _identifier()
    give_back_freed()
