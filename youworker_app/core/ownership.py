"""One process owns an embedded installation's data folder: a lock says so, and dies with the process."""

import fcntl
import os
from pathlib import Path
from typing import Final, Self

from youworker_app.core.errors import ConfigurationError


class FolderInUse(ConfigurationError):
    """Another process owns the folder."""


class DataFolder:
    """The data folder, made with mode 0700 and locked from `own` to `release`."""

    LOCK: Final = "youworker.lock"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def own(self) -> Self:
        """Takes the lock. Raises FolderInUse when another process has it, ConfigurationError when it cannot be written."""
        try:
            self._path.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self._path / self.LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(
                problem=f"The data folder {self._path} cannot be used ({error.strerror}). Give it to the user that runs "
                "YouWorker, or set YOUWORKER_STORAGE_DATA_DIR."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise FolderInUse(
                problem=f"Another YouWorker is running on the data folder {self._path}. Stop it first."
            ) from error
        self._descriptor = descriptor
        return self

    def release(self) -> None:
        """Gives the folder back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
