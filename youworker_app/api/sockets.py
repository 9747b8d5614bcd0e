"""What a websocket may take: a place, so many messages a second, so large ones, and not for ever. Plain ASGI.

Nothing is read from a socket whose own reader is behind, so what waits to be sent is bounded; engine.io's queue is not.
"""

import asyncio
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from youworker_app.access.actor import Actor
from youworker_app.access.credentials import Authentication, Carrier, Credential
from youworker_app.api.cookies import SESSION_COOKIE
from youworker_app.api.middleware import refuse
from youworker_app.core.endings import Endings
from youworker_app.core.errors import AppError, TooManyRequests
from youworker_app.core.registry import service
from youworker_app.core.settings import ServerSettings
from youworker_app.core.telemetry import get_logger

log = get_logger(__name__)

MAX_MESSAGE_BYTES: Final = 1_000_000  # as Reflex has it
# Who is faster is read from more slowly.
MESSAGES_PER_SECOND: Final = 50
MESSAGES_AT_ONCE: Final = 200
# Who stays faster than this is cut: no page does so, and what has piled up would be worked through for minutes.
MESSAGES_PER_SECOND_FOR_LONG: Final = 10
MESSAGES_FOR_LONG: Final = 300
OPENING_SECONDS: Final = 10.0
_PONG: Final = "3"  # engine.io's answer to a ping: no sign of a person
_KINDS: Final = frozenset("0123456")  # of engine.io's packets; its parser breaks on anything else


class TooManySockets(TooManyRequests):
    code = "TOO_MANY_SOCKETS"
    template = "Too many pages are open. Close some, or wait {retry_after_s} seconds and reload."


@dataclass(frozen=True)
class Holder:
    """Whose socket it is: a person's login session, or an address that nobody has signed in from."""

    name: str
    is_signed_in: bool
    actor: Actor | None = field(default=None, compare=False)


class Places:
    """How many sockets there are, and whose. Those of nobody never take more than half of all places."""

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._held: Counter[Holder] = Counter()

    def take(self, holder: Holder) -> bool:
        """Takes a place; False when there is none for this holder."""
        own = self._settings.max_sockets_per_session
        most = self._settings.max_sockets if holder.is_signed_in else self._settings.max_sockets // 2
        alike = (n for who, n in self._held.items() if holder.is_signed_in or not who.is_signed_in)
        if self._held[holder] >= own or sum(alike) >= most:
            return False
        self._held[holder] += 1
        return True

    def give_back(self, holder: Holder) -> None:
        """The socket is closed."""
        self._held[holder] -= 1
        if self._held[holder] <= 0:
            del self._held[holder]


