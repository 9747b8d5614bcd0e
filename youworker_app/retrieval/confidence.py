"""Whether what was found is any good: rather nothing than passages that have nothing to do with the question.

Pure. The numbers were measured with the built-in embedder (`python -m bench.answers`). A model whose cosines lie higher
lets more through, never less.
"""

from collections.abc import Collection
from dataclasses import dataclass

from youworker_app.retrieval.language import content_words


@dataclass(frozen=True)
class Bar:
    """A passage is good when `weight` x cosine + coverage is at least `least`."""

    weight: float
    least: float


# The built-in model knows English; any two texts of another language look alike to it, so there the words have to tell.
_ENGLISH, _OTHER = Bar(1.5, 0.6), Bar(0.7, 0.5)
# Across languages words cannot tell, names aside.
_ACROSS = Bar(1.5, 0.45)
# Without vectors the words are all there is.
_WORDS_ALONE = Bar(0.0, 0.3)

# Words that speak of a document and not of anything in it.
_ABOUT_DOCUMENTS = frozenset(
    """about abstract attachment attached chapter content contents describe document documents explain file files gist
    main overview page pages paper pdf point points read report section summarise summarize summary text topic topics
    allegato argomenti argomento capitolo contenuti contenuto descrivi documenti documento espone leggi pagina pagine
    parla parlano principali principale punti punto relazione riassumere riassumi riassumimi riassunto riguarda
    riguardano sezione sintesi sintetizza spiega testo tratta trattano""".split()
)


def asks_about_documents(query: str) -> bool:
    """True for "Summarise the document" and the like: no passage has such words, and any passage may serve."""
    words = content_words(query)
    return bool(words) and all(word.lower() in _ABOUT_DOCUMENTS for word in words)


def is_good(*, cosine: float | None, coverage: float, question_language: str, passage_language: str) -> bool:
    """Whether a passage may stand as evidence.

    Args:
        cosine: of question and passage; None when no vectors were searched.
        coverage: rarity-weighted share of the question's words that the passage has, 0 to 1.
        question_language, passage_language: ISO 639-1, "" when unknown.
    """
    bar = _bar(question_language, passage_language, has_vectors=cosine is not None)
    return bar.weight * (cosine or 0.0) + coverage >= bar.least


def _bar(question: str, passage: str, *, has_vectors: bool) -> Bar:
    if not has_vectors:
        return _WORDS_ALONE
    if question and passage and question != passage:
        return _ACROSS
    return _ENGLISH if "en" in {question, passage} else _OTHER


def lowest(cosines: Collection[float]) -> float | None:
    """What is assumed of a passage that the vectors did not find: as far away as the farthest that they found."""
    return min(cosines, default=None)
