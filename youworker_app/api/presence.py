"""A request knows who asks: it ends when they have to go, and tells a key that runs out soon. Plain ASGI around the routes.

`entered` is called once it is known who asks. What is decided elsewhere (who has to go, when a key ends) is only carried out.
"""

import asyncio
from contextlib import ExitStack
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from youworker_app.access.actor import Actor
from youworker_app.access.credentials import KEY_WARNING
from youworker_app.api.errors import answer
from youworker_app.core.clock import now
from youworker_app.core.endings import Endings, begin_deciding, end_deciding
from youworker_app.core.errors import Unauthenticated
from youworker_app.core.registry import service

EXPIRY_HEADER: Final = "X-API-Key-Expiry-Warning"
_PLACE: Final = "youworker.presence"


class Presence:
    """Stands around an application whose routes ask who is there."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        visit = scope[_PLACE] = _Visit(send)
        token = begin_deciding(visit)
        try:
            async with asyncio.timeout(None) as visit.timeout:
                await self.app(scope, receive, visit.send)
        except TimeoutError:
            if not visit.is_over:
                raise
            await visit.finish(scope, receive)
        finally:
            visit.close()
            end_deciding(token)


def entered(scope: Scope, actor: Actor) -> None:
    """It is known who asks."""
    visit: _Visit | None = scope.get(_PLACE)
    if visit is not None:
        visit.enter(actor)


class _Visit:
    """One request."""

    def __init__(self, send: Send) -> None:
        self._send, self._holds = send, ExitStack()
        self._warning = ""
        self._has_started = self.is_over = False
        self.timeout: asyncio.Timeout | None = None

    def enter(self, actor: Actor) -> None:
        """Holds the request for who asks."""
        if actor.key_expires_at is not None and actor.key_expires_at - now() <= KEY_WARNING:
            self._warning = actor.key_expires_at.isoformat(timespec="seconds")
        names = frozenset({actor.user_id, actor.credential_id}) - {""}
        holding = service(Endings).holding(names, self._let_go, since=actor.entered_at, owner=self)
        self._holds.enter_context(holding)

    async def send(self, message: Message) -> None:
        """To the client; the answer's head carries the warning."""
        if message["type"] == "http.response.start":
            self._has_started = True
            if self._warning:
                MutableHeaders(scope=message)[EXPIRY_HEADER] = self._warning
        await self._send(message)

    async def finish(self, scope: Scope, receive: Receive) -> None:
        """401 where nothing was answered yet, else the answer breaks off here."""
        if self._has_started:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        else:
            await answer(Unauthenticated())(scope, receive, self._send)

    def close(self) -> None:
        """Nothing is held any more."""
        self._holds.close()

    def _let_go(self) -> None:
        self.is_over = True
        if self.timeout is not None and not self.timeout.expired():
            self.timeout.reschedule(asyncio.get_running_loop().time())
