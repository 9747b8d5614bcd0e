"""`youworker master-key rotate` as it is called: beside a server that goes on, without one, and killed in between."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.product import ROOT, Product
from tests.e2e.test_cli import Client, youworker

pytestmark = pytest.mark.timeout(180)


def test_the_master_key_is_rotated_beside_a_server_and_without_one(tmp_path: Path) -> None:
    product = Product(tmp_path / "installation" / "data").start()
    try:
        client = Client(product)
        document_id = client.upload("pump.txt", "Pump P-77 stands in hall 9.")
        client.wait(document_id)
        keys = [rotated(product)]
        assert client.found("Where does pump P-77 stand?", document_id)
        product.stop()
        keys.append(killed_and_rotated(product))
        product.start()
        assert client.found("Where does pump P-77 stand?", document_id)
        assert not [key for key in keys if key in product.log]
    finally:
        product.end()


def rotated(product: Product) -> str:
    """The new key, after the command said what it did and nothing of either key."""
    file = product.data / "secrets" / "master.key"
    old = file.read_text().split()[0]
    done = youworker(product, "master-key", "rotate")
    assert done.returncode == 0, done.stderr
    assert "2 of 2 data keys were wrapped anew" in done.stdout
    assert "master.key.old" in done.stderr
    [new] = file.read_text().split()
    assert old != new
    for key in (old, new):
        assert key not in done.stdout + done.stderr
    assert old in (product.data / "secrets" / "master.key.old").read_text().split()
    return new


def killed_and_rotated(product: Product) -> str:
    """The process is killed as soon as there are two keys; the next call goes on with the same new one."""
    file = product.data / "secrets" / "master.key"
    before = file.read_text()
    process = subprocess.Popen(
        [sys.executable, "-m", "youworker_app.cli", "master-key", "rotate"],
        cwd=ROOT,
        env=product.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 60
    while file.read_text() == before and time.monotonic() < end:
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wanted = file.read_text().split()[0]
    done = youworker(product, "master-key", "rotate")
    assert done.returncode == 0, done.stderr
    [new] = file.read_text().split()
    assert new == wanted
    return new
