"""npm's `oidc-provider` on loopback. Its packages are installed once, as the lock says, into a folder of the user's cache."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).with_name("provider")
BINARIES = Path(sys.executable).parent  # Node is the one that builds the front end
CLIENT = {"CLIENT_ID": "youworker", "CLIENT_SECRET": "a secret of the journey"}
_ENVIRONMENT = {
    "NPM_CONFIG_AUDIT": "false",
    "NPM_CONFIG_FUND": "false",
    "NPM_CONFIG_UPDATE_NOTIFIER": "false",
}


@dataclass(frozen=True)
class CertifiedProvider:
    """A running one."""

    issuer: str
    log_path: Path

    @property
    def log(self) -> str:
        """What it has told."""
        return self.log_path.read_text()


@contextmanager
def certified_provider(port: int, origin: str, folder: Path) -> Iterator[CertifiedProvider]:
    """Runs it for the installation at `origin`."""
    program, path = installed() / "provider.mjs", folder / "provider.log"
    with path.open("wb") as log:
        command = [str(BINARIES / "node"), str(program), str(port), origin]
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env=_environment(), start_new_session=True
        )
    try:
        began = time.monotonic()
        while "listening" not in path.read_text():
            assert process.poll() is None, path.read_text()
            assert time.monotonic() - began < 30, path.read_text()
            time.sleep(0.02)
        yield CertifiedProvider(f"http://127.0.0.1:{port}", path)
    finally:
        # What `node` is in the environment starts the real one and does not end it with itself.
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def installed() -> Path:
    """The folder that holds the program and its packages."""
    names = ("package.json", "package-lock.json", "provider.mjs")
    digest = hashlib.sha256(b"".join((SOURCES / name).read_bytes() for name in names)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "youworker-tests"
    target = cache / f"oidc-provider-{digest}"
    if target.exists():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    # Whole or not at all, also when two processes come here at once.
    with tempfile.TemporaryDirectory(dir=cache) as name:
        made = Path(name) / "made"
        made.mkdir()
        for each in names:
            shutil.copy(SOURCES / each, made)
        command = [str(BINARIES / "npm"), "ci", "--ignore-scripts"]
        result = subprocess.run(
            command, cwd=made, env=_environment(), capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stdout + result.stderr
        if not target.exists():
            made.rename(target)
    return target


def _environment() -> dict[str, str]:
    return os.environ | _ENVIRONMENT | {"PATH": f"{BINARIES}{os.pathsep}{os.environ.get('PATH', '')}"}
