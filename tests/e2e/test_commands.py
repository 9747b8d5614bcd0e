"""Commands as people and scripts call them: beside a running server, without one, and when something comes in between."""

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.product import ROOT, Product
from tests.e2e.test_cli import PASSWORD, Client, wait_for_end, youworker
from youworker_app.core import registry
from youworker_app.core.local_socket import SERVER_SOCKET, LocalSocket, reachable
from youworker_app.core.ownership import DataFolder
from youworker_app.core.settings import Settings
from youworker_app.wiring import compose

pytestmark = pytest.mark.timeout(240)
AS_MARTA = ("--user", "marta", "--password-file")


class Installation:
    """One for the whole module, with two documents in it and their files beside it; its server may run or not."""

    def __init__(self, folder: Path) -> None:
        # Deeper than a socket's address allows.
        self.product = Product(folder / ("d" * 110) / "data").start()
        self.client = Client(self.product)
        self.password = folder / "password"
        self.password.write_text(PASSWORD + "\n")
        self.documents = folder / "documents"
        self.documents.mkdir()
        self._fill()

    def call(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return youworker(self.product, *arguments, **settings)

    def as_marta(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.call(*arguments, *AS_MARTA, str(self.password))

    def _fill(self) -> None:
        (self.documents / "boiler.txt").write_text("The boiler in the cellar is serviced in March.")
        (self.documents / "pump.md").write_text("# Pumps\n\nPump P-77 stands in hall 9.")
        done = self.as_marta("ingest", str(self.documents / "boiler.txt"), str(self.documents / "pump.md"))
        assert done.returncode == 0, done.stderr

    def found(self, question: str) -> list[str]:
        done = self.as_marta("search", question, "--json")
        assert (done.returncode, done.stderr) == (0, "")
        return [passage["filename"] for passage in json.loads(done.stdout)["items"]]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("place"))
    yield made
    made.product.end()


@pytest.fixture
def place(installation: Installation) -> Installation:
    """The installation, with its server running."""
    if not installation.product.is_running():
        installation.product.start()
    return installation


def test_beside_a_server_files_go_in_and_are_found(place: Installation, tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    (tmp_path / "chimney.txt").write_text("The chimney is swept in September.")
    (tmp_path / "deeper" / "gate.md").write_text("# Gates\n\nGate G-12 opens to the yard.")
    (tmp_path / "program.txt").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(64))
    done = place.as_marta("ingest", str(tmp_path), "--recursive", "--tag", "house", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    states = {Path(line["file"]).name: line["state"] for line in lines}
    assert states == {"chimney.txt": "ready", "gate.md": "ready", "program.txt": "failed"}
    assert (done.returncode, done.stderr) == (1, "")
    assert set(place.found("When is the chimney swept?")) >= {"chimney.txt"}
    listed = place.client.call("GET", "/v1/documents?tag=house")["items"]
    assert {each["filename"] for each in listed} == {"chimney.txt", "gate.md"}

    again = place.as_marta("ingest", str(tmp_path / "chimney.txt"))
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout == f"known   {tmp_path}/chimney.txt  (already there)\n"


def test_the_socket_is_for_its_owner_alone(place: Installation) -> None:
    path = place.product.data / SERVER_SOCKET
    assert stat.S_ISSOCK(path.stat().st_mode)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_installed_program_means_the_files_where_it_is_called(
    place: Installation, tmp_path: Path
) -> None:
    """And takes nothing that lies there for one of its modules."""
    programs = tmp_path / "home" / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (programs / "python").chmod(0o755)
    (programs / "youworker").write_text((ROOT / "scripts" / "youworker").read_text())
    (tmp_path / "home" / "youworker_app").symlink_to(ROOT / "youworker_app")
    (tmp_path / "typer.py").write_text("raise SystemExit('taken for a module')")
    (tmp_path / "well.txt").write_text("The well is 12 m deep.")
    done = subprocess.run(
        ["/bin/sh", programs / "youworker", "ingest", "well.txt", *AS_MARTA, place.password],
        cwd=tmp_path,
        env=place.product.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "ready   well.txt\n", "")


def test_a_group_and_a_key_count_as_everywhere(place: Installation) -> None:
    place.client.call("GET", "/v1/auth/me")
    key = place.client.headers["Authorization"].partition(" ")[2]
    by_key = place.call("search", "Where does pump P-77 stand?", YOUWORKER_API_KEY=key)
    assert "pump.md" in by_key.stdout
    refused = place.call("search", "pump", "--group", "Plumbers", YOUWORKER_API_KEY=key)
    assert (refused.returncode, refused.stderr) == (1, "This API key lacks the scope groups:read.\n")
    stranger = place.as_marta("search", "pump", "--group", "Plumbers")
    assert stranger.stderr == "You are in no group named Plumbers. Your groups: none.\n"
    nobody = place.call("search", "pump", YOUWORKER_API_KEY="yw_wrong")
    assert (nobody.returncode, nobody.stdout) == (1, "")


def test_a_wrong_password_is_told(place: Installation, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("no")
    done = place.call("search", "pump", *AS_MARTA, str(tmp_path / "wrong"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "The user name or the password is wrong.\n"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "path", ["/maintenance", "/maintenance/vectors/check", "/v1/maintenance/vectors/check"]
)
def test_maintenance_is_not_on_the_port(place: Installation, method: str, path: str) -> None:
    request = urllib.request.Request(place.product.url + path, method=method, headers=place.client.headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)
    refused.value.close()
    assert refused.value.code == 404


def test_what_a_killed_server_leaves_is_no_hindrance_and_none_is_needed(place: Installation) -> None:
    worker = place.product.worker()
    os.kill(worker, signal.SIGKILL)
    wait_for_end(worker)
    place.product.stop(signal.SIGKILL)
    assert (place.product.data / SERVER_SOCKET).exists()
    assert wait_until(lambda: refuses(place.product.data / SERVER_SOCKET))
    (place.documents / "roof.txt").write_text("The roof was renewed by the carpenter in 1998.")
    done = place.as_marta("ingest", str(place.documents / "roof.txt"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"ready   {place.documents}/roof.txt\n"
    place.product.start()
    assert "roof.txt" in place.found("When was the roof renewed?")
    assert place.product.stop() == 0
    assert not (place.product.data / SERVER_SOCKET).exists()
    assert "roof.txt" in place.found("When was the roof renewed?")


def test_a_damaged_index_is_found_and_repaired_and_a_good_one_is_well(place: Installation) -> None:
    well = place.call("vectors", "check")
    assert (well.returncode, well.stderr) == (0, "")
    assert well.stdout.startswith("All is well: ")
    assert place.product.stop() == 0

    asyncio.run(lose_one_document(place.product.data))
    found = place.call("vectors", "check")
    assert found.returncode == 1
    assert "       1  documents of which nothing is in the index\n" in found.stdout
    assert found.stderr == "Put it right with: youworker vectors check --repair\n"
    repaired = place.call("vectors", "check", "--repair", "--json")
    assert (repaired.returncode, repaired.stderr) == (0, "")
    assert len(json.loads(repaired.stdout)["missing"]) == 1

    place.product.start()
    for question, document in (("When is the boiler serviced?", "boiler.txt"), ("Pump P-77", "pump.md")):
        assert wait_until(lambda asked=question, wanted=document: wanted in place.found(asked))
    assert place.call("vectors", "check").stdout == well.stdout

    rebuilt = place.call("vectors", "reindex")
    assert (rebuilt.returncode, rebuilt.stderr) == (0, "")
    assert rebuilt.stdout.startswith("The search index is rebuilt: ")
    assert wait_until(lambda: place.call("vectors", "check").stdout == well.stdout)


async def lose_one_document(data: Path) -> None:
    """As a damaged disk might."""
    settings = Settings(data_dir=data)
    folder = DataFolder(data).own()
    installation = compose(settings)
    try:
        await installation.maintenance.open()
        index = installation.gateways.vectors
        await index.delete_document(next(iter(await index.count_by_document())))
    finally:
        await installation.close()
        registry.clear()
        folder.release()


def refuses(path: Path) -> bool:
    """The kernel takes connections for a killed process until all that it had open is closed."""
    with reachable(path) as address, socket.socket(socket.AF_UNIX) as asking:
        return asking.connect_ex(str(address)) != 0


def wait_until(is_so: Callable[[], bool]) -> bool:
    """Jobs go on after the command that began them."""
    until = time.monotonic() + 60
    while not (done := is_so()) and time.monotonic() < until:
        time.sleep(0.2)
    return done


# --- without an installation: what comes in between


@pytest.fixture
def half_a_server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], socket.socket]]:
    """A command that has asked its first question, and the connection on which nobody answers."""
    folder = DataFolder(tmp_path).own()
    (tmp_path / "password").write_text(PASSWORD)
    arguments = ["search", "pump", *AS_MARTA, str(tmp_path / "password")]
    with LocalSocket(tmp_path).open() as listening:
        command = subprocess.Popen(
            [sys.executable, "-m", "youworker_app.cli", *arguments],
            cwd=ROOT,
            env=Product(tmp_path).environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        listening.settimeout(60)
        while True:
            connection, _ = listening.accept()
            with connection:
                if connection.recv(65_536):
                    yield command, connection
                    break
    command.communicate(timeout=30)
    folder.release()


def test_a_server_that_goes_away_is_told(
    half_a_server: tuple[subprocess.Popen[str], socket.socket],
) -> None:
    command, connection = half_a_server
    connection.shutdown(socket.SHUT_RDWR)
    _, told = command.communicate(timeout=30)
    assert command.returncode == 1
    assert told.startswith("The server stopped in the middle.")
    assert len(told.splitlines()) == 1


def test_an_interrupt_ends_quietly(half_a_server: tuple[subprocess.Popen[str], socket.socket]) -> None:
    command, _ = half_a_server
    command.send_signal(signal.SIGINT)
    shown, told = command.communicate(timeout=30)
    assert (command.returncode, shown, told) == (130, "", "Stopped.\n")
