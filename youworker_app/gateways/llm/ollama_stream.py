"""One answer of Ollama's `POST /api/chat`, line by line as it comes.

Owns the request, the lines and the end of an answer. Sets no time limit and translates no error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from youworker_app.gateways.llm.protocol import ChatMessage, Completion, TextDelta
from youworker_app.gateways.ollama_http import NotOllama, OllamaHttp, Refused, sendable

# A line: beyond it, it is not Ollama that answers.
_LONGEST = 1_000_000


class EndedEarly(Exception):
    """The stream ended without its last line."""


@dataclass(frozen=True)
class Part:
    """One line; `end` is set in the last."""

    delta: TextDelta
    end: Completion | None


class AnswerStream:
    """An answer that is asked for with the first `next_lines`. `close` ends it early, which makes Ollama stop."""

    def __init__(self, http: OllamaHttp, body: dict[str, object]) -> None:
        self._http, self._body = http, body
        self._response: aiohttp.ClientResponse | None = None
        self._rest = b""

    async def next_lines(self) -> Sequence[bytes]:
        """The lines that have come, one or more, each for `parsed`.

        Raises Refused, NotOllama, EndedEarly and aiohttp's own errors.
        """
        if self._response is None:
            self._response = await self._http.post("/api/chat", self._body)
        while True:
            came = await self._response.content.readany()
            if not came:
                rest, self._rest = self._rest.strip(), b""
                if not rest:
                    raise EndedEarly
                return [rest]
            *lines, self._rest = (self._rest + came).split(b"\n")
            if len(self._rest) > _LONGEST:
                raise NotOllama
            if whole := [line for line in lines if line.strip()]:
                return whole

    async def read_out(self) -> None:
        """Reads what comes after the last line, nothing but the end: a connection left before it serves no other answer."""
        while self._response is not None and await self._response.content.readany():
            pass

    def close(self) -> None:
        """Closes the connection, unless the answer was read to its end: then the next one has it already."""
        if self._response is not None:
            self._response.close()


def chat_body(
    model: str, messages: Sequence[ChatMessage], options: dict[str, float | None]
) -> dict[str, object]:
    """The request; options that are None are left to Ollama."""
    return {
        "model": sendable(model),
        "stream": True,
        "options": {name: value for name, value in options.items() if value is not None},
        "messages": [{"role": each.role, "content": sendable(each.content)} for each in messages],
    }


def parsed(line: bytes) -> Part:
    """Raises Refused for a line that tells an error, NotOllama."""
    try:
        told = orjson.loads(line)
        if reason := told.get("error"):
            raise Refused(str(reason))
        message = told["message"]
        delta = TextDelta(_text(message.get("content")), _text(message.get("thinking")))
        return Part(delta, _completion(told) if told.get("done") else None)
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise NotOllama from error


def _completion(told: dict[str, Any]) -> Completion:
    return Completion(
        _count(told.get("prompt_eval_count")),
        _count(told.get("eval_count")),
        _text(told.get("done_reason")) or "stop",
    )


def _count(value: Any) -> int | None:
    return None if value is None else int(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError
    return value
