"""What happens around serving: the installation starts before the first request and stops after the last. Plain ASGI.

It stands outside Reflex, so that a start which cannot be ends with one sentence and no traceback. A SIGTERM is taken here
first: while work is brought to an end readers are still served, and only then the server is told to stop.
"""

import asyncio
import gc
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from youworker_app.core.errors import AppError
from youworker_app.core.local_socket import LocalSocket
from youworker_app.core.own_address import own_address
from youworker_app.core.settings import Settings
from youworker_app.core.stopping import Stopping
from youworker_app.core.telemetry import get_logger
from youworker_app.local import served_locally
from youworker_app.serve import say
from youworker_app.wiring import Installation, running

log = get_logger(__name__)

# New objects before the youngest are looked through (700 are soon there), and how many such passes make an older one.
_COLLECT_AFTER = (10_000, 10, 10)


class WithInstallation:
    """Runs the installation for as long as the server lives.

    `local` is what its socket in the data folder answers, `close_connections` ends what is still open at a stop.
    """

    def __init__(
        self,
        app: ASGIApp,
        local: ASGIApp,
        stopping: Stopping,
        close_connections: Callable[[], Awaitable[None]],
    ) -> None:
        self.app, self.local = app, local
        self._stopping, self._close_connections = stopping, close_connections
        self._leaving: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return
        last: list[Message] = []

        async def hold_the_end(message: Message) -> None:
            # The server ends its loop on this message: it goes out only when the installation has stopped.
            if message["type"].startswith("lifespan.shutdown"):
                last.append(message)
            else:
                await send(message)

        async with AsyncExitStack() as stack:
            if not await self._started(stack, send):
                return
            await _listen_locally(stack, self.local)
            settle_memory()
            await self.app(scope, receive, hold_the_end)
            if self._leaving is not None:
                await self._leaving
        for message in last:
            await send(message)

    async def _started(self, stack: AsyncExitStack, send: Send) -> bool:
        """Starts the installation; what an administrator has to change is told in one sentence."""
        settings = Settings()
        try:
            installation, setup_token = await stack.enter_async_context(running(settings, self._stopping))
        except AppError as error:
            await _refuse(send, error.message)
            return False
        except Exception:
            log.exception("start_failed")
            await _refuse(send, "something unexpected happened, see above.")
            return False
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._on_sigterm, installation)
        if setup_token is not None:
            _invite(f"{own_address(settings.server)}/setup?token={setup_token}")
        return True

    def _on_sigterm(self, installation: Installation) -> None:
        """Only the first one counts."""
        if self._leaving is None:
            self._leaving = asyncio.create_task(self._leave(installation))

    async def _leave(self, installation: Installation) -> None:
        """Work first, then connections, then the server, whose own handler is still that of SIGINT."""
        log.info("stopping")
        try:
            await installation.hand_over()
        finally:
            await self._close_connections()
            os.kill(os.getpid(), signal.SIGINT)


def settle_memory() -> None:
    """What is there by now stays for the life of the server: the collector does not look through it again.

    With it a full pass took 0.1 s, in which no answer went on, and a quarter of the processor while answers streamed. It was
    off from the start, see `serve`: hundreds of thousands of objects come with the imports and none of them goes.
    """
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    gc.enable()


async def _listen_locally(stack: AsyncExitStack, local: ASGIApp) -> None:
    """The command line's way in. A file system that knows no sockets costs that, not the start."""
    place = LocalSocket(Settings().storage.data_dir)
    try:
        await stack.enter_async_context(served_locally(local, place))
    except OSError as error:
        log.warning("local_socket_failed", reason=error.strerror)


async def _refuse(send: Send, sentence: str) -> None:
    await send({"type": "lifespan.startup.failed", "message": f"YouWorker cannot start: {sentence}"})


def _invite(link: str) -> None:
    """The one-time link; printed, never logged."""
    say(f"\nThere is no account yet. Make the first one here (the link works once):\n\n    {link}\n")
