"""What the agent is asked, and the events of its answer, in the order in which they come."""

from dataclasses import dataclass

from youworker_app.documents.schemas import Passage


@dataclass(frozen=True)
class Turn:
    """An earlier message. `role`: user or assistant."""

    role: str
    content: str


@dataclass(frozen=True)
class Question:
    """`language`: en, it or "" (as the question is). None does not narrow."""

    text: str
    history: tuple[Turn, ...] = ()
    language: str = ""
    model: str | None = None
    group_ids: tuple[str, ...] | None = None
    document_ids: tuple[str, ...] | None = None
    use_documents: bool = True


@dataclass(frozen=True)
class Searching:
    """Retrieval has begun."""


@dataclass(frozen=True)
class Evidence:
    """The passages that the answer may cite: `[n]` is the n-th of them, from 1. Comes once, before the first token."""

    passages: tuple[Passage, ...]


@dataclass(frozen=True)
class Writing:
    """The answer begins. `model` is "passages" when the built-in answerer writes."""

    model: str


@dataclass(frozen=True)
class Thinking:
    """What a model thinks aloud before it answers."""

    text: str


@dataclass(frozen=True)
class Token:
    """The next piece of the answer."""

    text: str


@dataclass(frozen=True)
class Usage:
    """What the answer cost, in tokens, where the model says so. Comes last."""

    prompt_tokens: int | None
    completion_tokens: int | None


AgentEvent = Searching | Evidence | Writing | Thinking | Token | Usage
