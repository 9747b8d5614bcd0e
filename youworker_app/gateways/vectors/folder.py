"""The files of the embedded index: who owns the folder, which model made the index, what survives a crash.

`index.json` says which model and which shard, `shard` or `shard-<n>` is that shard, `lock` is held while it is open,
`deleted` is there while the shard may hold what was deleted. Reads no vectors.
"""

import fcntl
import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from youworker_app.gateways.vectors.errors import VectorFolderInUse, VectorIndexDamaged
from youworker_app.gateways.vectors.protocol import IndexInfo

_FIRST = "shard"
# The process of an index outlives a killed server by the request that it is at, and by giving its memory back.
_DYING_OWNER_S = 10.0
_LOOK_AGAIN_S = 0.02


@dataclass(frozen=True, slots=True)
class Note:
    """Which model made the index, and the name of its shard."""

    info: IndexInfo
    shard: str


class IndexFolder:
    """One folder, owned by at most one process (and one of these in it) at a time. Its calls wait for the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._note = path / "index.json"
        self._deleted = path / "deleted"
        self._lock: IO[bytes] | None = None

    def own(self) -> None:
        """Takes the folder, made when it is missing. Raises VectorFolderInUse when another one has it."""
        if self._lock is not None:
            return
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (self.path / "lock").open("a+b")
        until = time.monotonic() + _DYING_OWNER_S
        while not _is_locked(lock):
            if _is_owner_alive(lock) or time.monotonic() > until:
                lock.close()
                raise VectorFolderInUse(folder=str(self.path))
            time.sleep(_LOOK_AGAIN_S)
        lock.truncate(0)
        lock.write(str(os.getpid()).encode())
        lock.flush()
        self._lock = lock

    def disown(self) -> None:
        """Lets others have the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def lock_descriptor(self) -> int:
        """For the process that opens the shard: as long as it lives, nobody else may have the folder."""
        if self._lock is None:
            raise RuntimeError("the folder is not owned")
        return self._lock.fileno()

    def find_note(self) -> Note | None:
        """What the index is; None when there is none. Raises VectorIndexDamaged when there is one that cannot be read."""
        if not self._shards():
            return None
        try:
            values = json.loads(self._note.read_bytes())
            note = Note(IndexInfo(values["model_id"], values["dimension"]), str(values.get("shard", _FIRST)))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise VectorIndexDamaged(folder=str(self.path)) from error
        if note.shard not in self._shards():
            raise VectorIndexDamaged(folder=str(self.path))
        return note

    def write_note(self, note: Note) -> None:
        """Writes the note so that after a crash it is the old one or the new one, never a part."""
        growing = self._note.with_suffix(".new")
        values = {"model_id": note.info.model_id, "dimension": note.info.dimension, "shard": note.shard}
        with growing.open("wb") as file:
            file.write(json.dumps(values).encode())
            file.flush()
            os.fsync(file.fileno())
        growing.rename(self._note)
        _sync(self.path)

    def begin_shard(self, info: IndexInfo) -> Path:
        """An empty folder to make the first shard in; what a crash left of an earlier try is gone."""
        # The note first: a shard without one would be of unknown origin after a crash between the two.
        self.write_note(Note(info, _FIRST))
        return self._emptied("shard.new")

    def finish_shard(self, growing: Path) -> Note:
        """Gives the first shard its name once it is whole."""
        growing.rename(self.path / _FIRST)
        _sync(self.path)
        note = self.find_note()
        if note is None:
            raise VectorIndexDamaged(folder=str(self.path))
        return note

    def begin_successor(self, note: Note) -> Note:
        """An empty folder for a shard that is to take the place of this one, once a note says so."""
        number = int(note.shard.partition("-")[2] or 1) + 1
        successor = Note(note.info, f"{_FIRST}-{number}")
        self._emptied(successor.shard)
        return successor

    def sweep(self, note: Note) -> None:
        """Removes every shard but that of the note: predecessors, and successors that a crash left unfinished."""
        for path in self.path.glob("shard*"):
            if path.name != note.shard:
                shutil.rmtree(path, ignore_errors=True)

    def mark_deleted(self) -> None:
        """Remembers that the shard may hold what was deleted."""
        self._deleted.touch()

    def unmark_deleted(self) -> None:
        """The shard holds nothing that was deleted."""
        self._deleted.unlink(missing_ok=True)

    def is_deleted_kept(self) -> bool:
        """Whether the shard may hold what was deleted."""
        return self._deleted.exists()

    def size_bytes(self, note: Note) -> int:
        """What its shard takes on the disk."""
        files = (path.lstat() for path in (self.path / note.shard).rglob("*"))
        return sum(found.st_blocks * 512 for found in files)

    def drop(self) -> None:
        """Removes shards and note. The shards are moved away first: after a crash each is whole or gone."""
        doomed = self._emptied("shard.old")
        for name in self._shards():
            (self.path / name).rename(doomed / name)
        self._note.unlink(missing_ok=True)
        self._deleted.unlink(missing_ok=True)
        _sync(self.path)
        shutil.rmtree(doomed, ignore_errors=True)
        shutil.rmtree(self.path / "shard.new", ignore_errors=True)

    def move(self, aside: Path) -> None:
        """Takes shards and note elsewhere on the same disk, as they are. Raises VectorFolderInUse."""
        self.own()
        try:
            aside.mkdir(mode=0o700)
            # The note last: without a shard it names nothing, and the next start makes an empty index.
            for path in [*self.path.glob("shard*"), self._deleted, self._note]:
                if path.exists():
                    path.rename(aside / path.name)
            _sync(self.path)
        finally:
            self.disown()

    def _shards(self) -> set[str]:
        """The names of shards that are not half made or half dropped."""
        return {path.name for path in self.path.glob("shard*") if path.suffix not in (".new", ".old")}

    def _emptied(self, name: str) -> Path:
        path = self.path / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        return path


def _is_locked(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_owner_alive(lock: IO[bytes]) -> bool:
    """Whether the server still runs whose process holds the lock."""
    lock.seek(0)
    try:
        # Not by a signal: one that nobody has reaped yet would take it.
        state = Path(f"/proc/{int(lock.read())}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    except (OSError, ValueError, IndexError):
        return True
    return state not in ("Z", "X")


def _sync(path: Path) -> None:
    """Waits until a folder's names are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
