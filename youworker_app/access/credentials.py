"""What somebody presents to be known by, and the port through which adapters turn it into an Actor.

accounts implements the port and wiring registers it; the API and the screens, which lie below accounts, ask for it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final

from youworker_app.access.actor import Actor

# A key that ends within this time says so.
KEY_WARNING: Final = timedelta(days=7)


class Carrier(StrEnum):
    """How a credential reached us. A cookie needs a CSRF token on writes, a key needs scopes."""

    COOKIE = "cookie"
    KEY = "key"


@dataclass(frozen=True)
class Credential:
    """A secret that somebody presented, and by which carrier."""

    carrier: Carrier
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Authentication:
    """`authenticate` raises Unauthenticated, `check_csrf(session_secret, presented)` raises CsrfMismatch (403)."""

    authenticate: Callable[[Credential], Awaitable[Actor]]
    check_csrf: Callable[[str, str], None]
