"""Who a trusted proxy says that somebody is, and the port through which adapters make a key of theirs known.

accounts implements the port and wiring registers it; the API, which lies below accounts, asks for it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Forwarded:
    """Authentik's headers. `uid` is what a person is known by; `key` is their stable API key, empty where none came."""

    uid: str
    username: str = ""
    email: str = ""
    name: str = ""
    groups: tuple[str, ...] = ()
    key: str = field(default="", repr=False)


@dataclass(frozen=True)
class ForwardedKeys:
    """`accept` makes the key known before it is asked what it opens; raises what ForwardedSignIn.accept_key does."""

    accept: Callable[[Forwarded], Awaitable[None]]
