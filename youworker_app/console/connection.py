"""The way to the installation: the running server's socket, or, when none runs, the installation opened by the command.

Both answer the same application over the same kind of socket, so that a command cannot tell them apart.
"""

import asyncio
import os
import pwd
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final, TypeAlias

import httpx

from youworker_app.console.problems import Problem
from youworker_app.core.local_socket import SERVER_SOCKET, reachable
from youworker_app.core.ownership import DataFolder, FolderInUse
from youworker_app.core.settings import Settings

# Opens the installation under its lock and yields the path of a socket that answers for it.
OpenAlone: TypeAlias = Callable[[Settings], AbstractAsyncContextManager[Path]]

# What the address says is never looked up; the socket is the place.
_BASE_URL: Final = "http://localhost"
_TIMEOUTS: Final = httpx.Timeout(120, connect=5)
_LOOK_AGAIN_S: Final = 0.1
PATIENCE_S: Final = 15.0


@asynccontextmanager
async def connected(
    settings: Settings, open_alone: OpenAlone, *, patience_s: float = PATIENCE_S
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the installation. Raises Problem, and ConfigurationError where a start would."""
    folder = settings.storage.data_dir
    if await _is_served(folder / SERVER_SOCKET, patience_s):
        async with _client(folder / SERVER_SOCKET) as client:
            yield client
        return
    _require_own(folder)
    async with open_alone(settings) as path, _client(path) as client:
        yield client


async def _is_served(path: Path, patience_s: float) -> bool:
    """Whether a server answers there; False when nothing runs on the folder. One that starts or stops is waited for."""
    until = asyncio.get_running_loop().time() + patience_s
    while not await _answers(path):
        if _is_free(path.parent):
            return False
        if asyncio.get_running_loop().time() > until:
            raise Problem(
                f"Something runs on the data folder {path.parent} and does not answer: a server that is starting or "
                "stopping, or another command at work. Try again in a moment."
            )
        await asyncio.sleep(_LOOK_AGAIN_S)
    return True


async def _answers(path: Path) -> bool:
    try:
        with reachable(path) as address:
            _, writer = await asyncio.open_unix_connection(address)
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    except PermissionError:
        raise Problem(
            f"The server's socket {path} is not for you. Run the command as the user that runs YouWorker."
        ) from None
    except OSError as error:
        raise Problem(f"The server's socket {path} cannot be used ({error.strerror}).") from None
    writer.close()
    return True


def _is_free(folder: Path) -> bool:
    """Whether nobody owns the folder. Raises Problem where there was never an installation."""
    if not (folder / DataFolder.LOCK).exists():
        raise Problem(
            f"There is no YouWorker in {folder.absolute()}. Start the server once, or set YOUWORKER_STORAGE_DATA_DIR."
        )
    try:
        DataFolder(folder).own().release()
    except FolderInUse:
        return False
    return True


def _require_own(folder: Path) -> None:
    """Files made by another user, root above all, would lock the server out of its own folder. Raises Problem."""
    owner = folder.stat().st_uid
    if owner == os.geteuid():
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = f"number {owner}"
    raise Problem(f"The data folder {folder} belongs to user {name}. Run the command as that user.")


@asynccontextmanager
async def _client(path: Path) -> AsyncIterator[httpx.AsyncClient]:
    with reachable(path) as address:
        transport = httpx.AsyncHTTPTransport(uds=address)
        async with httpx.AsyncClient(transport=transport, base_url=_BASE_URL, timeout=_TIMEOUTS) as client:
            yield client
