"""The files of the embedded index: who owns the folder, which model made the index, what survives a crash.

`index.json` says which model, `shard/` is the index, `lock` is held while it is open. Reads no vectors.
"""

import fcntl
import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import IO

from youworker_app.gateways.vectors.errors import VectorFolderInUse, VectorIndexDamaged
from youworker_app.gateways.vectors.protocol import IndexInfo


class IndexFolder:
    """One folder, owned by at most one process (and one of these in it) at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shard = path / "shard"
        self._note = path / "index.json"
        self._lock: IO[bytes] | None = None

    def own(self) -> None:
        """Takes the folder, made when it is missing. Raises VectorFolderInUse when another one has it."""
        if self._lock is not None:
            return
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (self.path / "lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise VectorFolderInUse(folder=str(self.path)) from error
        self._lock = lock

    def disown(self) -> None:
        """Lets others have the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def read_info(self) -> IndexInfo:
        """Which model made the index. Raises VectorIndexDamaged when that cannot be read."""
        try:
            return IndexInfo(**json.loads(self._note.read_bytes()))
        except (OSError, ValueError, TypeError) as error:
            raise VectorIndexDamaged(folder=str(self.path)) from error

    def write_info(self, info: IndexInfo) -> None:
        """Writes the note so that after a crash it is the old one or the new one, never a part."""
        growing = self._note.with_suffix(".new")
        with growing.open("wb") as file:
            file.write(json.dumps(asdict(info)).encode())
            file.flush()
            os.fsync(file.fileno())
        growing.rename(self._note)
        _sync(self.path)

    def begin_shard(self) -> Path:
        """An empty folder to make a shard in; what a crash left of an earlier try is gone."""
        growing = self.path / "shard.new"
        shutil.rmtree(growing, ignore_errors=True)
        growing.mkdir()
        return growing

    def finish_shard(self, growing: Path) -> None:
        """Gives a shard that is whole its name."""
        growing.rename(self.shard)
        _sync(self.path)

    def sync_log(self) -> None:
        """Waits until the shard's write-ahead log is on disk, pages that are written through memory included."""
        log = self.shard / "wal"
        for path in (*log.iterdir(), log):
            _sync(path)

    def drop(self) -> None:
        """Removes shard and note. The shard is moved away first: after a crash it is whole or gone."""
        doomed = self.path / "shard.old"
        shutil.rmtree(doomed, ignore_errors=True)
        if self.shard.exists():
            self.shard.rename(doomed)
        self._note.unlink(missing_ok=True)
        _sync(self.path)
        shutil.rmtree(doomed, ignore_errors=True)


def _sync(path: Path) -> None:
    """Waits until a file's content, or a folder's names, are on disk."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return  # a part of the log that was given up meanwhile
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
