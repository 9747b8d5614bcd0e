"""Serves the socket in the data folder, from the event loop of the process that owns the installation."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from youworker_app.api.local import STOPPING
from youworker_app.core.local_socket import LocalSocket, is_own_user, peer_user
from youworker_app.core.telemetry import get_logger

log = get_logger(__name__)

# An upload under way may end, and who follows some work is told; a command that hangs does not hold up a stop.
_LAST_SECONDS: Final = 2


class OwnProgramsOnly(H11Protocol):
    """Hangs up on a program of another user before a byte is read."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not is_own_user(peer_user(transport.get_extra_info("socket"))):
            log.warning("local_stranger_refused")
            transport.abort()


@asynccontextmanager
async def served_locally(app: ASGIApp, place: LocalSocket) -> AsyncIterator[None]:
    """Answers on the socket until the context is left; whoever still listens then is told. Raises OSError."""
    listening = place.open()
    stopping = asyncio.Event()
    config = uvicorn.Config(
        app,
        http=OwnProgramsOnly,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=_LAST_SECONDS,
    )
    config.load()
    # Its `serve` would take over the signals and wake up ten times a second.
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    server.lifespan.state[STOPPING] = stopping
    await server.startup(sockets=[listening])
    try:
        yield
    finally:
        place.remove()
        stopping.set()
        await server.shutdown(sockets=[listening])
