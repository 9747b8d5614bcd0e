"""Answers by a model that Ollama serves.

Owns the time limits, stopping, and the translation of what goes wrong. The wire is `ollama_stream`, what there is to choose
from `ollama_models`. Builds no prompt.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress

import aiohttp
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
from youworker_app.gateways.llm.ollama_stream import (
    AnswerStream,
    EndedEarly,
    Part,
    chat_body,
    parsed,
)
from youworker_app.gateways.llm.protocol import ChatMessage, Completion, ModelInfo, TextDelta
from youworker_app.gateways.ollama_http import NotOllama, OllamaHttp, Refused

log = get_logger(__name__)

_MAX_REASON = 200
_END_S = 1.0
_NOT_ITS_ANSWER = "its answer is not Ollama's"


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
        api_key: str = "",
    ) -> None:
        self._first_token_timeout_s = first_token_timeout_s
        self._stall_timeout_s = stall_timeout_s
        self._context_tokens = context_tokens
        self._http = OllamaHttp(url, connect_timeout_s=connect_timeout_s, api_key=api_key)
        self._client = ollama.AsyncClient(
            url,
            headers=self._http.authorization,
            timeout=httpx.Timeout(None, connect=connect_timeout_s),
            # This address alone is asked: no proxy from the environment, no redirect.
            trust_env=False,
            follow_redirects=False,
            event_hooks={"request": [_carry_correlation]},
        )
        self._catalogue = OllamaCatalogue(self._client, self._http.address, context_tokens=context_tokens)

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
        options = {
            "num_ctx": self._context_tokens,
            "num_predict": max_tokens,
            "temperature": temperature,
        }
        answer = AnswerStream(self._http, chat_body(model, messages, options))
        try:
            patience = self._first_token_timeout_s
            while True:
                for line in await self._next(answer, model, patience):
                    part = self._parsed(line, model)
                    if part.delta.text or part.delta.thinking:
                        yield part.delta
                    if part.end is not None:
                        yield part.end
                        await _read_out(answer)
                        return
                patience = self._stall_timeout_s
        finally:
            answer.close()

    async def close(self) -> None:
        await self._client.close()  # type: ignore[no-untyped-call]
        await self._http.close()

    async def _next(self, answer: AnswerStream, model: str, patience: float) -> Sequence[bytes]:
        try:
            async with asyncio.timeout(patience):
                return await answer.next_lines()
        except (EndedEarly, aiohttp.ClientError, ConnectionError) as error:
            # A stream that ends without its last piece is a server that died.
            raise ModelAway(url=self._http.address) from error
        except TimeoutError as error:
            log.warning("model_stalled", model=model, seconds=patience)
            raise ModelStalled(model=model, seconds=patience) from error
        except Refused as error:
            raise _translated(error, model) from error
        except NotOllama as error:
            raise ModelFailed(model=model, reason=_NOT_ITS_ANSWER) from error

    def _parsed(self, line: bytes, model: str) -> Part:
        try:
            return parsed(line)
        except Refused as error:
            raise _translated(error, model) from error
        except NotOllama as error:
            raise ModelFailed(model=model, reason=_NOT_ITS_ANSWER) from error


async def _read_out(answer: AnswerStream) -> None:
    with suppress(TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(_END_S):
            await answer.read_out()


def _translated(error: Refused, model: str) -> AppError:
    if error.status == 404:
        return ModelMissing(model=model)
    reason = " ".join(error.reason.split())[:_MAX_REASON]
    log.warning("model_failed", model=model, status=error.status)
    if "memory" in reason.lower():
        return ModelOutOfMemory(model=model)
    return ModelFailed(model=model, reason=reason)


async def _carry_correlation(request: httpx.Request) -> None:
    if current := correlation_id.get():
        request.headers["X-Correlation-ID"] = current
