"""A second look at the candidates: which words of the question stand in them, how rare, and how close together.

Pure. What nobody asks for is not worked out: the question's language decides what a ranking needs, and only what is shown
needs its telling sentence. Rarity is counted among the candidates, which the asker may all see: nothing leaks from what they
may not.
"""

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

from youworker_app.documents.schemas import Passage
from youworker_app.retrieval.telling import Sentence, split_sentences
from youworker_app.retrieval.terms import Hit, QueryWords, TermReader

# Two words of the question that stand at most this far apart there, and in the passage, count as a pair.
_PAIR_IN_QUERY, _PAIR_IN_PASSAGE = 2, 4
# Passages thought of that have none of the words: among three candidates that all speak of the subject, its name is
# not worthless.
_IMAGINED = 30


@dataclass(frozen=True)
class SentenceMatch:
    """`words`: share of the question's rarity that stands in the sentence, `pairs`: of its pairs; 0 to 1."""

    sentence: Sentence
    words: float
    pairs: float


@dataclass(frozen=True)
class _Read:
    passage: Passage
    words: QueryWords
    terms: list[int | None]
    numbers: frozenset[int]


class Match:
    """A candidate beside the question. Shares from 0 to 1."""

    def __init__(
        self, read: _Read, rarity: Mapping[int, float], pairs: Mapping[tuple[int, int], float]
    ) -> None:
        self.passage = read.passage
        self._read, self._rarity, self._pairs = read, rarity, pairs
        self._asked = sum(rarity[number] for number in read.words.by_stem.values())

    @cached_property
    def coverage(self) -> float:
        """Rarity of the words anywhere in the passage, as a share of everything that was asked (found in a candidate or
        not)."""
        return self._rarity_of(self._read.numbers)

    @cached_property
    def pairs(self) -> float:
        """Share of the question's pairs of words that stand close together here."""
        return self._pairs_in(self._hits)

    @cached_property
    def sentence(self) -> float:
        """Rarity of the words in the best single sentence, as a share of everything that was asked."""
        return max((match.words for match in self.sentences), default=0.0)

    @cached_property
    def sentences(self) -> tuple[SentenceMatch, ...]:
        """All sentences, in order."""
        return tuple(
            SentenceMatch(sentence, self._rarity_of({hit.number for hit in inside}), self._pairs_in(inside))
            for sentence in split_sentences(self.passage.text)
            for inside in [[hit for hit in self._hits if sentence.start <= hit.start < sentence.end]]
        )

    @cached_property
    def _hits(self) -> list[Hit]:
        return self._read.words.hits(self.passage.text, self._read.terms)

    def _rarity_of(self, numbers: Set[int]) -> float:
        return _share(sum([self._rarity[number] for number in numbers]), self._asked)

    def _pairs_in(self, hits: Sequence[Hit]) -> float:
        close = _close(hits, self._pairs)
        return _share(sum(self._pairs[pair] for pair in close), sum(self._pairs.values()))


def match_candidates(reader: TermReader, query: str, passages: Sequence[Passage]) -> list[Match]:
    """A Match for each passage, in order."""
    languages = {passage.language for passage in passages}
    words = {language: QueryWords.read(reader, query, language) for language in languages}
    read = [_read(reader, passage, words[passage.language]) for passage in passages]
    rarity = _rarity(read)
    pairs = {language: _pairs(reader, query, language, words[language], rarity) for language in languages}
    return [Match(one, rarity, pairs[one.passage.language]) for one in read]


def _read(reader: TermReader, passage: Passage, words: QueryWords) -> _Read:
    terms = reader.terms(passage.text, passage.language)
    return _Read(passage, words, terms, words.numbers(terms))


def _rarity(read: Sequence[_Read]) -> dict[int, float]:
    """BM25's rarity of each word of the question, over the candidates."""
    asked = {number for one in read for number in one.words.by_stem.values()}
    counts = {number: sum(number in one.numbers for one in read) for number in asked}
    size = len(read) + _IMAGINED
    return {number: math.log1p((size - count + 0.5) / (count + 0.5)) for number, count in counts.items()}


def _pairs(
    reader: TermReader, query: str, language: str, words: QueryWords, rarity: Mapping[int, float]
) -> dict[tuple[int, int], float]:
    order = [words.by_stem[stem] for stem in reader.stems(query, language) if stem in words.by_stem]
    return {
        (min(left, right), max(left, right)): rarity[left] + rarity[right]
        for place, left in enumerate(order)
        for right in order[place + 1 : place + 1 + _PAIR_IN_QUERY]
        if left != right
    }


def _close(hits: Sequence[Hit], pairs: Mapping[tuple[int, int], float]) -> set[tuple[int, int]]:
    close = set()
    for index, hit in enumerate(hits):
        for other in hits[index + 1 :]:
            if other.place - hit.place > _PAIR_IN_PASSAGE:
                break
            close.add((min(hit.number, other.number), max(hit.number, other.number)))
    return close & pairs.keys()


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
