"""What to search for when a question leans on those before it. Pure; knows English and Italian."""

import re
from collections.abc import Sequence

from youworker_app.agent.schemas import Turn
from youworker_app.retrieval.language import content_words

_WORD = re.compile(r"[^\W_]+")
# Words that stand for something said before. Italian "lo", "la", "le", "ci" are articles or "there" far more often.
_PRONOUNS = frozenset(
    """it its they them their theirs he she him his her hers this that these those ones
    esso essa essi esse lui lei loro questo questa questi queste quello quella quelli quelle ciò ne suo sua suoi
    sue""".split()
)
_OPENINGS = frozenset(
    "and but or so also then instead e ed ma o oppure invece anche quindi allora poi".split()
)
_TOPIC_CHANGES = re.compile(r"(?i)\W*(?:what|how) about\b")
_FEW, _ENOUGH = 1, 4  # content words: with so few a question cannot stand alone, with more it does
_TURNS_BACK, _MOST_TERMS, _LONGEST_TERM = 3, 8, 64
# Retrieval takes less than a chat may; what is asked stands at the start or the end of a long text.
_HEAD_CHARS, _TAIL_CHARS = 4_000, 4_000


def search_text(text: str, history: Sequence[Turn]) -> str:
    """The question, followed by terms of the last user turns where it leans on them."""
    text = _shortened(text)
    if not leans(text):
        return text
    own = {word.casefold() for word in content_words(text)}
    return " ".join([text, *_carried(own, history)])


def leans(text: str) -> bool:
    """Whether a question needs what was said before: hardly a word of its own, a pronoun, or "and …"."""
    own = len(content_words(text))
    if own <= _FEW:
        return True
    if own > _ENOUGH:
        return False
    words = [word.lower() for word in _WORD.findall(text)]
    return words[0] in _OPENINGS or bool(_TOPIC_CHANGES.match(text)) or not _PRONOUNS.isdisjoint(words)


def _carried(own: set[str], history: Sequence[Turn]) -> list[str]:
    """Newest turn first; older ones only as long as those between lean as well."""
    terms: list[str] = []
    asked = [turn.content for turn in reversed(history) if turn.role == "user"]
    for content in asked[:_TURNS_BACK]:
        earlier = _shortened(content)
        for word in content_words(earlier):
            if word.casefold() not in own and len(word) <= _LONGEST_TERM:
                own.add(word.casefold())
                terms.append(word)
        if not leans(earlier):
            break
    return terms[:_MOST_TERMS]


def _shortened(text: str) -> str:
    if len(text) <= _HEAD_CHARS + _TAIL_CHARS:
        return text
    return f"{text[:_HEAD_CHARS]} {text[-_TAIL_CHARS:]}"
