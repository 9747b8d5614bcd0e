"""The installation's secrets: made on the first start with mode 0600, checked at every start."""

import base64
import binascii
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from youworker_app.core.crypto import DecryptionFailed, MasterKeys, new_master_key
from youworker_app.core.errors import ConfigurationError, Conflict
from youworker_app.core.settings import Settings

_HOW = "Make one with: python3 -c 'import base64,os;print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"


KEY_FILE: Final = "master.key"
DERIVATION_FILE: Final = "derivation.key"
RETIRED_FILE: Final = "master.key.old"


class MasterKeyOutside(Conflict):
    code = "MASTER_KEY_OUTSIDE"
    template = (
        "The master key comes from YOUWORKER_SECURITY_MASTER_KEYS, so it is not ours to change. Put a new key in front of the "
        "old one there (new,old), start the server again, and run this once more."
    )


def load_master_keys(settings: Settings) -> list[str]:
    """The master keys, newest first. Raises ConfigurationError on a weak key or a key file others can read."""
    given = [key.get_secret_value() for key in settings.security.master_keys]
    if given:
        for key in given:
            _require_strong(key, "YOUWORKER_SECURITY_MASTER_KEYS")
        return given
    path = settings.storage.secrets_dir / KEY_FILE
    try:
        return _read_key_file(path) if path.exists() else [_make_key_file(path)]
    except OSError as error:
        raise ConfigurationError(
            problem=f"The key file {path} cannot be read or written ({error.strerror}). Make room on the disk, and give the "
            "data folder to the user that runs YouWorker."
        ) from error


def load_master(settings: Settings) -> MasterKeys:
    """The master keys with the root of derived keys. Raises ConfigurationError."""
    keys = load_master_keys(settings)
    path = settings.storage.secrets_dir / DERIVATION_FILE
    if not path.exists():
        return MasterKeys(keys)
    _require_private(path)
    try:
        return MasterKeys(keys, MasterKeys(keys).unwrap(path.read_bytes()).decode())
    except DecryptionFailed as error:
        raise ConfigurationError(
            problem=f"{path} was not written with this master key. Put back the master key that belongs to it."
        ) from error


class KeyPlace:
    """Where the master keys lie: in the data folder, or with whoever sets the environment."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.storage.secrets_dir
        self.is_outside = bool(settings.security.master_keys)

    @property
    def retired(self) -> Path:
        """Where keys go that open nothing here any more, but older backups do."""
        return self._folder / RETIRED_FILE

    def begin(self, master: MasterKeys) -> None:
        """A new key in front of the old one, unless an earlier rotation had begun so. Raises MasterKeyOutside, StorageFull."""
        if self.is_outside and len(master.keys) < 2:
            raise MasterKeyOutside
        if not self.is_outside:
            kept = _read_key_file(self._folder / KEY_FILE)
            if len(kept) < 2:
                kept = [new_master_key(), *kept]
                _write(self._folder / KEY_FILE, kept)
            master.adopt(kept[0])
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(self._folder / DERIVATION_FILE, [master.wrap(master.root.encode()).decode()])

    def finish(self) -> None:
        """Nothing is under the older keys any more: they leave the file that is read at the start."""
        if self.is_outside:
            return
        newest, *older = _read_key_file(self._folder / KEY_FILE)
        retired = _read_key_file(self.retired) if self.retired.exists() else []
        _write(self.retired, list(dict.fromkeys((*older, *retired))))
        _write(self._folder / KEY_FILE, [newest])


def _read_key_file(path: Path) -> list[str]:
    _require_private(path)
    keys = path.read_text().split()
    if not keys:
        raise ConfigurationError(problem=f"{path} is empty. Restore it from the backup of your keys.")
    for key in keys:
        _require_strong(key, str(path))
    return keys


def _require_private(path: Path) -> None:
    if path.stat().st_mode & 0o077:
        raise ConfigurationError(problem=f"{path} can be read by others. Run: chmod 600 {path}")


def _make_key_file(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = new_master_key()
    _write(path, [key])
    return key


def _write(path: Path, lines: Sequence[str]) -> None:
    """Replaces the file at once and for good: whenever the process dies, there is the old one or the new one."""
    partial = path.with_suffix(".new")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _require_strong(key: str, origin: str) -> None:
    try:
        raw = base64.urlsafe_b64decode(key.encode())
    except (ValueError, binascii.Error, UnicodeError):
        raw = b""
    # 32 random bytes hold about 30 different ones; a placeholder such as "changeme…" or a repeated letter holds few,
    # and words decode to bytes whose printable share gives them away.
    printable = sum(32 <= byte < 127 for byte in raw)
    if len(raw) != 32 or len(set(raw)) < 20 or printable > 26:
        raise ConfigurationError(
            problem=f"The master key in {origin} is weak or not a key (32 random bytes in base64). {_HOW}"
        )
