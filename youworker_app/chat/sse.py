"""A run's events as server-sent events. A reader that goes away ends its reading, never the run.

Cheap on purpose: one orjson call an event, no model validation, nothing buffered. Owns the wire form, the heartbeat and
the last word of a server that stops: `bye`, after which a reader asks again.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
from starlette.responses import Response, StreamingResponse
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
    events: AsyncIterator[RunEvent], stopping: Stopping, *, heartbeat_seconds: float = HEARTBEAT_SECONDS
) -> Response:
    """The response that streams `events`; 204 when there are none left, which stops an EventSource from asking again.

    While the server is `stopping` the stream ends with `bye`. Raises what the first event raises, so that a stranger gets
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


class EventStreamResponse(StreamingResponse):
    """Streams the events after `first`, and lets go of them whichever way it ends."""

    def __init__(
        self,
        events: AsyncIterator[RunEvent],
        first: asyncio.Future[RunEvent],
        heartbeat_seconds: float,
        stopping: Stopping,
    ) -> None:
        self._events, self._next, self._heartbeat_seconds = events, first, heartbeat_seconds
        self._stopping = stopping
        super().__init__(self._frames(), headers=_HEADERS, media_type="text/event-stream")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with self._stopping.holding(self._let_go):
                await super().__call__(scope, receive, send)
        finally:
            self._next.cancel()
            await asyncio.wait({self._next})
            await _close(self._events)

    def _let_go(self) -> None:
        self._next.cancel()

    async def _frames(self) -> AsyncIterator[bytes]:
        async for each in self._all():
            yield each
        if self._stopping.has_begun:
            yield _BYE

    async def _all(self) -> AsyncIterator[bytes]:
        yield _OPENING
        while True:
            done, _ = await asyncio.wait({self._next}, timeout=self._heartbeat_seconds)
            if not done:
                yield _HEARTBEAT
                continue
            try:
                event = self._next.result()
            except StopAsyncIteration:
                return
            except asyncio.CancelledError:
                if not self._stopping.is_cut:
                    raise
                return
            except AppError as error:
                yield error_frame(error)
                return
            self._next = asyncio.ensure_future(anext(self._events))
            yield frame(event)


async def _close(events: Any) -> None:
    if (close := getattr(events, "aclose", None)) is not None:
        await close()
