"""Words of a text with their places and stems: what the cheap second look at the candidates works on.

Knows no store and no ranking. A stem is the same number in a question and in a passage of one language.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

from youworker_app.gateways.vectors.protocol import SparseVector

# Accents that stand apart from their letter, and soft hyphens, belong to the word.
_WORD = re.compile("(?:[^\\W_]|[\u0300-\u036f\u00ad])+")
_MOST_QUERY_WORDS = 64
_CACHED_WORDS = 1 << 15
_FOREIGN_WEIGHT = 0.3


class TermEncoder(Protocol):
    """The part of `SparseEncoder` that is needed here."""

    def encode_document(self, text: str, language: str) -> SparseVector: ...

    def encode_query(self, text: str, languages: Sequence[str]) -> SparseVector: ...


class Term(NamedTuple):
    """A word that begins at `start` of its text; `stem` is None for a stop word."""

    start: int
    stem: int | None


class Hit(NamedTuple):
    """A word of the question in a text. `place` counts the text's content words, `number` the question's words."""

    start: int
    place: int
    number: int


class TermReader:
    """Splits texts into terms. Remembers stems of words, since the same ones come again and again."""

    def __init__(self, encoder: TermEncoder) -> None:
        self._encoder = encoder
        self._stem = lru_cache(maxsize=_CACHED_WORDS)(self._ask)

    def terms(self, text: str, language: str) -> list[Term]:
        """All words in order. `language`: ISO 639-1, "" for none."""
        stem = self._stem
        return [Term(found.start(), stem(found.group().lower(), language)) for found in _WORD.finditer(text)]

    def stems(self, text: str, language: str) -> list[int]:
        """The stems in order, stop words left out."""
        return [term.stem for term in self.terms(text, language) if term.stem is not None]

    def _ask(self, word: str, language: str) -> int | None:
        indices = self._encoder.encode_document(word, language).indices
        return indices[0] if indices else None


@dataclass(frozen=True, slots=True)
class QueryWords:
    """A question's words under the stems of one language: stem to the word's number in the question."""

    by_stem: dict[int, int]

    @classmethod
    def read(cls, reader: TermReader, query: str, language: str) -> "QueryWords":
        """The first 64 words that are no stop words in this language; a word that comes again has its first number."""
        numbers: dict[int, int] = {}
        for number, term in enumerate(reader.terms(query, language)):
            if term.stem is not None and len(numbers) < _MOST_QUERY_WORDS:
                numbers.setdefault(term.stem, number)
        return cls(numbers)

    def hits(self, terms: Sequence[Term]) -> list[Hit]:
        """The question's words in a text, in order."""
        content = (term for term in terms if term.stem is not None)
        known = self.by_stem
        return [
            Hit(start, place, known[stem]) for place, (start, stem) in enumerate(content) if stem in known
        ]


def query_terms(encoder: TermEncoder, query: str, language: str, others: Sequence[str]) -> SparseVector:
    """A question's terms for the lexical search: its own language's count fully, those of the documents' other
    languages by 0.3, so that names are met there and chance likeness of stems costs little (`bench/answers.py`)."""
    own = encoder.encode_query(query, [language] if language else list(others) or [""])
    weights = {
        **dict.fromkeys(encoder.encode_query(query, list(others)).indices, _FOREIGN_WEIGHT),
        **dict.fromkeys(own.indices, 1.0),
    }
    terms = sorted(weights)
    return SparseVector(tuple(terms), tuple(weights[term] for term in terms))
