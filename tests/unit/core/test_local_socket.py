"""The socket in a data folder: its mode, its name, and who may speak on it."""

import os
import socket
import stat
from pathlib import Path

import pytest

from youworker_app.core.local_socket import SERVER_SOCKET, LocalSocket, is_own_user, peer_user, reachable


def connect(path: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with reachable(path) as address:
            client.connect(address)
    except OSError:
        client.close()
        raise
    return client


@pytest.mark.parametrize("deep", [1, 120], ids=["short", "longer than an address"])
def test_it_can_be_reached_however_deep_the_folder_is(tmp_path: Path, deep: int) -> None:
    folder = tmp_path / ("d" * deep)
    folder.mkdir()
    place = LocalSocket(folder)
    with place.open() as listening, connect(folder / SERVER_SOCKET) as client:
        accepted, _ = listening.accept()
        with accepted:
            assert peer_user(accepted) == os.geteuid()
            client.sendall(b"x")
            assert accepted.recv(1) == b"x"
    place.remove()
    assert list(folder.iterdir()) == []


def test_nobody_else_can_open_it_in_a_folder_that_is_open_to_all(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    before = os.umask(0)
    try:
        with LocalSocket(tmp_path).open():
            assert stat.S_IMODE((tmp_path / SERVER_SOCKET).stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_it_is_never_seen_under_its_name_with_another_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the moment when it is bound, its folder is closed to others; when it gets its name, its mode is right."""
    modes: list[int] = []
    really = Path.replace

    def watched(self: Path, target: Path) -> Path:
        modes.extend(stat.S_IMODE(path.stat().st_mode) for path in (self.parent, self))
        return really(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    before = os.umask(0)
    try:
        LocalSocket(tmp_path).open().close()
    finally:
        os.umask(before)
    assert modes == [0o700, 0o600]


def test_what_a_killed_process_left_is_replaced(tmp_path: Path) -> None:
    LocalSocket(tmp_path).open().close()
    (tmp_path / f".{SERVER_SOCKET}").mkdir()
    (tmp_path / f".{SERVER_SOCKET}" / "s").touch()
    with pytest.raises(ConnectionRefusedError):
        connect(tmp_path / SERVER_SOCKET)
    with LocalSocket(tmp_path).open(), connect(tmp_path / SERVER_SOCKET):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [SERVER_SOCKET]


def test_only_its_own_user_and_root_may_speak() -> None:
    own = os.geteuid()
    assert [is_own_user(user) for user in (own, 0, own + 1)] == [True, True, False]
