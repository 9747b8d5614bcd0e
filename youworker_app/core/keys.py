"""Data keys in use: unwrapping is asked here, and remembered for a moment, so that a list does not unwrap one key often."""

import base64
import time
from collections import OrderedDict
from typing import Final

from cryptography.fernet import Fernet

from youworker_app.core.crypto import MasterKeys, new_data_key

_REMEMBERED: Final = 1_024
_SECONDS: Final = 300.0


class DataKeys:
    """Wraps, unwraps (with a small cache that forgets after five minutes) and derives."""

    def __init__(self, master: MasterKeys) -> None:
        self._master = master
        self._cache: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()

    def new(self) -> tuple[bytes, bytes]:
        """A new data key: (plain, wrapped)."""
        plain = new_data_key()
        return plain, self._master.wrap(plain)

    def unwrap(self, wrapped: bytes) -> bytes:
        """The plain data key. Raises DecryptionFailed."""
        moment = time.monotonic()
        known = self._cache.get(wrapped)
        if known and known[0] > moment:
            return known[1]
        plain = self._master.unwrap(wrapped)
        self._cache[wrapped] = (moment + _SECONDS, plain)
        if len(self._cache) > _REMEMBERED:
            self._cache.popitem(last=False)
        return plain

    @property
    def master(self) -> MasterKeys:
        """The master keys themselves: for whoever changes them."""
        return self._master

    def rewrapped(self, wrapped: bytes) -> bytes | None:
        """The same data key under the newest master key; None where it is already. Raises DecryptionFailed."""
        return None if self._master.is_newest(wrapped) else self._master.wrap(self._master.unwrap(wrapped))

    def current(self, wrapped: bytes) -> bytes:
        """A wrapped key as it is to be stored now: what was wrapped a while ago may be under an older master key."""
        return self.rewrapped(wrapped) or wrapped

    def derive(self, purpose: str) -> bytes:
        """A key for one purpose, see MasterKeys.derive."""
        return self._master.derive(purpose)


def fernet(data_key: bytes) -> Fernet:
    """Fernet under a 32-byte data key."""
    return Fernet(base64.urlsafe_b64encode(data_key))
