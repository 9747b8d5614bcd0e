"""Keys and sealing: the master key wraps data keys, data keys seal messages, chunk texts and files.

Owns no storage. What a key belongs to is written by the domains.
"""

import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from youworker_app.core.errors import AppError

DATA_KEY_BYTES = 32
_NONCE_BYTES = 12


class DecryptionFailed(AppError):
    code, http_status = "DECRYPTION_FAILED", 503
    template = "Stored data could not be decrypted. It was changed, or the master key is not the one it was written with."


def new_data_key() -> bytes:
    """32 random bytes."""
    return os.urandom(DATA_KEY_BYTES)


def new_master_key() -> str:
    """A new master key in Fernet's form (44 characters, URL-safe base64 of 32 bytes)."""
    return Fernet.generate_key().decode()


def seal(key: bytes, plain: bytes, aad: bytes) -> bytes:
    """AES-256-GCM with a random 12-byte nonce in front; `aad` binds the text to its place."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, aad)


def open_sealed(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """The inverse of `seal`. Raises DecryptionFailed on a wrong key, a changed byte or another place."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], aad)
    except (InvalidTag, ValueError) as error:
        raise DecryptionFailed from error


def derived_key(key: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose that hangs on another key (HKDF-SHA-256, RFC 5869)."""
    return HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(key)


class MasterKeys:
    """One or more Fernet keys, newest first; older ones still open what they wrapped.

    Derived keys (content hash, sparse terms, tokens, the trail's MACs) must outlive a rotation: they hang on `root`, which is
    the first key that there was.
    """

    def __init__(self, keys: Sequence[str], root: str | None = None) -> None:
        self._keys = list(keys)
        self.root = root or keys[-1]
        self._prepare()

    def _prepare(self) -> None:
        self._newest = Fernet(self._keys[0])
        self._fernet = MultiFernet([Fernet(key) for key in self._keys])

    @property
    def keys(self) -> tuple[str, ...]:
        """All of them, newest first. Never to be logged or sent."""
        return tuple(self._keys)

    def adopt(self, key: str) -> None:
        """From here on this is the newest one; nothing happens when it is already."""
        if key != self._keys[0]:
            self._keys.insert(0, key)
            self._prepare()

    def is_newest(self, wrapped: bytes) -> bool:
        """Whether the newest key wrapped this."""
        try:
            self._newest.decrypt(wrapped)
        except InvalidToken:
            return False
        return True

    def wrap(self, data_key: bytes) -> bytes:
        """The data key, encrypted under the newest master key."""
        return self._fernet.encrypt(data_key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """The data key. Raises DecryptionFailed when no master key fits."""
        try:
            return self._fernet.decrypt(wrapped)
        except InvalidToken as error:
            raise DecryptionFailed from error

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose (HKDF-SHA-256, RFC 5869)."""
        return derived_key(self.root.encode(), purpose)
