"""Which of the ranked passages are shown: each text once, and not all from one document when others are as good.

Pure.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from youworker_app.documents.schemas import Passage

_WORD = re.compile(r"[^\W_]+")
# Share of common words from which two passages of one document say the same.
_SAME = 0.9
# From its third passage on, what each one already taken from a document costs the next one of it, in score (0 to 1).
_FREE, _AGAIN, _AGAIN_AT_MOST = 1, 0.01, 4


def without_repetitions(ranked: Sequence[Passage]) -> list[Passage]:
    """Best first, without those that repeat a better one.

    Within a document: nearly the same words and the very same numbers. Across documents only the same text, since two
    contracts that differ by one word differ.
    """
    kept: list[tuple[Passage, _Words]] = []
    for passage in ranked:
        words = _Words.of(passage.text)
        if not any(
            words.repeats(other, is_same_document=passage.document_id == one.document_id)
            for one, other in kept
        ):
            kept.append((passage, words))
    return [passage for passage, _ in kept]


def diverse(ranked: Sequence[Passage], limit: int) -> list[Passage]:
    """The best `limit`, where a document that has already given two has to be a little better to give another.

    Their `score` stays what it was.
    """
    waiting, taken = list(ranked), list[Passage]()
    given: Counter[str] = Counter()
    while waiting and len(taken) < limit:
        worth = [one.score - _cost(given[one.document_id]) for one in waiting]
        best = waiting.pop(max(range(len(waiting)), key=lambda place: (worth[place], -place)))
        given[best.document_id] += 1
        taken.append(best)
    return taken


def _cost(given: int) -> float:
    return _AGAIN * min(max(given - _FREE, 0), _AGAIN_AT_MOST)


@dataclass(frozen=True)
class _Words:
    in_order: tuple[str, ...]
    all: frozenset[str]
    numbers: frozenset[str]

    @classmethod
    def of(cls, text: str) -> "_Words":
        words = tuple(word.casefold() for word in _WORD.findall(text))
        return cls(words, frozenset(words), frozenset(word for word in words if not word.isalpha()))

    def repeats(self, other: "_Words", *, is_same_document: bool) -> bool:
        if self.in_order == other.in_order:
            return True
        if not is_same_document or self.numbers != other.numbers:
            return False
        common, either = len(self.all & other.all), len(self.all | other.all)
        return either > 0 and common / either >= _SAME
