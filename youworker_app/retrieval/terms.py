"""Words of a text with their places and stems: what the cheap second look at the candidates works on.

Knows no store and no ranking. A stem is the same number in a question and in a passage of one language.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from youworker_app.gateways.vectors.protocol import SparseVector

# Accents that stand apart from their letter, and soft hyphens, belong to the word: (?:[^\W_]|[...])+, written so that a run
# of letters is one step. It is half of the second look at two dozen passages.
_APART = "[\u0300-\u036f\u00ad]"
_WORD = re.compile(rf"[^\W_]+(?:{_APART}+[^\W_]*)*|{_APART}+(?:[^\W_]+{_APART}*)*")
_MOST_QUERY_WORDS = 64
_CACHED_WORDS = 1 << 15
_FOREIGN_WEIGHT = 0.3


class TermEncoder(Protocol):
    """The part of `SparseEncoder` that is needed here."""

    def encode_document(self, text: str, language: str) -> SparseVector: ...

    def encode_query(self, text: str, languages: Sequence[str]) -> SparseVector: ...


class Hit(NamedTuple):
    """A word of the question in a text. `place` counts the text's content words, `number` the question's words."""

    start: int
    place: int
    number: int


class _Stems(dict[str, int | None]):
    """The stems of one language's words; None for a stop word. Forgets all of them when there are too many: looking one
    up has to cost nothing, and what is common is known again after a few texts."""

    def __init__(self, encoder: TermEncoder, language: str) -> None:
        super().__init__()
        self._encoder, self._language = encoder, language

    def __missing__(self, word: str) -> int | None:
        indices = self._encoder.encode_document(word, self._language).indices
        if len(self) >= _CACHED_WORDS:
            self.clear()
        stem = self[word] = indices[0] if indices else None
        return stem


class TermReader:
    """Splits texts into words and tells their stems. Remembers stems of words, since the same ones come again and again."""

    def __init__(self, encoder: TermEncoder) -> None:
        self._encoder = encoder
        self._stems: dict[str, _Stems] = {}

    def terms(self, text: str, language: str) -> list[int | None]:
        """The stems of all words in order, None for a stop word. `language`: ISO 639-1, "" for none."""
        known = self._stems.get(language)
        if known is None:
            known = self._stems[language] = _Stems(self._encoder, language)
        # No letter becomes something else by being made small: as many words as in the text itself.
        return [known[word] for word in _WORD.findall(text.lower())]

    def stems(self, text: str, language: str) -> list[int]:
        """The stems in order, stop words left out."""
        return [stem for stem in self.terms(text, language) if stem is not None]


@dataclass(frozen=True, slots=True)
class QueryWords:
    """A question's words under the stems of one language: stem to the word's number in the question."""

    by_stem: dict[int, int]

    @classmethod
    def read(cls, reader: TermReader, query: str, language: str) -> "QueryWords":
        """The first 64 words that are no stop words in this language; a word that comes again has its first number."""
        numbers: dict[int, int] = {}
        for number, stem in enumerate(reader.terms(query, language)):
            if stem is not None and len(numbers) < _MOST_QUERY_WORDS:
                numbers.setdefault(stem, number)
        return cls(numbers)

    def numbers(self, terms: Sequence[int | None]) -> frozenset[int]:
        """Which of the question's words a text has. `terms`: the text's, all of them."""
        return frozenset(self.by_stem[stem] for stem in self.by_stem.keys() & set(terms))

    def hits(self, text: str, terms: Sequence[int | None]) -> list[Hit]:
        """The question's words in a text, in order. `terms`: the text's, all of them."""
        numbers = self.by_stem
        found = [(index, numbers[stem]) for index, stem in enumerate(terms) if stem in numbers]
        starts = [word.start() for word in _WORD.finditer(text)] if found else []
        return [Hit(starts[index], index - terms[:index].count(None), number) for index, number in found]


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
