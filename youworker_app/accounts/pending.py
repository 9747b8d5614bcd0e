"""Sign-ins that are under way at a provider: sealed into a cookie of the browser that began them, good for ten minutes and once.

Nothing is stored but which of them have been used.
"""

import base64
import binascii
import hmac
from collections import OrderedDict
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Final

import orjson

from youworker_app.accounts.errors import ProviderSignInStale
from youworker_app.core.clock import now
from youworker_app.core.crypto import DecryptionFailed, open_sealed, seal
from youworker_app.gateways.oidc.protocol import Journey

LIFE: Final = timedelta(minutes=10)
_REMEMBERED: Final = 50_000
_LONGEST_COOKIE: Final = 4_000
_PLACE: Final = b"provider sign-in"


@dataclass(frozen=True)
class Pending:
    """Where the browser goes afterwards, and an administrator's link, if it began with one."""

    journey: Journey
    next: str
    invite: str = field(default="", repr=False)


class PendingSignIns:
    """Seals and redeems them. `key` is 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._used: OrderedDict[str, None] = OrderedDict()

    def seal(self, pending: Pending) -> str:
        """The cookie."""
        told = {"until": (now() + LIFE).timestamp(), **asdict(pending)}
        return base64.urlsafe_b64encode(seal(self._key, orjson.dumps(told), _PLACE)).decode()

    def redeem(self, cookie: str, state: str) -> Pending:
        """What was begun in this browser under this state, the one time that it is asked for. Raises ProviderSignInStale."""
        try:
            told = orjson.loads(open_sealed(self._key, _raw(cookie), _PLACE))
        except (DecryptionFailed, binascii.Error, ValueError) as error:
            raise ProviderSignInStale from error
        pending = Pending(Journey(**told["journey"]), told["next"], told["invite"])
        own = pending.journey.state
        is_own = hmac.compare_digest(own.encode(), state.encode("utf-8", "replace"))
        if not is_own or told["until"] <= now().timestamp() or own in self._used:
            raise ProviderSignInStale
        self._used[own] = None
        if len(self._used) > _REMEMBERED:
            self._used.popitem(last=False)
        return pending


def _raw(cookie: str) -> bytes:
    if len(cookie) > _LONGEST_COOKIE:
        return b""
    return base64.urlsafe_b64decode(cookie.encode("ascii", "replace"))
