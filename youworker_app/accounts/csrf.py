"""Tokens against forged requests. Computed from the session's secret, so that nothing is stored.

Before there is a session, the sign-in form is protected by double submit: a cookie, and its MAC in the form.
"""

import hashlib
import hmac

from youworker_app.accounts.errors import CsrfMismatch
from youworker_app.core.ids import new_token
from youworker_app.core.keys import DataKeys


class CsrfTokens:
    """Makes and checks the tokens. `key` is 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def under(cls, keys: DataKeys) -> "CsrfTokens":
        """Those of an installation."""
        return cls(keys.derive("csrf"))

    def for_session(self, session_secret: str) -> str:
        """The token that writes with this session's cookie must carry (64 hex characters)."""
        return self._mac("session", session_secret)

    def for_form(self, cookie_value: str | None = None) -> tuple[str, str]:
        """(cookie, form token): with the cookie that is there already, so that a second tab does not break the first."""
        value = cookie_value or new_token()
        return value, self._mac("form", value)

    def check_session(self, session_secret: str, presented: str) -> None:
        """Raises CsrfMismatch."""
        _demand_equal(self.for_session(session_secret), presented)

    def check_form(self, cookie_value: str, presented: str) -> None:
        """Raises CsrfMismatch, also without a cookie."""
        if not cookie_value:
            raise CsrfMismatch
        _demand_equal(self._mac("form", cookie_value), presented)

    def _mac(self, purpose: str, secret: str) -> str:
        text = f"{purpose}:{secret}".encode("utf-8", "replace")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()


def _demand_equal(expected: str, presented: str) -> None:
    if not hmac.compare_digest(expected.encode(), presented.encode("utf-8", "replace")):
        raise CsrfMismatch
