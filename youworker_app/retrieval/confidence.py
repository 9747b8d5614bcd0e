"""Whether what was found is any good: rather nothing than passages that have nothing to do with the question.

Pure. The numbers were measured with the built-in embedder (`python -m bench.answers`). A model whose cosines lie higher
lets more through, never less.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from youworker_app.retrieval.language import content_words


@dataclass(frozen=True)
class Bar:
    """A passage can carry an answer when `weight` x cosine + coverage is at least `least`."""

    weight: float
    least: float


# The built-in model knows English; any two texts of another language look alike to it, so there the words have to tell.
_ENGLISH, _OTHER = Bar(1.5, 0.6), Bar(0.7, 0.5)
# Across languages words cannot tell, names aside.
_ACROSS = Bar(1.5, 0.45)
# Without vectors the words are all there is.
_WORDS_ALONE = Bar(0.0, 0.3)

_BESIDE = 0.75
_MOST_WORDS = 25  # with content, in what can be called a question

# Words that speak of a document and not of anything in it.
_ABOUT_DOCUMENTS = frozenset(
    """about abstract attachment attached chapter content contents describe document documents explain file files gist
    main overview page pages paper pdf point points read report section summarise summarize summary text topic topics
    allegato argomenti argomento capitolo contenuti contenuto descrivi documenti documento espone leggi pagina pagine
    parla parlano principali principale punti punto relazione riassumere riassumi riassumimi riassunto riguarda
    riguardano sezione sintesi sintetizza spiega testo tratta trattano""".split()
)


def anything_may_serve(query: str) -> bool:
    """True for "Summarise the document" and the like, whose words stand in no passage, and for a pasted text, of whose
    words no passage can hold many."""
    words = content_words(query)
    return len(words) > _MOST_WORDS or (
        bool(words) and all(word.lower() in _ABOUT_DOCUMENTS for word in words)
    )


def worth(*, cosine: float | None, coverage: float, question_language: str, passage_language: str) -> float:
    """How good a passage is as evidence: from 1 on it can carry an answer.

    Args:
        cosine: of question and passage; None when no vectors were searched.
        coverage: rarity-weighted share of the question's words that the passage has, 0 to 1.
        question_language, passage_language: ISO 639-1, "" when unknown.
    """
    bar = _bar(question_language, passage_language, has_vectors=cosine is not None)
    return (bar.weight * (cosine or 0.0) + coverage) / bar.least


def good_enough(worths: Sequence[float]) -> list[bool]:
    """Which passages may stand: none unless one can carry an answer, and beside it those that nearly could."""
    if max(worths, default=0.0) < 1:
        return [False] * len(worths)
    return [value >= _BESIDE for value in worths]


def _bar(question: str, passage: str, *, has_vectors: bool) -> Bar:
    if not has_vectors:
        return _WORDS_ALONE
    if question and passage and question != passage:
        return _ACROSS
    return _ENGLISH if "en" in {question, passage} else _OTHER


def lowest(cosines: Collection[float]) -> float | None:
    """What is assumed of a passage that the vectors did not find: as far away as the farthest that they found."""
    return min(cosines, default=None)