class SocketGuard:
    """Stands around whatever answers websockets."""

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self.app, self._settings = app, settings
        self._places = Places(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        holder = await holder_of(scope)
        if not self._places.take(holder):
            await refuse(TooManySockets(retry_after_s=60), scope, receive, send)
            return
        guarded = GuardedSocket(receive, send, self._settings, is_signed_in=holder.is_signed_in)
        try:
            with _held(holder, guarded):
                await self.app(scope, guarded.receive, guarded.send)
        except OSError:
            if not guarded.is_cut:
                raise
        finally:
            self._places.give_back(holder)


async def holder_of(scope: Scope) -> Holder:
    """Whose socket it is. A cookie counts for what it is worth: made-up ones are nobody's."""
    secret = cookie_parser(Headers(scope=scope).get("cookie", "")).get(SESSION_COOKIE, "")
    if secret:
        try:
            actor = await service(Authentication).authenticate(Credential(Carrier.COOKIE, secret))
        except AppError:
            pass
        else:
            return Holder(actor.credential_id or actor.user_id, is_signed_in=True, actor=actor)
    return Holder((scope.get("client") or ("",))[0], is_signed_in=False)


def _held(holder: Holder, socket: "GuardedSocket") -> AbstractContextManager[None]:
    """Who has to go takes their sockets along. The page comes again at once, and finds who it is then."""
    if holder.actor is None:
        return nullcontext()
    names = frozenset({holder.actor.user_id, holder.actor.credential_id})
    return service(Endings).holding(names, socket.end, since=holder.actor.entered_at)


class GuardedSocket:
    """`receive` and `send` of one socket; once it is cut, the application sees a client that went away."""

    def __init__(self, receive: Receive, send: Send, settings: ServerSettings, *, is_signed_in: bool) -> None:
        self._receive, self._send, self._settings = receive, send, settings
        self._idle_seconds = None if is_signed_in else settings.socket_idle_s
        self._pace = Allowance(MESSAGES_PER_SECOND, MESSAGES_AT_ONCE)
        self._stamina = Allowance(MESSAGES_PER_SECOND_FOR_LONG, MESSAGES_FOR_LONG)
        self._sending = asyncio.Lock()
        self.is_cut = self._is_deaf = False
        self._waiting: asyncio.Timeout | None = None
        self._deadline: float | None = asyncio.get_running_loop().time() + OPENING_SECONDS

    async def receive(self) -> Message:
        """The next message, not before the last answer has left."""
        async with self._sending:
            pass
        await asyncio.sleep(self._pace.take())
        if self.is_cut:
            return _GONE
        if self._stamina.take():
            return self._cut_off("too_many_messages")
        try:
            async with asyncio.timeout_at(self._deadline) as self._waiting:
                message = await self._receive()
        except TimeoutError:
            self._waiting = None  # it is over, and cannot be set anew
            return _GONE if self.is_cut else self._cut_off("idle")
        finally:
            self._waiting = None
        if message["type"] != "websocket.receive":
            return message
        if _size(message) > MAX_MESSAGE_BYTES:
            return self._cut_off("message_too_large")
        text: str = message.get("text") or ""
        if text[:1] not in _KINDS:
            return self._cut_off("not_a_packet")
        if text != _PONG:
            self._be_patient()
        return message

    async def send(self, message: Message) -> None:
        """Sends; raises OSError when the reader does not take it in time."""
        async with self._sending:
            if self._is_deaf or (self.is_cut and message["type"] != "websocket.close"):
                raise OSError
            has_left = False
            try:
                async with asyncio.timeout(self._settings.reader_patience_s):
                    await self._send(message)
                has_left = True
            except TimeoutError:
                raise OSError from None
            finally:
                if not has_left:
                    self._is_deaf = True
                    self._cut_off("takes_nothing")

    def end(self) -> None:
        """Whose it is has to go: nothing is read from it or sent to it any more."""
        if not self.is_cut:
            self._cut_off("ended")

    def _be_patient(self) -> None:
        idle = self._idle_seconds
        self._deadline = None if idle is None else asyncio.get_running_loop().time() + idle

    def _cut_off(self, why: str) -> Message:
        log.info("socket_cut", reason=why)
        self.is_cut = True
        if self._waiting is not None:
            self._waiting.reschedule(asyncio.get_running_loop().time())
        return _GONE


class Allowance:
    """So many a second on average, more at once now and then."""

    def __init__(self, per_second: float, at_once: int) -> None:
        self._per_second, self._at_once = per_second, at_once
        self._left = float(at_once)
        self._at = asyncio.get_running_loop().time()

    def take(self) -> float:
        """Takes one; returns for how many seconds it comes too early."""
        now = asyncio.get_running_loop().time()
        self._left = min(self._at_once, self._left + (now - self._at) * self._per_second) - 1
        self._at = now
        return max(0.0, -self._left) / self._per_second


_GONE: Final[Message] = {"type": "websocket.disconnect", "code": 1008}


def _size(message: Message) -> int:
    text: str | None = message.get("text")
    return (
        len(text.encode("utf-8", "surrogatepass")) if text is not None else len(message.get("bytes") or b"")
    )
