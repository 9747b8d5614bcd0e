"""What a request body may be, decided before anything parses it: its size and its type. Plain ASGI.

A route that streams its body itself (uploads) is named when the app is made, and bounds it on its own.
"""

import asyncio
import json
from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from youworker_app.api.errors import answer
from youworker_app.core.errors import AppError, Malformed, NotFound, TooLarge, UnsupportedType

MAX_JSON_BYTES: Final = 1_200_000
MAX_FORM_BYTES: Final = 64_000
FORM: Final = "application/x-www-form-urlencoded"


class BodyTooLarge(TooLarge):
    code, template = "BODY_TOO_LARGE", "A request of this kind can have at most {max_bytes} bytes."


class BodyTooSlow(Malformed):
    code, http_status = "BODY_TOO_SLOW", 408
    template = "The request did not arrive within {seconds} seconds. Send it again."


class BodyLimit:
    """Reads the bodies of /v1 (JSON) and /auth (forms) up to their limit and hands them on whole."""

    def __init__(self, app: ASGIApp, *, streamed: Collection[str], patience_s: float) -> None:
        self.app, self._streamed, self._patience_s = app, frozenset(streamed), patience_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.app
        if scope["type"] == "http" and _is_ours(scope["path"]):
            try:
                _check_address(scope)
                if scope["path"] not in self._streamed:
                    async with asyncio.timeout(self._patience_s):
                        receive = await _bounded(scope, receive)
            except AppError as error:
                app = answer(error)
            except TimeoutError:
                app = answer(BodyTooSlow(seconds=round(self._patience_s)))
        await app(scope, receive, send)


def _is_ours(path: str) -> bool:
    return path.split("/", 2)[1:2] in (["v1"], ["auth"])


def _check_address(scope: Scope) -> None:
    """A NUL is in no id and no word, and not every database can be asked for it."""
    if "\0" in scope["path"]:
        raise NotFound
    if b"%00" in scope["query_string"] or b"\0" in scope["query_string"]:
        raise Malformed(reason="its address holds a NUL character")


async def _bounded(scope: Scope, receive: Receive) -> Receive:
    """The whole body, read. Raises BodyTooLarge as soon as that is clear, UnsupportedType for a body of another type."""
    headers = Headers(scope=scope)
    is_form = scope["path"].startswith("/auth/")
    most = MAX_FORM_BYTES if is_form else MAX_JSON_BYTES
    if _announced(headers) > most:
        raise BodyTooLarge(max_bytes=most)
    body = bytearray()
    message: Message = {"more_body": True}
    while message.get("more_body", False):
        message = await receive()
        if message["type"] != "http.request":
            return _replay(message, receive)
        body += message.get("body", b"")
        if len(body) > most:
            raise BodyTooLarge(max_bytes=most)
    if body:
        _check_type(headers.get("content-type", ""), is_form=is_form)
        _check_characters(body)
    return _replay({"type": "http.request", "body": bytes(body), "more_body": False}, receive)


def _announced(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    # An absurd number is too large; what is no number is left to the server, which refuses it.
    return int(length[:20]) if length.isascii() and length.isdigit() else 0


def _check_type(content_type: str, *, is_form: bool) -> None:
    media_type = content_type.partition(";")[0].strip().lower()
    is_json = media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )
    if not (media_type == FORM if is_form else is_json):
        raise UnsupportedType


def _check_characters(body: bytes | bytearray) -> None:
    r"""JSON can spell half a character (`"\ud800"`), which no database and no answer could hold. Raises Malformed."""
    if b"\\ud" not in body.lower():
        return
    try:
        json.dumps(json.loads(body), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise Malformed(reason="it holds half a character") from error
    except (ValueError, RecursionError):
        # Not JSON at all: the route says so.
        return


def _replay(first: Message, receive: Receive) -> Receive:
    waiting = [first]

    async def replayed() -> Message:
        return waiting.pop() if waiting else await receive()

    return replayed
