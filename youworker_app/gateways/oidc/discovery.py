"""What a provider says of itself (OpenID Connect Discovery 1.0), and its keys. Read when first needed, kept for an hour."""

import asyncio
import ipaddress
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey

from youworker_app.gateways.oidc.fetch import BoundedHttp
from youworker_app.gateways.oidc.protocol import ProviderAnswerWrong

_KEPT_S: Final = 3_600.0
_MOST_KEYS: Final = 50
_LEAST_RSA_BITS: Final = 2_048
_LONGEST_ADDRESS: Final = 2_000
# Signatures that only the provider can make. With the others our own client secret, or nothing, would make them.
ASYMMETRIC: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)


@dataclass(frozen=True)
class Metadata:
    """The parts that are used. Addresses that are optional are empty where there is none."""

    issuer: str
    authorization: str
    token: str
    keys: str
    userinfo: str
    end_session: str
    algorithms: frozenset[str]
    auth_methods: frozenset[str]
    names_issuer: bool  # RFC 9207: it says in each answer who it is


class Discovery:
    """One provider's metadata and keys. `clock` counts seconds."""

    def __init__(self, issuer: str, http: BoundedHttp, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer, self._http, self._clock = issuer, http, clock
        self._asking = asyncio.Lock()
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, tuple[Key, ...]] | None = None

    async def metadata(self) -> Metadata:
        """Raises ProviderAway, ProviderAnswerWrong."""
        async with self._asking:
            if self._metadata is None or self._clock() - self._metadata[0] > _KEPT_S:
                address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
                self._metadata = (self._clock(), read_metadata(self._issuer, await self._http.get(address)))
                self._keys = None
            return self._metadata[1]

    async def keys(self, *, younger_than_s: float = _KEPT_S) -> tuple[Key, ...]:
        """The keys that it signs with. Raises ProviderAway, ProviderAnswerWrong."""
        address = (await self.metadata()).keys
        async with self._asking:
            if self._keys is None or self._clock() - self._keys[0] >= younger_than_s:
                self._keys = (self._clock(), read_keys(await self._http.get(address)))
            return self._keys[1]


def read_metadata(issuer: str, told: Mapping[str, Any]) -> Metadata:
    """The metadata, of exactly the issuer that is configured. Raises ProviderAnswerWrong."""
    own = told.get("issuer")
    # A last slash more or less is how people write it; what is told then is what tokens have to say.
    if not isinstance(own, str) or own.rstrip("/") != issuer.rstrip("/"):
        raise ProviderAnswerWrong("discovery names another issuer")
    algorithms = ASYMMETRIC & _words(told, "id_token_signing_alg_values_supported")
    if not algorithms:
        raise ProviderAnswerWrong("it signs with no asymmetric algorithm")
    return Metadata(
        issuer=own,
        authorization=_address(told, "authorization_endpoint"),
        token=_address(told, "token_endpoint"),
        keys=_address(told, "jwks_uri"),
        userinfo=_address(told, "userinfo_endpoint", is_needed=False),
        end_session=_address(told, "end_session_endpoint", is_needed=False),
        algorithms=algorithms,
        auth_methods=_words(told, "token_endpoint_auth_methods_supported")
        or frozenset({"client_secret_basic"}),
        names_issuer=told.get("authorization_response_iss_parameter_supported") is True,
    )


def read_keys(told: Mapping[str, Any]) -> tuple[Key, ...]:
    """The asymmetric keys for signatures; others, and those that cannot be read, are left out. Raises ProviderAnswerWrong."""
    found = told.get("keys")
    if not isinstance(found, list) or len(found) > _MOST_KEYS:
        raise ProviderAnswerWrong("no list of keys, or a very long one")
    return tuple(key for each in found if (key := _key(each)) is not None)


def is_secure(address: str) -> bool:
    """Whether nobody on the way can read along: https, or this machine itself."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    if parts.username is not None or not host:
        return False
    if parts.scheme == "https" or (parts.scheme == "http" and host == "localhost"):
        return True
    try:
        return parts.scheme == "http" and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _key(told: object) -> Key | None:
    if (
        not isinstance(told, dict)
        or told.get("kty") not in {"RSA", "EC", "OKP"}
        or told.get("use", "sig") != "sig"
    ):
        return None
    modulus = told.get("n", "")
    if told["kty"] == "RSA" and (not isinstance(modulus, str) or len(modulus) * 6 < _LEAST_RSA_BITS):
        return None
    # The chain of certificates is not what a key is believed by here, and reading it is work.
    plain = {name: value for name, value in told.items() if not name.startswith("x5")}
    try:
        key = JWKRegistry.import_key(plain)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if isinstance(key, RSAKey) and key.public_key.key_size < _LEAST_RSA_BITS:
        return None
    return key if isinstance(key, RSAKey | ECKey | OKPKey) else None


def _words(told: Mapping[str, Any], name: str) -> frozenset[str]:
    found = told.get(name)
    return (
        frozenset(each for each in found if isinstance(each, str))
        if isinstance(found, Sequence)
        else frozenset()
    )


def _address(told: Mapping[str, Any], name: str, *, is_needed: bool = True) -> str:
    found = told.get(name, "")
    if not found and not is_needed:
        return ""
    usable = (
        isinstance(found, str) and len(found) <= _LONGEST_ADDRESS and found.isascii() and found.isprintable()
    )
    if not usable or not is_secure(found) or "#" in found:
        raise ProviderAnswerWrong(f"{name} is missing or not secure")
    return str(found)
