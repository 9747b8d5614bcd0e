"""Answers by a model that Ollama serves, through its own client.

Owns the stream, its time limits, stopping, and the translation of what goes wrong. What there is to choose
from is in `ollama_models`. Builds no prompt.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import cast
from urllib.parse import urlsplit

import httpx
import ollama

from youworker_app.core.errors import AppError
from youworker_app.core.telemetry import correlation_id, get_logger
from youworker_app.gateways.llm.errors import (
    ModelAway,
    ModelFailed,
    ModelMissing,
    ModelOutOfMemory,
    ModelStalled,
)
from youworker_app.gateways.llm.ollama_models import OllamaCatalogue, is_remote
from youworker_app.gateways.llm.protocol import ChatMessage, Completion, ModelInfo, TextDelta

log = get_logger(__name__)

_MAX_REASON = 200
_END_S = 1.0
# What Ollama's client raises when something else answers at that address.
_NOT_OLLAMA = (ValueError, TypeError, AttributeError)


class OllamaModel:
    """A `LanguageModel` over `POST /api/chat`.

    `context_tokens` is asked of Ollama with each answer, since its own default (4,096 at most places)
    silently drops what stands first in a longer prompt: the instructions and the best passages.
    """

    def __init__(
        self,
        url: str,
        *,
        connect_timeout_s: float = 2,
        first_token_timeout_s: float = 120,
        stall_timeout_s: float = 30,
        context_tokens: int = 8192,
    ) -> None:
        # Without name and password that it may carry: this one is shown.
        self._address = urlsplit(url).netloc.rpartition("@")[2]
        self._first_token_timeout_s = first_token_timeout_s
        self._stall_timeout_s = stall_timeout_s
        self._context_tokens = context_tokens
        self._client = ollama.AsyncClient(
            url,
            # Reads wait without limit here: how long silence may last differs before and after the first
            # word.
            timeout=httpx.Timeout(None, connect=connect_timeout_s),
            # A new connection costs as much as the rest of a call: one stays open for each of many answers at once.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=60),
            # Questions go to this address alone: no proxy from the environment, no redirect.
            trust_env=False,
            follow_redirects=False,
            event_hooks={"request": [_carry_correlation]},
        )
        self._catalogue = OllamaCatalogue(self._client, self._address, context_tokens=context_tokens)

    async def list_models(self) -> list[ModelInfo]:
        return await self._catalogue.list_models()

    async def stream(
        self,
        model: str,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int | None = None,
        temperature: float | None = None,
    ) -> AsyncGenerator[TextDelta | Completion, None]:
        if not model or is_remote(model):
            raise ModelMissing(model=model)
        parts = await self._ask(model, messages, max_tokens, temperature)
        try:
            patience = self._first_token_timeout_s
            while True:
                part = await self._next(parts, model, patience)
                if part.message.content or part.message.thinking:
                    yield TextDelta(part.message.content or "", part.message.thinking or "")
                if part.done:
                    yield Completion(part.prompt_eval_count, part.eval_count, part.done_reason or "stop")
                    await _read_out(parts)
                    return
                patience = self._stall_timeout_s
        finally:
            # Closes the connection when the answer is left early; that is what makes Ollama stop.
            await parts.aclose()

    async def close(self) -> None:
        await self._client.close()  # type: ignore[no-untyped-call]

    async def _ask(
        self, model: str, messages: Sequence[ChatMessage], max_tokens: int | None, temperature: float | None
    ) -> AsyncGenerator[ollama.ChatResponse, None]:
        options = ollama.Options(
            num_ctx=self._context_tokens, num_predict=max_tokens, temperature=temperature
        )
        asked = [
            ollama.Message(role=message.role, content=_sendable(message.content)) for message in messages
        ]
        parts = await self._client.chat(model, asked, stream=True, options=options)
        # The client promises an iterator and gives a generator, which can be closed.
        return cast(AsyncGenerator[ollama.ChatResponse, None], parts)

    async def _next(
        self, parts: AsyncGenerator[ollama.ChatResponse, None], model: str, patience: float
    ) -> ollama.ChatResponse:
        try:
            async with asyncio.timeout(patience):
                return await anext(parts)
        except TimeoutError as error:
            log.warning("model_stalled", model=model, seconds=patience)
            raise ModelStalled(model=model, seconds=patience) from error
        except (StopAsyncIteration, ConnectionError, httpx.TransportError) as error:
            # A stream that ends without its last piece is a server that died.
            raise ModelAway(url=self._address) from error
        except ollama.ResponseError as error:
            raise _translated(error, model) from error
        except _NOT_OLLAMA as error:
            raise ModelFailed(model=model, reason="its answer is not Ollama's") from error


async def _read_out(parts: AsyncGenerator[ollama.ChatResponse, None]) -> None:
    """Reads what comes after the last piece, nothing but the end: a connection left before it serves no other answer."""
    with suppress(TimeoutError, httpx.TransportError, ollama.ResponseError, *_NOT_OLLAMA):
        async with asyncio.timeout(_END_S):
            async for _ in parts:
                return


def _translated(error: ollama.ResponseError, model: str) -> AppError:
    if error.status_code == 404:
        return ModelMissing(model=model)
    reason = " ".join(str(error.error).split())[:_MAX_REASON]
    log.warning("model_failed", model=model, status=error.status_code)
    if "memory" in reason.lower():
        return ModelOutOfMemory(model=model)
    return ModelFailed(model=model, reason=reason)


def _sendable(text: str) -> str:
    """Half a surrogate pair cannot be sent as JSON in UTF-8."""
    return text.encode(errors="replace").decode()


async def _carry_correlation(request: httpx.Request) -> None:
    if current := correlation_id.get():
        request.headers["X-Correlation-ID"] = current
