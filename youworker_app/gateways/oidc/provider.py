"""The real provider: authorization code with PKCE, state and nonce, by discovery (authlib makes and reads the messages)."""

import hmac
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from youworker_app.core.ids import new_token
from youworker_app.gateways.oidc.discovery import Discovery, Metadata
from youworker_app.gateways.oidc.fetch import BoundedHttp
from youworker_app.gateways.oidc.protocol import (
    Arrival,
    Departure,
    Farewell,
    Journey,
    Proof,
    ProviderAnswerWrong,
    ProviderRefused,
)
from youworker_app.gateways.oidc.tokens import LONGEST_SUBJECT, Tokens, subject_of

_LONGEST_CODE: Final = 4_096
_LONGEST_WORD: Final = 60


@dataclass(frozen=True)
class ProviderClient:
    """What this installation is at the provider. `needed` are the claims without which userinfo is asked too."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...]
    needed: frozenset[str] = frozenset()
    timeout_s: float = 5.0
    ca_file: Path | None = None


class OidcProvider:
    """An `IdentityProvider`. `transport` and `clock` (seconds) are for tests."""

    def __init__(
        self,
        client: ProviderClient,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._http = BoundedHttp(timeout_s=client.timeout_s, ca_file=client.ca_file, transport=transport)
        self._discovery = Discovery(client.issuer, self._http, clock)
        self._tokens = Tokens(self._discovery, client.client_id)

    async def begin(self, redirect_uri: str) -> Departure:
        metadata = await self._discovery.metadata()
        journey = Journey(new_token(), new_token(), new_token(48), redirect_uri)
        address = prepare_grant_uri(
            metadata.authorization,
            self._client.client_id,
            "code",
            redirect_uri=redirect_uri,
            scope=list(self._client.scopes),
            state=journey.state,
            nonce=journey.nonce,
            code_challenge=create_s256_code_challenge(journey.verifier),
            code_challenge_method="S256",
        )
        return Departure(str(address), journey)

    async def finish(self, journey: Journey, arrival: Arrival) -> Proof:
        metadata = await self._discovery.metadata()
        _check_arrival(metadata, journey, arrival)
        answer = await self._exchange(metadata, journey, arrival.code)
        id_token, access_token = answer.get("id_token"), answer.get("access_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise ProviderAnswerWrong("no ID token or no access token")
        claims = await self._tokens.read_id_token(id_token, nonce=journey.nonce, access_token=access_token)
        subject = subject_of(claims)
        if metadata.userinfo and not self._client.needed <= claims.keys():
            claims = {**await self._more(metadata, access_token, subject), **claims}
        return Proof(metadata.issuer, subject, claims, id_token, _session_id(claims))

    async def sign_out_address(self, id_token: str, return_to: str) -> str:
        metadata = await self._discovery.metadata()
        if not metadata.end_session:
            return ""
        asked = {
            "id_token_hint": id_token,
            "post_logout_redirect_uri": return_to,
            "client_id": self._client.client_id,
        }
        given = {name: value for name, value in asked.items() if value}
        return str(httpx.URL(metadata.end_session).copy_merge_params(given))

    async def read_farewell(self, logout_token: str) -> Farewell:
        metadata = await self._discovery.metadata()
        claims = await self._tokens.read_logout_token(logout_token)
        subject, session = claims.get("sub"), _session_id(claims)
        if not session and not isinstance(subject, str):
            raise ProviderAnswerWrong("a logout token about nobody")
        return Farewell(metadata.issuer, subject if isinstance(subject, str) else "", session)

    async def close(self) -> None:
        await self._http.close()

    async def _exchange(self, metadata: Metadata, journey: Journey, code: str) -> Mapping[str, Any]:
        """The tokens for the code, which nobody can redeem who has not the verifier."""
        body = prepare_token_request(
            "authorization_code",
            redirect_uri=journey.redirect_uri,
            code=code,
            code_verifier=journey.verifier,
        )
        method = _auth_method(metadata.auth_methods, has_secret=bool(self._client.client_secret))
        auth = ClientAuth(self._client.client_id, self._client.client_secret, method)
        address, headers, body = auth.prepare("POST", metadata.token, {}, body)
        return await self._http.post(address, headers, body)

    async def _more(self, metadata: Metadata, access_token: str, subject: str) -> Mapping[str, Any]:
        told = await self._http.get(metadata.userinfo, bearer=access_token)
        # Of somebody else, it would make one person of two (OpenID Connect Core, 5.3.4).
        if told.get("sub") != subject:
            raise ProviderAnswerWrong("userinfo is about somebody else")
        return told


def _check_arrival(metadata: Metadata, journey: Journey, arrival: Arrival) -> None:
    if not hmac.compare_digest(arrival.state.encode("utf-8", "replace"), journey.state.encode()):
        raise ProviderAnswerWrong("another state")
    # Before anything else in it is believed: an answer of another provider is no answer (RFC 9207).
    if arrival.issuer != metadata.issuer and (arrival.issuer is not None or metadata.names_issuer):
        raise ProviderAnswerWrong("an answer of another issuer")
    if arrival.error:
        raise ProviderRefused("".join(c for c in arrival.error[:_LONGEST_WORD] if c.isalnum() or c in "_-"))
    if not 0 < len(arrival.code) <= _LONGEST_CODE:
        raise ProviderAnswerWrong("no code")


def _auth_method(known: Collection[str], *, has_secret: bool) -> str:
    if not has_secret:
        return "none"
    return "client_secret_basic" if "client_secret_basic" in known else "client_secret_post"


def _session_id(claims: Mapping[str, Any]) -> str:
    found = claims.get("sid")
    return found if isinstance(found, str) and len(found) <= LONGEST_SUBJECT else ""
