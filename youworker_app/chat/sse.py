"""A run's events as server-sent events. A reader that goes away ends its reading, never the run.

Cheap on purpose: one orjson call an event, no model validation, nothing buffered. Owns the wire form, the heartbeat and
the last word of a server that stops: `bye`, after which a reader asks again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from youworker_app.chat.schemas import RunEvent
from youworker_app.core.errors import AppError
from youworker_app.core.stopping import COME_AGAIN_SECONDS, Stopping

HEARTBEAT_SECONDS = 15.0
# A run that the reader may not see is told by the first event; one that is thinking may have none for long.
FIRST_EVENT_SECONDS = 1.0
_OPENING = b"retry: 1000\n\n"
_HEARTBEAT = b": \n\n"
_BYE = b"retry: %d\nevent: bye\ndata: %s\n\n" % (
    COME_AGAIN_SECONDS * 1_000,
    orjson.dumps({"reason": "restart", "retry_after_s": COME_AGAIN_SECONDS}),
)
_HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}


def frame(event: RunEvent) -> bytes:
    """One event on the wire."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.id, event.name.encode(), orjson.dumps(event.data))


def error_frame(error: AppError) -> bytes:
    """An error that is no event of the run, so it has no number."""
    body = {"code": error.code, "message": error.message, "details": error.details}
    return b"event: error\ndata: %s\n\n" % orjson.dumps(body)


async def event_stream(
    events: AsyncIterator[Sequence[RunEvent]],
    stopping: Stopping,
    *,
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
) -> Response:
    """The response that streams `events`; 204 when there are none left, which stops an EventSource from asking again.

    While the server is `stopping` the stream ends with `bye`. Raises what the first events raise, so that a stranger gets
    an ordinary error.
    """
    first = asyncio.ensure_future(anext(events))
    try:
        await asyncio.wait({first}, timeout=FIRST_EVENT_SECONDS)
    except asyncio.CancelledError:
        first.cancel()
        raise
    if first.done() and (error := first.exception()) is not None:
        if isinstance(error, StopAsyncIteration):
            return Response(status_code=204)
        raise error
    return EventStreamResponse(events, first, heartbeat_seconds, stopping)


class EventStreamResponse(Response):
    """Streams the events after `first`, and lets go of them whichever way it ends.

    Three tasks for a stream, none for an event: this request's own bridges silence, one writes, one hears the reader go.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        events: AsyncIterator[Sequence[RunEvent]],
        first: asyncio.Future[Sequence[RunEvent]],
        heartbeat_seconds: float,
        stopping: Stopping,
    ) -> None:
        self._events, self._first, self._heartbeat_seconds = events, first, heartbeat_seconds
        self._stopping = stopping
        self._sending = asyncio.Lock()  # of the two that write
        self._sent_at = 0.0
        self._is_waiting = False
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        writing = asyncio.ensure_future(self._write(send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            with self._stopping.holding(lambda: self._let_go(writing)):
                await self._bridge_silence(writing, leaving, send)
            if writing.done():
                await self._finish(writing, send)
        finally:
            for task in (writing, leaving, self._first):
                task.cancel()
            await asyncio.gather(writing, leaving, self._first, return_exceptions=True)
            await _close(self._events)

    async def _bridge_silence(
        self, writing: asyncio.Future[None], leaving: asyncio.Future[None], send: Send
    ) -> None:
        """Until all is written, or the reader has gone."""
        clock = asyncio.get_running_loop().time
        silent_since = self._sent_at = clock()
        while not writing.done() and not leaving.done():
            rest = max(silent_since, self._sent_at) + self._heartbeat_seconds - clock()
            if rest > 0:
                await asyncio.wait({writing, leaving}, timeout=rest, return_when=asyncio.FIRST_COMPLETED)
            elif self._sending.locked():  # a reader that is behind hears enough
                silent_since = clock()
            else:
                await self._send(send, _HEARTBEAT)

    async def _write(self, send: Send) -> None:
        lead = _OPENING
        if not self._first.done():
            await self._send(send, lead)
            lead = b""
        pulled: Awaitable[Sequence[RunEvent]] = self._first
        while not self._stopping.is_cut:
            try:
                batch = await self._wait_for(pulled)
            except StopAsyncIteration:
                return
            except AppError as error:
                await self._send(send, lead + error_frame(error))
                return
            await self._send(send, lead + b"".join(map(frame, batch)))
            lead, pulled = b"", anext(self._events)

    async def _wait_for(self, pulled: Awaitable[Sequence[RunEvent]]) -> Sequence[RunEvent]:
        self._is_waiting = True
        try:
            return await pulled
        finally:
            self._is_waiting = False

    def _let_go(self, writing: asyncio.Future[None]) -> None:
        """What is being sent arrives; what is waited for does not come any more."""
        if self._is_waiting:
            writing.cancel()

    async def _finish(self, writing: asyncio.Future[None], send: Send) -> None:
        try:
            writing.result()
        except asyncio.CancelledError:
            if not self._stopping.is_cut:
                raise
        if self._stopping.has_begun:
            await self._send(send, _BYE)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send, body: bytes) -> None:
        async with self._sending:
            await send({"type": "http.response.body", "body": body, "more_body": True})
            self._sent_at = asyncio.get_running_loop().time()


async def _left(receive: Receive) -> None:
    """Returns when the reader has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _close(events: Any) -> None:
    if (close := getattr(events, "aclose", None)) is not None:
        await close()
