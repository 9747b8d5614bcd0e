"""From what the searches found and SQL confirmed to a ranking with the telling sentence known. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from youworker_app.documents.schemas import Passage
from youworker_app.gateways.vectors.protocol import VectorHit
from youworker_app.retrieval.confidence import anything_may_serve, good_enough, lowest, worth
from youworker_app.retrieval.matching import Match, match_candidates
from youworker_app.retrieval.telling import Sentence
from youworker_app.retrieval.terms import TermReader

CLOSENESS_WEIGHT = {"en": 0.0}
"""What it is worth that the question's rare words stand in one sentence, and close together (each from 0 to 1), against
the fused score (0 to 1), by the question's language.

Measured with `python -m bench.answers`: SQuAD-it hit@1 .753 without, .771 at 0.5. In English, where the embedding model
is at home, it only costs (Cranfield nDCG@10 .415 without, .403 at 0.5).
"""

DEFAULT_CLOSENESS_WEIGHT = 0.5


@dataclass(frozen=True)
class Ranked:
    """A candidate with its score from 0 to 1."""

    match: Match
    score: float

    @property
    def passage(self) -> Passage:
        return self.match.passage

    @property
    def document_id(self) -> str:
        return self.match.passage.document_id

    @property
    def text(self) -> str:
        return self.match.passage.text

    @property
    def sentence(self) -> Sentence | None:
        """The one that tells most, if one tells anything."""
        return telling_sentence(self.match)


def rank(
    reader: TermReader,
    query: str,
    language: str,
    fused: Sequence[VectorHit],
    passages: Mapping[str, Passage],
    cosines: Mapping[str, float],
) -> list[Ranked]:
    """The hits that `passages` confirms and that may stand as evidence, best first.

    `cosines`: of the dense search, empty when there was none.
    """
    known = [hit for hit in fused if hit.chunk_id in passages]
    matches = match_candidates(reader, query, [passages[hit.chunk_id] for hit in known])
    may_stand = _may_stand(query, language, known, matches, cosines)
    closeness = CLOSENESS_WEIGHT.get(language, DEFAULT_CLOSENESS_WEIGHT)
    ranked = [
        Ranked(match, _score(hit.score, match, closeness))
        for hit, match, is_good in zip(known, matches, may_stand, strict=True)
        if is_good
    ]
    return sorted(ranked, key=lambda one: -one.score)


def _may_stand(
    query: str,
    language: str,
    hits: Sequence[VectorHit],
    matches: Sequence[Match],
    cosines: Mapping[str, float],
) -> list[bool]:
    if anything_may_serve(query):
        return [True] * len(hits)
    far = lowest(cosines.values())
    return good_enough(
        [
            worth(
                cosine=cosines.get(hit.chunk_id, far),
                coverage=match.coverage,
                question_language=language,
                passage_language=match.passage.language,
            )
            for hit, match in zip(hits, matches, strict=True)
        ]
    )


def _score(fused: float, match: Match, closeness: float) -> float:
    if not closeness:
        return fused
    return (fused + closeness * (match.sentence + match.pairs)) / (1 + 2 * closeness)


def telling_sentence(match: Match) -> Sentence | None:
    """The sentence with most of the question's rare words, the earlier one of equals; None when none has any."""
    best = max(match.sentences, key=lambda one: (one.words, one.pairs, -one.sentence.start), default=None)
    return best.sentence if best is not None and best.words > 0 else None
