"""The launcher over the built front end, without a browser: start, headers, what is closed, stop.

Needs a built front end (`make build`; `make test` does that).
"""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Answer:
    """What a request brought back; header names in lower case."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Launched:
    """A running server; `seconds` is how long it took to answer."""

    process: subprocess.Popen[str]
    port: int
    seconds: float

    def get(self, path: str, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={n.replace("_", "-"): v for n, v in headers.items()})
            found = connection.getresponse()
            with found:
                text = "" if found.status == 101 else found.read().decode("utf-8", "replace")
                return Answer(found.status, {n.lower(): v for n, v in found.getheaders()}, text)


def launch(data_dir: Path) -> Launched:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = {"YOUWORKER_SERVER_PORT": str(port), "YOUWORKER_STORAGE_DATA_DIR": str(data_dir)}
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "youworker_app.serve"],
        cwd=ROOT,
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    launched = Launched(process, port, 0)
    while process.poll() is None and time.monotonic() - began < 60:
        try:
            launched.get("/")
        except ConnectionError:
            time.sleep(0.02)
            continue
        launched.seconds = time.monotonic() - began
        return launched
    process.kill()
    raise AssertionError(process.communicate()[0])


def stop(launched: Launched, by: signal.Signals = signal.SIGTERM) -> str:
    launched.process.send_signal(by)
    return launched.process.communicate(timeout=30)[0]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def server(data_dir: Path) -> Iterator[Launched]:
    launched = launch(data_dir)
    yield launched
    stop(launched)


def test_the_page_is_served_with_a_policy_for_its_own_scripts(server: Launched) -> None:
    page = server.get("/")
    assert page.status == 200
    policy = page.headers["content-security-policy"]
    assert "script-src 'self' 'sha256-" in policy
    assert "unsafe-eval" not in policy
    assert page.headers["cache-control"] == "no-cache"


def test_assets_are_compressed_and_kept(server: Launched) -> None:
    text = server.get("/").text
    asset = text.partition('href="/assets/entry.client-')[2].partition('"')[0]
    found = server.get(f"/assets/entry.client-{asset}", accept_encoding="gzip, br")
    assert found.status == 200
    assert found.headers["content-encoding"] == "br"
    assert found.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_one_build_serves_any_address(server: Launched) -> None:
    built = (ROOT / ".web" / "build" / "client").rglob("*.js")
    assert not [path.name for path in built if b"origin.invalid" in path.read_bytes()]


@pytest.mark.parametrize("path", ["/_upload/x", "/ping", "/_health", "/_all_routes", "/auth-codespace"])
def test_what_reflex_adds_is_closed(server: Launched, path: str) -> None:
    assert server.get(path).status == 404


def test_another_host_is_refused(server: Launched) -> None:
    assert server.get("/", host="evil.example").status == 400


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_a_foreign_websocket_is_refused(server: Launched, origin: str) -> None:
    assert shake_hands(server, origin).status == 403


def test_the_own_websocket_is_accepted(server: Launched) -> None:
    assert shake_hands(server, f"http://127.0.0.1:{server.port}").status == 101


def test_nothing_is_shared_with_other_origins(server: Launched) -> None:
    assert "access-control-allow-origin" not in server.get("/", origin="http://evil.example").headers


def shake_hands(server: Launched, origin: str) -> Answer:
    return server.get(
        "/_event/?EIO=4&transport=websocket&token=t",
        origin=origin,
        connection="Upgrade",
        upgrade="websocket",
        sec_websocket_version="13",
        sec_websocket_key="dGhlIHNhbXBsZSBub25jZQ==",
    )


def test_a_taken_port_is_told_in_a_sentence(server: Launched, data_dir: Path) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "youworker_app.serve"],
        cwd=ROOT,
        env=os.environ
        | {"YOUWORKER_SERVER_PORT": str(server.port), "YOUWORKER_STORAGE_DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode == 1
    assert f"port {server.port}" in second.stderr
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_again_stops_cleanly_and_logs_no_token(tmp_path: Path, by: signal.Signals) -> None:
    stop(launch(tmp_path))
    launched = launch(tmp_path)
    assert shake_hands(launched, f"http://127.0.0.1:{launched.port}").status == 101
    output = stop(launched, by)
    assert launched.process.returncode == 0, output
    assert "Traceback" not in output
    assert "token=" not in output.replace("/setup?token=", "")
