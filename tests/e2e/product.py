"""The product as its user starts it: the launcher in a process of its own, over a data folder of its own."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_LINK = re.compile(r"http://\S+/setup\?token=\S+")
_NOBODY = "http://127.0.0.1:9"  # the discard port: no model there


@dataclass
class Product:
    """A server over `data`; it keeps its port from one start to the next."""

    data: Path
    ollama_url: str = _NOBODY
    settings: dict[str, str] = field(default_factory=dict)
    port: int = 0
    seconds: float = 0.0
    program: str = "youworker_app.serve"
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Everything that it has printed, up to a size that no test reaches."""
        with (self.data.parent / "server.log").open(errors="replace") as log:
            return log.read(10_000_000)

    def start(self) -> "Product":
        """Starts it and waits for its first answer; `seconds` says how long that took."""
        began = time.monotonic()
        if not self.launch():
            raise AssertionError(self.log)
        self.seconds = time.monotonic() - began
        return self

    def launch(self) -> bool:
        """Starts it and waits for its first answer; False when it ended before."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_port()
        began = time.monotonic()
        with (self.data.parent / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.program],
                cwd=ROOT,
                env=self.environment(),
                stdout=log,
                stderr=log,
            )
        while not self._answers():
            if self._process.poll() is not None:
                return False
            if time.monotonic() - began > 60:
                raise AssertionError(self.log)
            time.sleep(0.02)
        return True

    def environment(self) -> dict[str, str]:
        """The environment that it runs in."""
        return os.environ | {
            "YOUWORKER_SERVER_PORT": str(self.port or 8000),
            "YOUWORKER_STORAGE_DATA_DIR": str(self.data),
            "YOUWORKER_LLM_OLLAMA_URL": self.ollama_url,
            **self.settings,
        }

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, http.client.HTTPException):
            return False

    def setup_link(self) -> str:
        """The link that it printed last."""
        return _LINK.findall(self.log)[-1]

    def worker(self) -> int:
        """The process id of the worker that serves."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return max(
            (int(child) for child in children), key=lambda child: len(Path(f"/proc/{child}/maps").read_text())
        )

    @property
    def supervisor(self) -> int:
        """The process id of the launcher."""
        assert self._process is not None
        return self._process.pid

    def is_running(self) -> bool:
        """Whether the launcher has not ended."""
        return self._process is not None and self._process.poll() is None

    def stop(self, by: signal.Signals = signal.SIGTERM, *, again: signal.Signals | None = None) -> int:
        """Ends it, with a second signal shortly after if one is given, and returns its exit code."""
        assert self._process is not None
        self._process.send_signal(by)
        if again is not None:
            time.sleep(0.3)
            self._process.send_signal(again)
        code = self._process.wait(timeout=30)
        self._process = None
        return code

    def wait(self) -> None:
        """Waits for its end and forgets it, so that it can be started again."""
        if self._process is not None:
            self._process.wait(timeout=30)
            self._process = None

    def ended(self) -> int:
        """Waits for its end, forgets it, and returns its exit code."""
        assert self._process is not None
        code = self._process.wait(timeout=30)
        self._process = None
        return code

    def end(self) -> None:
        """Ends it if it still runs."""
        if self._process is not None:
            self.stop()


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
