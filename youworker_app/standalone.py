"""The installation opened by a command, when no server runs: under the folder's lock, behind a socket that nobody else finds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from youworker_app.core.local_socket import SERVER_SOCKET, LocalSocket
from youworker_app.core.settings import Settings
from youworker_app.core.stopping import Stopping
from youworker_app.core.telemetry import configure_logging
from youworker_app.local import served_locally
from youworker_app.rest import build_local
from youworker_app.wiring import running


@asynccontextmanager
async def opened(settings: Settings, *, opens_index: bool) -> AsyncIterator[Path]:
    """Starts and stops the installation around a command; yields the path of its socket.

    What mends the index finds it as it is: not opened. Raises ConfigurationError.
    """
    configure_logging(level="ERROR")
    stopping = Stopping()
    with TemporaryDirectory(prefix="youworker-") as name:
        folder = Path(name)
        async with (
            running(settings, stopping, opens_index=opens_index),
            served_locally(build_local(stopping), LocalSocket(folder)),
        ):
            yield folder / SERVER_SOCKET
