"""What the socket in the data folder answers beside /v1: maintenance, which no TCP port knows.

Who reaches the socket owns the installation's files, so that nobody is asked for a name here; in exchange these routes tell
counts and ids, never anybody's content. Long work answers as it goes, in JSON lines.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from youworker_app.api.app import bare_app
from youworker_app.core.errors import AppError, DependencyAway

MAINTENANCE: Final = "/maintenance"
STOPPING: Final = "stopping"  # the name of the asyncio.Event in a request's state

# Each with its reason; a test fails on any other.
LOCAL_ONLY: Final[Mapping[str, str]] = {
    "POST /maintenance/audit/retire": "takes old events away behind their seal; tells how many",
    "POST /maintenance/audit/verify": "looks whether the trail is as it was written; tells counts, a block and an id",
    "POST /maintenance/master-key/rotate": "wraps data keys under a new master key; tells counts, never a key",
    "POST /maintenance/vectors/check": "compares and repairs the index; tells counts and ids of documents",
    "POST /maintenance/vectors/reindex": "rebuilds the index from the database; tells how far it has come",
}


class CommandCutOff(DependencyAway):
    code = "COMMAND_CUT_OFF"
    template = "The server is stopping. What was done so far is kept; run the command again."


class LocalApplication:
    """/v1 as everybody has it, with the rights of who signs in, and /maintenance. Nothing else."""

    def __init__(self, rest: ASGIApp, maintenance: ASGIApp) -> None:
        self._rest, self._maintenance = rest, maintenance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_rest = scope["type"] == "http" and scope["path"].split("/", 2)[1:2] == ["v1"]
        await (self._rest if is_rest else self._maintenance)(scope, receive, send)


def create_maintenance(routers: Iterable[APIRouter]) -> FastAPI:
    """The application of the socket alone."""
    app = bare_app(openapi_url=None)
    for router in routers:
        app.include_router(router, prefix=MAINTENANCE)
    return app


def in_lines(request: Request, work: AsyncGenerator[Mapping[str, Any], None]) -> StreamingResponse:
    """What `work` yields, a JSON line each; an error, or the server's stop, is the last line: `{"error": {…}}`."""
    stopping: asyncio.Event = getattr(request.state, STOPPING)
    return StreamingResponse(_lines(work, stopping), media_type="application/x-ndjson")


async def _lines(
    work: AsyncGenerator[Mapping[str, Any], None], stopping: asyncio.Event
) -> AsyncIterator[str]:
    try:
        async for each in _until(stopping, work):
            yield _line(each)
    except AppError as error:
        told = {"code": error.code, "message": error.message, "details": error.details}
        yield _line({"error": told})
    finally:
        await work.aclose()


async def _until(
    stopping: asyncio.Event, work: AsyncGenerator[Mapping[str, Any], None]
) -> AsyncIterator[Mapping[str, Any]]:
    """Raises CommandCutOff between two steps, or in the middle of one."""
    stopped = asyncio.ensure_future(stopping.wait())
    step: asyncio.Future[Mapping[str, Any] | None] | None = None
    try:
        while True:
            step = asyncio.ensure_future(anext(work, None))
            await asyncio.wait({step, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not step.done():
                raise CommandCutOff
            if (found := step.result()) is None:
                return
            yield found
    finally:
        stopped.cancel()
        if step is not None and not step.done():
            step.cancel()
            with suppress(asyncio.CancelledError):
                await step


def _line(content: Mapping[str, Any]) -> str:
    return json.dumps(content) + "\n"
