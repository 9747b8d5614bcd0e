"""What makes a provider's signed token believable: its signature, its issuer, for whom it is, until when, for which sign-in.

OpenID Connect Core 1.0, 3.1.3.7, and Back-Channel Logout 1.0, 2.6.
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key

from youworker_app.core.names import is_plain_text
from youworker_app.gateways.oidc.discovery import Discovery, Metadata
from youworker_app.gateways.oidc.protocol import ProviderAnswerWrong

# How far two clocks may be apart, in seconds.
LEEWAY_S: Final = 60
LONGEST_TOKEN: Final = 16_384
LONGEST_SUBJECT: Final = 255
_LOGOUT: Final = "http://schemas.openid.net/event/backchannel-logout"
# An old word that somebody signed out ends nobody's session of today.
_OLDEST_LOGOUT_S: Final = 600
_LEAST_BETWEEN_S: Final = 30.0


@dataclass(frozen=True)
class Signed:
    """What stood under a genuine signature."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any] = field(repr=False)


class Tokens:
    """Reads one provider's tokens for one client."""

    def __init__(self, discovery: Discovery, client_id: str) -> None:
        self._discovery, self._client_id = discovery, client_id

    async def read_id_token(self, token: str, *, nonce: str, access_token: str) -> Mapping[str, Any]:
        """The claims of an ID token that is genuine and for this sign-in. Raises ProviderAway, ProviderAnswerWrong."""
        metadata = await self._discovery.metadata()
        signed = await self._signed(token, metadata, younger_than_s=0)
        options: Any = {
            "iss": {"essential": True, "value": metadata.issuer},
            "aud": {"essential": True, "value": self._client_id},
        }
        params = {"nonce": nonce, "client_id": self._client_id, "access_token": access_token}
        claims = CodeIDToken(dict(signed.claims), dict(signed.header), options, params)
        try:
            claims.validate(leeway=LEEWAY_S)
        except (JoseError, TypeError, ValueError, AttributeError) as error:
            raise ProviderAnswerWrong(f"ID token: {error}"[:200]) from error
        return signed.claims

    async def read_logout_token(self, token: str) -> Mapping[str, Any]:
        """The claims of a genuine logout token. Raises ProviderAway, ProviderAnswerWrong."""
        metadata = await self._discovery.metadata()
        # Anybody can send one: a made-up key name must not make us ask the provider each time.
        signed = await self._signed(token, metadata, younger_than_s=_LEAST_BETWEEN_S)
        claims, audience = signed.claims, signed.claims.get("aud")
        events, at = claims.get("events"), claims.get("iat")
        audiences = audience if isinstance(audience, list) else [audience]
        is_fresh = isinstance(at, int | float) and abs(time.time() - at) <= _OLDEST_LOGOUT_S
        is_one = isinstance(events, dict) and _LOGOUT in events and "nonce" not in claims
        if (
            claims.get("iss") != metadata.issuer
            or self._client_id not in audiences
            or not is_fresh
            or not is_one
        ):
            raise ProviderAnswerWrong("not a logout token for us")
        return claims

    async def _signed(self, token: str, metadata: Metadata, *, younger_than_s: float) -> Signed:
        header = _header(token)
        if header.get("alg") not in metadata.algorithms:
            raise ProviderAnswerWrong(
                "signed in a way that the provider does not announce, or with no key of its own"
            )
        candidates = _fitting(await self._discovery.keys(), header)
        if not candidates:
            candidates = _fitting(await self._discovery.keys(younger_than_s=younger_than_s), header)
        for key in candidates:
            if (found := _verified(token, key, metadata.algorithms)) is not None:
                return found
        raise ProviderAnswerWrong("signed with no key of the provider")


def subject_of(claims: Mapping[str, Any]) -> str:
    """Who it is, at the provider. Raises ProviderAnswerWrong."""
    found = claims.get("sub")
    if not isinstance(found, str) or not 0 < len(found) <= LONGEST_SUBJECT or not is_plain_text(found):
        raise ProviderAnswerWrong("no usable subject")
    return found


def _header(token: str) -> Mapping[str, Any]:
    if not isinstance(token, str) or not token.isascii() or len(token) > LONGEST_TOKEN:
        raise ProviderAnswerWrong("no token, or a very long one")
    try:
        return jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise ProviderAnswerWrong("not a signed token") from error


def _fitting(keys: Collection[Key], header: Mapping[str, Any]) -> list[Key]:
    named = header.get("kid")
    return [key for key in keys if named is None or key.kid == named]


def _verified(token: str, key: Key, algorithms: Collection[str]) -> Signed | None:
    try:
        found = jwt.decode(token, key, algorithms=list(algorithms))
    except (JoseError, ValueError, TypeError, RecursionError):
        return None
    return Signed(found.header, found.claims) if isinstance(found.claims, dict) else None
