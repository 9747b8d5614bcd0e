"""The machine that a run was measured on, and what else it was doing."""

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Machine:
    """`load`: the average over the last minute when the run began."""

    cpu: str
    cores: int
    memory_gb: float
    kernel: str
    system: str
    python: str
    load: float


def machine() -> Machine:
    """This machine, now."""
    return Machine(
        cpu=_field("/proc/cpuinfo", "model name"),
        cores=os.cpu_count() or 0,
        memory_gb=round(int(_field("/proc/meminfo", "MemTotal").split()[0]) / 1_048_576, 1),
        kernel=platform.release(),
        system=platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
        python=platform.python_version(),
        load=load(),
    )


def load() -> float:
    """The load average over the last minute."""
    return round(os.getloadavg()[0], 2)


def commit() -> str:
    """The short id of what was measured, with a `+` when files differ from it."""
    short = _git("rev-parse", "--short", "HEAD")
    return short + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")


def _git(*arguments: str) -> str:
    asked = ["git", *arguments]
    return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def _field(file: str, name: str) -> str:
    for line in Path(file).read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"
