"""The `ollama_url` fixture: the model server in its own process, one for a test session, on a free port of loopback."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

_ROOT = Path(__file__).parents[2]
_READY_WITHIN_S = 60


@pytest.fixture(scope="session")
def model_server() -> Iterator[str]:
    """The server's address; prefer `ollama_url`, which also forgets the faults of the test before."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.model_server", "--until-stdin-closes"],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        # Nothing printed in time: the process ends, so that the read below does.
        watch = threading.Timer(_READY_WITHIN_S, process.kill)
        watch.start()
        try:
            ready, _, url = (process.stdout.readline() if process.stdout else "").strip().partition(" ")
            if ready != "ready":
                pytest.fail("the model server did not start: run `python -m tests.model_server` to see why")
            watch.cancel()
            yield url
        finally:
            watch.cancel()
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture
def ollama_url(model_server: str) -> Iterator[str]:
    """Address of a real model behind Ollama's protocol: `smollm2:135m` to chat, `all-minilm` to embed."""
    yield model_server
    httpx.post(f"{model_server}/_fault", json={}, trust_env=False).raise_for_status()
