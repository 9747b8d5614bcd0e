"""The unix socket in a data folder: how it comes to be, how it is reached, and whose programs may speak on it.

Who owns the folder's lock owns the socket, so that one that is there at a start is what a killed process left. Holds no
protocol: who serves and who asks bring their own. Linux.
"""

import os
import shutil
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SERVER_SOCKET: Final = "youworker.sock"
_MOST_PATH_BYTES: Final = 107  # sockaddr_un of Linux has 108 with the final NUL
_BACKLOG: Final = 128
_PEER: Final = struct.Struct("3i")  # struct ucred: process, user, group
_ROOT_USER: Final = 0


class LocalSocket:
    """A listening socket under `name` in a folder, from `open` to `remove`."""

    def __init__(self, folder: Path, name: str = SERVER_SOCKET) -> None:
        self._folder, self._name = folder, name

    def open(self) -> socket.socket:
        """Listens, mode 0600 from the first instant. The caller holds the folder's lock. Raises OSError."""
        # Nobody else can enter the inner folder: what is bound there has its mode before it gets its name.
        inner = self._folder / f".{self._name}"
        shutil.rmtree(inner, ignore_errors=True)
        inner.mkdir(mode=0o700)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with reachable(inner / "s") as path:
                listening.bind(path)
            (inner / "s").chmod(0o600)
            listening.listen(_BACKLOG)
            (inner / "s").replace(self._folder / self._name)
        except OSError:
            listening.close()
            raise
        finally:
            shutil.rmtree(inner, ignore_errors=True)
        return listening

    def remove(self) -> None:
        """Takes the name away: nobody new can come."""
        (self._folder / self._name).unlink(missing_ok=True)


@contextmanager
def reachable(path: Path) -> Iterator[str]:
    """A path to the same place that fits into a socket's address, however deep the folder is. Raises OSError."""
    if len(os.fsencode(path)) <= _MOST_PATH_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def peer_user(connection: socket.socket) -> int:
    """The number of the user whose program is at the other end, as the kernel knows it."""
    _, user, _ = _PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    return int(user)


def is_own_user(user: int) -> bool:
    """Whether this is our own user, or root. The socket's mode says the same: two locks."""
    return user in {os.geteuid(), _ROOT_USER}
