"""What every language model fulfils, and what goes in and comes out. Owns no model and no prompt."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True)
class ChatMessage:
    role: Literal["system", "user", "assistant", "tool"]
    content: str


@dataclass(frozen=True)
class TextDelta:
    """The next piece of the answer, and of what the model thought aloud before it."""

    text: str
    thinking: str = ""


@dataclass(frozen=True)
class Completion:
    """The end of an answer, always last. `finish` is `stop` (the model was done) or `length` (cut off), or
    what the model's server says."""

    prompt_tokens: int | None
    completion_tokens: int | None
    finish: str


@dataclass(frozen=True)
class ModelInfo:
    """A model that can answer. `context_length`: tokens that a prompt and its answer may take together,
    here."""

    name: str
    context_length: int | None
    capabilities: frozenset[str]
    size_bytes: int | None


class LanguageModel(Protocol):
    """Answers a conversation piece by piece. Errors are those of `errors.py`."""

    async def list_models(self) -> list[ModelInfo]:
        """The models that can chat, [] when there is none. Raises ModelAway."""
        ...

    def stream(
        self,
        model: str,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int | None = None,
        temperature: float | None = None,
    ) -> AsyncGenerator[TextDelta | Completion, None]:
        """Pieces of one answer, then one Completion; an error raises after the pieces that came before it.

        Cancelling the task that iterates, or closing the generator, stops the model at once. Whoever leaves
        the loop early closes it (`async with contextlib.aclosing(...)`). Never repeated by itself. Raises
        ModelAway, ModelMissing, ModelStalled, ModelFailed.
        """
        ...

    async def close(self) -> None:
        """Frees connections; the model is not used afterwards."""
        ...
