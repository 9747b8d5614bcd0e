"""Browsers that somebody has signed in from before: a cookie vouches for them, and nothing is stored here.

The cookie holds a random mark and, for each of the last few names that signed in there, a MAC over mark and name. It opens
nothing: it only spares its browser the wait that others have caused for the name.
"""

import hashlib
import hmac
import re
from typing import Final

from youworker_app.core.ids import new_token

_MOST_NAMES: Final = 5
_FORM: Final = re.compile(r"([A-Za-z0-9_-]{22})((?:\.[0-9a-f]{32}){1,5})")


class KnownDevices:
    """Makes and checks the cookies. `key` is 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def recognise(self, cookie: str, name: str) -> str:
        """The browser's mark if this name has signed in there, else nothing."""
        mark, vouchers = _parts(cookie)
        expected = self._mac(mark, name)
        found = [each for each in vouchers if hmac.compare_digest(each, expected)]
        return mark if found else ""

    def vouch(self, cookie: str, name: str) -> str:
        """The cookie of a browser where this name has just proved itself, those before it included."""
        mark, vouchers = _parts(cookie)
        mark = mark or new_token(16)
        own = self._mac(mark, name)
        others = [each for each in vouchers if each != own]
        return ".".join([mark, own, *others[: _MOST_NAMES - 1]])

    def _mac(self, mark: str, name: str) -> str:
        text = f"{mark}:{name}".encode("utf-8", "replace")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()[:32]


def _parts(cookie: str) -> tuple[str, list[str]]:
    match = _FORM.fullmatch(cookie)
    return (match[1], match[2][1:].split(".")) if match else ("", [])
