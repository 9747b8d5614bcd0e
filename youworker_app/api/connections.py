"""Requests and websockets that are open, as plain ASGI: none is begun while the server stops, none is left at its end.

Knows no domain. What ends by itself while the server waits for it (an answer, an upload) ends as it always does.
"""

import asyncio
from contextlib import suppress
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from youworker_app.api.errors import answer
from youworker_app.core.stopping import ServerStopping, Stopping

_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_SERVICE_RESTART: Final = 1012  # RFC 6455's registry: come again, the server is being restarted
_COME_AGAIN: Final = {"type": "websocket.close", "code": _SERVICE_RESTART, "reason": "restart"}
_LAST_WORDS_SECONDS: Final = 0.5
_MOST_READ: Final = 1024 * 1024


class Connections:
    """Stands inside the outer checks, so that a refusal carries their headers."""

    def __init__(self, app: ASGIApp, stopping: Stopping) -> None:
        self.app, self._stopping = app, stopping
        self._tasks: set[asyncio.Task[Any]] = set()
        self._sockets: dict[asyncio.Task[Any], _Socket] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif self._refuses(scope):
            await _refuse(scope, receive, send)
        else:
            await self._serve(scope, receive, send)

    async def close(self) -> None:
        """Tells every websocket to come again and ends the requests that are still open."""
        for socket in list(self._sockets.values()):
            socket.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_LAST_WORDS_SECONDS)
        for task in self._tasks:
            task.cancel()

    def _refuses(self, scope: Scope) -> bool:
        """Reading goes on to the end; writing and new websockets do not."""
        if self._stopping.is_cut:
            return True
        return self._stopping.has_begun and (scope["type"] == "websocket" or scope["method"] not in _READS)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - the server runs each request in a task of its own
        self._tasks.add(task)
        if scope["type"] == "websocket":
            socket = self._sockets[task] = _Socket(receive, send)
            receive = socket.receive
        try:
            await self.app(scope, receive, send)
        finally:
            self._tasks.discard(task)
            self._sockets.pop(task, None)


class _Socket:
    """A websocket that can be closed from outside.

    The server's own `send` of a close waits for as long as somebody listens, so whoever listens is interrupted and says it.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._listening: asyncio.Timeout | None = None
        self._is_closed = False

    async def receive(self) -> Message:
        try:
            async with asyncio.timeout(0 if self._is_closed else None) as self._listening:
                return await self._receive()
        except TimeoutError:
            await self._send(_COME_AGAIN)
            return {"type": "websocket.disconnect", "code": _SERVICE_RESTART}
        finally:
            self._listening = None

    def close(self) -> None:
        """Whoever listens, or listens next, hears that it is closed."""
        self._is_closed = True
        if self._listening is not None and not self._listening.expired():
            self._listening.reschedule(asyncio.get_running_loop().time())


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await _read_on(receive)
    # On a websocket that is not open yet the same answer goes out as the handshake's.
    await answer(ServerStopping())(scope, receive, send)


async def _read_on(receive: Receive) -> None:
    """A connection that is closed over unread bytes is reset, and the answer lost: what is small is read to its end."""
    left = _MOST_READ
    with suppress(TimeoutError):
        async with asyncio.timeout(_LAST_WORDS_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
