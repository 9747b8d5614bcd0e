"""Which of the ranked passages are shown: each text once, and not all from one document when others are as good.

Pure.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf
from typing import Protocol, TypeVar

_WORD = re.compile(r"[^\W_]+")
# Share of common words from which two passages of one document say the same.
_SAME = 0.9
# From its third passage on, what each one already taken from a document costs the next one of it, in score (0 to 1).
_FREE, _AGAIN, _AGAIN_AT_MOST = 1, 0.01, 4


class Scored(Protocol):
    """What can be chosen from: a passage, or what stands for one. `score`: 0 to 1."""

    @property
    def document_id(self) -> str: ...

    @property
    def text(self) -> str: ...

    @property
    def score(self) -> float: ...


S = TypeVar("S", bound=Scored)


def without_repetitions(ranked: Iterable[S]) -> Iterator[S]:
    """Best first, without those that repeat a better one. Each is read only when it is asked for.

    Within a document: nearly the same words and the very same numbers. Across documents only the same text, since two
    contracts that differ by one word differ.
    """
    kept: list[tuple[S, _Words]] = []
    for one in ranked:
        words = _Words.of(one.text)
        if not any(
            words.repeats(other, is_same_document=one.document_id == better.document_id)
            for better, other in kept
        ):
            kept.append((one, words))
            yield one


def diverse(ranked: Iterable[S], limit: int) -> list[S]:
    """The best `limit`, where a document that has already given two has to be a little better to give another.

    `ranked` comes best first, and is read no further than it can matter. Their `score` stays what it was.
    """
    following, waiting, taken = iter(ranked), list[S](), list[S]()
    given: Counter[str] = Counter()
    upcoming = next(following, None)
    while len(taken) < limit and (waiting or upcoming is not None):
        worth = [one.score - _cost(given[one.document_id]) for one in waiting]
        # Nothing costs less than nothing: what follows is worth its score at most.
        while upcoming is not None and upcoming.score > max(worth, default=-inf):
            waiting.append(upcoming)
            worth.append(upcoming.score - _cost(given[upcoming.document_id]))
            upcoming = next(following, None)
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
        words = tuple(map(str.casefold, _WORD.findall(text)))
        different = frozenset(words)
        return cls(words, different, frozenset(word for word in different if not word.isalpha()))

    def repeats(self, other: "_Words", *, is_same_document: bool) -> bool:
        if self.in_order == other.in_order:
            return True
        if not is_same_document or self.numbers != other.numbers:
            return False
        fewer, more = sorted((len(self.all), len(other.all)))
        if fewer < _SAME * more:
            return False
        common = len(self.all & other.all)
        either = fewer + more - common
        return either > 0 and common / either >= _SAME
