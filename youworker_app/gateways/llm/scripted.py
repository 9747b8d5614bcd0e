"""Models for tests: one that says what a script tells it, and one that is not there.

Owns no network. The steps of a script are what can happen to a real answer.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from youworker_app.core.errors import AppError
from youworker_app.gateways.llm.errors import ModelAway, ModelMissing
from youworker_app.gateways.llm.protocol import ChatMessage, Completion, ModelInfo, TextDelta


@dataclass(frozen=True)
class Say:
    text: str
    thinking: str = ""


@dataclass(frozen=True)
class Wait:
    seconds: float


@dataclass(frozen=True)
class Fail:
    error: AppError


@dataclass(frozen=True)
class Hang:
    """Says nothing more until it is stopped."""


@dataclass(frozen=True)
class Stop:
    """Ends the answer; a script without it ends by itself."""

    finish: str = "stop"


Step = Say | Wait | Fail | Hang | Stop


@dataclass(frozen=True)
class Call:
    """What the model was asked."""

    model: str
    messages: tuple[ChatMessage, ...]
    max_tokens: int | None
    temperature: float | None


SCRIPTED = ModelInfo("scripted", 8192, frozenset({"completion"}), 1_000_000)


def words(text: str) -> list[Step]:
    """The steps of an answer that comes word by word."""
    return [Say(piece) for piece in re.findall(r"\s*\S+|\s+$", text)]


class ScriptedModel:
    """A `LanguageModel` that plays one script an answer, the last one again and again.

    `calls` holds what was asked, `stopped` counts answers that were left before their end.
    """

    def __init__(self, *scripts: Sequence[Step], models: Sequence[ModelInfo] = (SCRIPTED,)) -> None:
        self._scripts = [list(script) for script in scripts] or [words("A scripted answer.")]
        self._models = list(models)
        self.calls: list[Call] = []
        self.stopped = 0
        self.closed = False

    async def list_models(self) -> list[ModelInfo]:
        return list(self._models)

    async def stream(
        self,
        model: str,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int | None = None,
        temperature: float | None = None,
    ) -> AsyncGenerator[TextDelta | Completion, None]:
        if model not in {info.name for info in self._models}:
            raise ModelMissing(model=model)
        self.calls.append(Call(model, tuple(messages), max_tokens, temperature))
        script = self._scripts[min(len(self.calls), len(self._scripts)) - 1]
        prompt_tokens = sum(len(message.content.split()) for message in messages)
        try:
            async with aclosing(_play(script, prompt_tokens, max_tokens)) as events:
                async for event in events:
                    yield event
        except (GeneratorExit, asyncio.CancelledError):
            self.stopped += 1
            raise

    async def close(self) -> None:
        self.closed = True


class NoModel:
    """A `LanguageModel` that cannot be reached."""

    async def list_models(self) -> list[ModelInfo]:
        raise ModelAway(url="nowhere")

    async def stream(
        self,
        model: str,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int | None = None,
        temperature: float | None = None,
    ) -> AsyncGenerator[TextDelta | Completion, None]:
        # A generator, so that the error comes with the first piece, as with a real one.
        for info in await self.list_models():
            yield TextDelta(info.name)

    async def close(self) -> None:
        """Nothing to free."""


async def _play(
    script: Sequence[Step], prompt_tokens: int, max_tokens: int | None
) -> AsyncGenerator[TextDelta | Completion, None]:
    """Counts a piece as a token, so that `max_tokens` cuts a script off."""
    said, finish = 0, "stop"
    for step in script:
        match step:
            case Say(text, thinking):
                said += 1
                yield TextDelta(text, thinking)
            case Wait(seconds):
                await asyncio.sleep(seconds)
            case Fail(error):
                raise error
            case Hang():
                await asyncio.Event().wait()
            case Stop(named):
                finish = named
                break
        # Lets others run between two pieces, as a real model does.
        await asyncio.sleep(0)
        if said == max_tokens:
            finish = "length"
            break
    yield Completion(prompt_tokens, said, finish)
