"""One answer of Ollama's `POST /api/chat`, line by line as it comes.

Owns the wire: the request, the lines, the connection and its end. Sets no time limit and translates no error. Not through
Ollama's own client, which costs three times the processor for each piece (docs/adr/0012).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from youworker_app.gateways.llm.protocol import ChatMessage, Completion, TextDelta

# Of a line, and of what a refusal says: beyond it, it is not Ollama that answers.
_LONGEST = 1_000_000


class Refused(Exception):
    """Ollama said why it does not answer, or does not go on. `status` is 0 where it came in the middle."""

    def __init__(self, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.status = reason, status


class NotOllama(Exception):
    """What came is not what Ollama sends."""


class EndedEarly(Exception):
    """The stream ended without its last line."""


@dataclass(frozen=True)
class Part:
    """One line; `end` is set in the last."""

    delta: TextDelta
    end: Completion | None


class AnswerStream:
    """An answer that is asked for with the first `next_lines`. `close` ends it early, which makes Ollama stop."""

    def __init__(
        self, http: aiohttp.ClientSession, url: str, body: dict[str, object], headers: dict[str, str]
    ) -> None:
        self._http, self._url, self._body, self._headers = http, url, body, headers
        self._response: aiohttp.ClientResponse | None = None
        self._rest = b""

    async def next_lines(self) -> Sequence[bytes]:
        """The lines that have come, one or more, each for `parsed`.

        Raises Refused, NotOllama, EndedEarly and aiohttp's own errors.
        """
        if self._response is None:
            self._response = await self._ask()
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

    async def _ask(self) -> aiohttp.ClientResponse:
        response = await self._http.post(
            self._url, data=orjson.dumps(self._body), headers=self._headers, allow_redirects=False
        )
        if 200 <= response.status < 300:
            return response
        try:
            raise Refused(_reason(await response.content.read(_LONGEST)), response.status)
        finally:
            response.close()


def chat_body(
    model: str, messages: Sequence[ChatMessage], options: dict[str, float | None]
) -> dict[str, object]:
    """The request; options that are None are left to Ollama."""
    return {
        "model": _sendable(model),
        "stream": True,
        "options": {name: value for name, value in options.items() if value is not None},
        "messages": [{"role": each.role, "content": _sendable(each.content)} for each in messages],
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


def _reason(body: bytes) -> str:
    try:
        return str(orjson.loads(body)["error"])
    except (ValueError, TypeError, LookupError):
        return body.decode(errors="replace")


def _sendable(text: str) -> str:
    """Half a surrogate pair cannot be sent as JSON in UTF-8."""
    return text.encode(errors="replace").decode()
