"""Builds the front end when it is stale: `python scripts/build_frontend.py [--force]`, from the project's own venv.

Fresh means that the fingerprint stored inside the build equals the one of the sources now. Reflex empties the build
folder before it builds, so an interrupted or failed build never passes for a fresh one. The fingerprint covers every
file of the package and not only the pages, because any of them can change what a page shows.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".web" / "build"
FINGERPRINT = BUILD / "fingerprint"
LOCK = ROOT / "reflex.lock"

SINGLE_SOURCES = ("rxconfig.py", "requirements.txt", "requirements-build.txt", "scripts/build_frontend.py")
SOURCE_FOLDERS = ("youworker_app", "assets")
# Made by the build or by Python from the sources above.
DERIVED = ("__pycache__", "external")

BUILD_ENVIRONMENT = {
    "REFLEX_USE_NPM": "1",
    "REFLEX_TELEMETRY_ENABLED": "false",
    "REFLEX_CHECK_LATEST_VERSION": "false",
    "REFLEX_DIR": str(ROOT / ".web" / ".reflex"),
    # The committed lock names versions and checksums, not the registry that one machine happens to use.
    "NPM_CONFIG_OMIT_LOCKFILE_REGISTRY_RESOLVED": "true",
    "NPM_CONFIG_AUDIT": "false",
    "NPM_CONFIG_FUND": "false",
    "NPM_CONFIG_UPDATE_NOTIFIER": "false",
    "NPM_CONFIG_FETCH_RETRIES": "3",
    "DO_NOT_TRACK": "1",
}


def main() -> int:
    """Builds if needed. Returns the exit code of the build, 0 when there was nothing to do."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--force", action="store_true", help="build even when nothing changed")
    if not arguments.parse_args().force and is_fresh():
        return 0
    print("Building the front end (about a minute the first time)…", flush=True)
    began, sources, lock = time.monotonic(), sources_digest(), digest(files_in(LOCK))
    code = export()
    if code == 0:
        set_in_order(LOCK / "package.json")
        completed = digest(files_in(LOCK))
        FINGERPRINT.write_text(f"{sources} {completed}\n", encoding="ascii")
        print(f"The front end is built ({time.monotonic() - began:.0f} s).", flush=True)
        if completed != lock:
            print("The build changed reflex.lock: commit that with the change that needs it.", flush=True)
    return code


def is_fresh() -> bool:
    """Whether the build on disk was made from the sources as they are now."""
    if not FINGERPRINT.is_file() or not (BUILD / "client" / "index.html").is_file():
        return False
    return FINGERPRINT.read_text(encoding="ascii").split() == [sources_digest(), digest(files_in(LOCK))]


def sources_digest() -> str:
    """SHA-256 over all files that can change the front end, the lock apart: the build itself may complete that."""
    singles = (ROOT / name for name in SINGLE_SOURCES)
    folders = (path for name in SOURCE_FOLDERS for path in files_in(ROOT / name))
    return digest([*singles, *folders])


def files_in(folder: Path) -> Iterator[Path]:
    """The files below a folder, without derived ones."""
    for path in folder.rglob("*"):
        if path.is_file() and not any(part in DERIVED for part in path.relative_to(folder).parts):
            yield path


def digest(files: Iterable[Path]) -> str:
    """SHA-256 over names and contents, in the order of names."""
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(f"{path.relative_to(ROOT)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def set_in_order(package: Path) -> None:
    """Writes the lock's package.json in one order, so that it changes when a package does and not when Reflex, which
    copies it back after each build, happened to write it in another."""
    text = json.dumps(json.loads(package.read_text(encoding="utf-8")), indent=2, sort_keys=True)
    package.write_text(f"{text}\n", encoding="utf-8")


def export() -> int:
    """Runs Reflex's export with Node from the venv. Returns its exit code; what it printed is shown if it failed."""
    binaries = Path(sys.executable).parent
    environment = (
        os.environ | BUILD_ENVIRONMENT | {"PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"}
    )
    environment.setdefault("NPM_CONFIG_REGISTRY", npm_registry(binaries, environment))
    command = [str(binaries / "reflex"), "export", "--frontend-only", "--no-zip"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        print(result.stdout, result.stderr, "The front end could not be built.", sep="\n", file=sys.stderr)
    return result.returncode


def npm_registry(binaries: Path, environment: dict[str, str]) -> str:
    """The registry that this machine's npm is set to; told to Reflex, which would otherwise probe several."""
    command = [str(binaries / "npm"), "config", "get", "registry"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return result.stdout.strip().splitlines()[-1]


if __name__ == "__main__":
    sys.exit(main())
