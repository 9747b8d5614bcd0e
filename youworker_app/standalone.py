"""The installation opened by a command, when no server runs: under the folder's lock, behind a socket that nobody else finds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from youworker_app.core.local_socket import SERVER_SOCKET, LocalSocket
from youworker_app.core.settings import Settings
from youworker_app.core.telemetry import configure_logging
from youworker_app.local import served_locally
from youworker_app.rest import build_local
from youworker_app.wiring import compose, running


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Path]:
    """Starts and stops the installation around a command; yields the path of its socket. Raises ConfigurationError."""
    configure_logging(level="ERROR")
    with TemporaryDirectory(prefix="youworker-") as name:
        folder = Path(name)
        async with running(settings), served_locally(build_local(), LocalSocket(folder)):
            yield folder / SERVER_SOCKET


async def reindexed(settings: Settings) -> int:
    """Empties the index. Returns how many documents the next start will put in again."""
    configure_logging(level="WARNING")
    installation = compose(settings)
    try:
        await installation.migrate()
        total = 0
        async for progress in installation.maintenance.reindex():
            total = progress.documents_total
        return total
    finally:
        await installation.close()
