"""Readers that never take their answer: it is given up, so that nothing waits for them for ever. Plain ASGI."""

import asyncio
import os
import socket
import stat
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from youworker_app.core.telemetry import get_logger

log = get_logger(__name__)

_GONE: Final[Message] = {"type": "http.disconnect"}
_INTERNET: Final = frozenset({socket.AF_INET, socket.AF_INET6})


class ReaderPatience:
    """Each piece of an answer has to be taken within `seconds`; else the application sees a client that went away."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app, self._seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        reader = _Reader(receive, send, self._seconds)
        await self.app(scope, reader.receive, reader.send)


class _Reader:
    def __init__(self, receive: Receive, send: Send, seconds: float) -> None:
        self._receive, self._send, self._seconds = receive, send, seconds
        self._is_gone = False
        self._listening: set[asyncio.Timeout] = set()

    async def receive(self) -> Message:
        """What the client sends; a disconnect as soon as it was given up."""
        if self._is_gone:
            return _GONE
        listening = asyncio.timeout(None)
        try:
            async with listening:
                self._listening.add(listening)
                return await self._receive()
        except TimeoutError:
            if not listening.expired():
                raise
            return _GONE
        finally:
            self._listening.discard(listening)

    async def send(self, message: Message) -> None:
        """Sends, or gives up."""
        if self._is_gone:
            return
        try:
            async with asyncio.timeout(self._seconds):
                await self._send(message)
        except TimeoutError:
            log.info("reader_given_up")
            self._is_gone = True
            for listening in self._listening:
                if not listening.expired():
                    listening.reschedule(asyncio.get_running_loop().time())


class ConnectionPatience:
    """The same for what the server has written already: the kernel ends a connection whose reader takes nothing.

    The server library opens its listener late and hands out no socket, so it is looked for at the first request; connections
    inherit the option. Linux only.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app, self._seconds = app, seconds
        self._is_set = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._is_set and scope["type"] in {"http", "websocket"}:
            self._is_set = True
            be_patient_for(self._seconds)
        await self.app(scope, receive, send)


def be_patient_for(seconds: float) -> int:
    """Sets the bound on every TCP socket of this process that listens; returns how many there are."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is None:
        return 0
    listeners = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            # Asked first: a copy of what is no socket would stay open, and with it the lock on a folder.
            if not stat.S_ISSOCK(os.stat(int(name)).st_mode):
                continue
            with socket.socket(fileno=os.dup(int(name))) as opened:
                if opened.family in _INTERNET and opened.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    opened.setsockopt(socket.IPPROTO_TCP, option, round(seconds * 1_000))
                    listeners += 1
        except OSError:
            # Closed meanwhile.
            continue
    return listeners
