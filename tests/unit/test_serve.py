"""What the launcher refuses, and how it says so."""

import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from youworker_app.core.own_address import own_address
from youworker_app.core.settings import ServerSettings
from youworker_app.serve import (
    CannotStart,
    allow_files,
    ask_settings,
    leave_out,
    read_settings,
    require_free_port,
    require_front_end,
)

ROOT = Path(__file__).resolve().parents[2]


def test_a_used_port_is_told_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with pytest.raises(
            CannotStart, match=rf"port {port} \(Address already in use\).*YOUWORKER_SERVER_PORT"
        ):
            require_free_port("127.0.0.1", port)


def test_a_free_port_is_left_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    require_free_port("127.0.0.1", port)
    socket.create_server(("127.0.0.1", port)).close()


def test_an_address_that_is_not_this_machines_is_told() -> None:
    with pytest.raises(CannotStart, match=r"cannot listen on 192\.0\.2\.1 port 8000"):
        require_free_port("192.0.2.1", 8000)


def test_a_missing_front_end_is_told(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="make build"):
        require_front_end(tmp_path / "index.html")
    (tmp_path / "index.html").touch()
    require_front_end(tmp_path / "index.html")


def test_a_wrong_setting_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("YOUWORKER_SERVER_PORT", "s3cret")
    with pytest.raises(CannotStart, match="YOUWORKER_SERVER_PORT: ") as told:
        read_settings()
    assert "s3cret" not in str(told.value)


def test_settings_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("YOUWORKER_SERVER_PORT", "8123")
    assert read_settings().port == 8123


def in_a_process(script: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    return done.stdout.strip() + done.stderr.strip()


def test_the_supervisor_knows_the_settings_and_does_not_hold_what_reads_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("YOUWORKER_SERVER_PORT", "8123")
    script = (
        "import sys; from youworker_app.serve import ask_settings; "
        "print(ask_settings()().port, sorted({'pydantic', 'sqlalchemy', 'reflex'} & sys.modules.keys()))"
    )
    assert in_a_process(script) == "8123 []"


def test_what_the_child_refuses_is_told_by_the_supervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUWORKER_SERVER_PORT", "0")
    script = (
        "from youworker_app import serve\n"
        "try: serve.ask_settings()()\n"
        "except serve.CannotStart as problem: print(problem)"
    )
    assert in_a_process(script).startswith("a setting is wrong. YOUWORKER_SERVER_PORT")


def test_a_child_that_dies_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("youworker_app.serve.read_settings", lambda: sys.exit(3))
    with pytest.raises(CannotStart, match="could not be read"):
        ask_settings()()


def test_what_is_left_out_is_not_installed_for_who_looks_later() -> None:
    leave_out(("a_part_that_nobody_has", "socket"))
    try:
        with pytest.raises(ModuleNotFoundError, match="a_part_that_nobody_has"):
            __import__("a_part_that_nobody_has")
        assert sys.modules["socket"] is socket
    finally:
        del sys.modules["a_part_that_nobody_has"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"host": "0.0.0.0"}, "http://127.0.0.1:8000"),  # noqa: S104
        ({"host": "::"}, "http://127.0.0.1:8000"),
        ({"host": "::1"}, "http://[::1]:8000"),
        ({"host": "box.lan", "port": 81}, "http://box.lan:81"),
        ({"public_origins": ("https://ai.example.it", "http://x.lan")}, "https://ai.example.it"),
    ],
)
def test_the_address_that_is_told(settings: dict[str, object], told: str) -> None:
    assert own_address(ServerSettings.model_validate(settings)) == told


@pytest.fixture
def _files() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[0], resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


@pytest.mark.usefixtures("_files")
def test_open_files_are_allowed_as_far_as_may_be() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    assert allow_files(700) == 700
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (700, hard)
    assert allow_files(600) == 700
    if hard != resource.RLIM_INFINITY:
        assert allow_files(hard + 1) == hard
