"""The installation's secrets: made on the first start with mode 0600, checked at every start."""

import base64
import binascii
import os
from pathlib import Path

from youworker_app.core.crypto import new_master_key
from youworker_app.core.errors import ConfigurationError
from youworker_app.core.settings import Settings

_HOW = "Make one with: python3 -c 'import base64,os;print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"


def load_master_keys(settings: Settings) -> list[str]:
    """The master keys, newest first. Raises ConfigurationError on a weak key or a key file others can read."""
    given = [key.get_secret_value() for key in settings.security.master_keys]
    if given:
        for key in given:
            _require_strong(key, "YOUWORKER_SECURITY_MASTER_KEYS")
        return given
    path = settings.storage.secrets_dir / "master.key"
    try:
        return _read_key_file(path) if path.exists() else [_make_key_file(path)]
    except OSError as error:
        raise ConfigurationError(
            problem=f"The key file {path} cannot be read or written ({error.strerror}). Make room on the disk, and give the "
            "data folder to the user that runs YouWorker."
        ) from error


def _read_key_file(path: Path) -> list[str]:
    if path.stat().st_mode & 0o077:
        raise ConfigurationError(problem=f"{path} can be read by others. Run: chmod 600 {path}")
    keys = path.read_text().split()
    if not keys:
        raise ConfigurationError(problem=f"{path} is empty. Restore it from the backup of your keys.")
    for key in keys:
        _require_strong(key, str(path))
    return keys


def _make_key_file(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = new_master_key()
    partial = path.with_suffix(".new")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(key + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    return key


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
