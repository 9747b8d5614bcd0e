"""An OpenID provider for tests, inside the process: honest unless a test says otherwise."""

import base64
import hashlib
import hmac
import inspect
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit
from uuid import uuid4

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, Key

ISSUER = "https://auth.example.test/application/o/youworker/"
CLIENT_ID, CLIENT_SECRET = "youworker", "a client secret that nobody guesses"
CALLBACK = "http://127.0.0.1:8000/v1/auth/oidc/callback"
# What Back-Channel Logout 1.0 calls itself inside a token.
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


def new_key(name: str) -> ECKey:
    """A key for signatures."""
    return ECKey.generate_key("P-256", {"kid": name, "use": "sig", "alg": "ES256"})


def half_hash(text: str) -> str:
    """`at_hash` of an access token, for SHA-256."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """A token in the form of a signed one, whatever stands in it."""
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def by_secret(secret: bytes, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Signed with HS256. By hand: libraries refuse some of the secrets that attackers take."""
    body = unsigned({**header, "alg": "HS256"}, claims).rstrip(".")
    mac = hmac.new(secret, body.encode(), hashlib.sha256).digest()
    return f"{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


class Wire(httpx.AsyncBaseTransport):
    """What a client is given instead of the network: answers come as they would over it, unread."""

    def __init__(self, provider: "FakeProvider") -> None:
        self._provider = provider

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        found = await self._provider.handle(request)
        if isinstance(found.stream, httpx.ByteStream):
            return httpx.Response(
                found.status_code, headers=found.headers, stream=httpx.ByteStream(found.content)
            )
        return found


@dataclass
class Issued:
    """A code that was given out: for whom, and what it is bound to."""

    person: dict[str, Any]
    nonce: str
    challenge: str
    redirect_uri: str


@dataclass
class FakeProvider:
    """`person` signs in next. What an evil provider does stands in the fields that begin with `alter`, `sign` or `answer`."""

    issuer: str = ISSUER
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "anna-1", "preferred_username": "anna"})
    key: Key = field(default_factory=lambda: new_key("first"))
    metadata: dict[str, Any] = field(default_factory=dict)  # over the honest one
    userinfo: dict[str, Any] | None = None
    alter: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
    sign: Callable[[dict[str, Any]], str] | None = None
    answer: dict[str, Callable[[httpx.Request], Any]] = field(default_factory=dict)  # by path
    asked: list[str] = field(default_factory=list)
    codes: dict[str, Issued] = field(default_factory=dict)

    def transport(self) -> httpx.AsyncBaseTransport:
        """What a client is given instead of the network."""
        return Wire(self)

    def sign_in(self, address: str, person: dict[str, Any] | None = None) -> dict[str, str]:
        """What its sign-in page does with an address that a browser came with: the parameters of the way back."""
        asked = dict(parse_qsl(urlsplit(address).query, strict_parsing=True))
        assert address.startswith(f"{self.issuer}authorize?")
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT_ID)
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = uuid4().hex
        given = person or self.person
        self.codes[code] = Issued(given, asked["nonce"], asked["code_challenge"], asked["redirect_uri"])
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    async def handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix(urlsplit(self.issuer).path)
        self.asked.append(path)
        if path in self.answer:
            found = self.answer[path](request)
            return await found if inspect.isawaitable(found) else found
        match path:
            case ".well-known/openid-configuration":
                return httpx.Response(200, json=self.told_of_itself())
            case "jwks/":
                return httpx.Response(200, json={"keys": [self.key.as_dict(private=False)]})
            case "token/":
                return self._token(request)
            case "userinfo/" if self.userinfo is not None:
                return httpx.Response(200, json=self.userinfo)
        return httpx.Response(404)

    def id_token(self, person: dict[str, Any], nonce: str, access_token: str) -> str:
        """As an honest provider makes it, then as `alter` and `sign` want it."""
        moment = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": moment,
            "exp": moment + 300,
            "nonce": nonce,
            "at_hash": half_hash(access_token),
            "sid": "session-at-the-provider",
        }
        altered = self.alter({**claims, **person})
        return self.sign(altered) if self.sign else self.signed(altered)

    def signed(self, claims: dict[str, Any], **header: Any) -> str:
        """Signed with the key that it announces."""
        return jwt.encode({"alg": "ES256", "kid": self.key.kid, **header}, claims, self.key)

    def logout_token(self, **claims: Any) -> str:
        """Its word that somebody signed out."""
        moment = int(time.time())
        told = {"iss": self.issuer, "aud": CLIENT_ID, "iat": moment, "exp": moment + 120, "jti": uuid4().hex}
        return self.signed({**told, "events": {LOGOUT_EVENT: {}}, **claims}, typ="logout+jwt")

    def told_of_itself(self) -> dict[str, Any]:
        """Its metadata, with what a test puts over it."""
        honest = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}authorize",
            "token_endpoint": f"{self.issuer}token/",
            "jwks_uri": f"{self.issuer}jwks/",
            "end_session_endpoint": f"{self.issuer}end-session/",
            "id_token_signing_alg_values_supported": ["ES256", "RS256", "HS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "authorization_response_iss_parameter_supported": True,
        }
        if self.userinfo is not None:
            honest["userinfo_endpoint"] = f"{self.issuer}userinfo/"
        return {**honest, **self.metadata}

    def _token(self, request: httpx.Request) -> httpx.Response:
        sent = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        issued = self.codes.pop(sent.get("code", ""), None)
        proved = base64.urlsafe_b64encode(hashlib.sha256(sent["code_verifier"].encode()).digest())
        is_good = (
            request.headers["authorization"] == f"Basic {expected}"
            and sent["grant_type"] == "authorization_code"
            and issued is not None
            and proved.rstrip(b"=").decode() == issued.challenge
            and sent["redirect_uri"] == issued.redirect_uri
        )
        if not is_good or issued is None:
            return httpx.Response(400, json={"error": "invalid_grant"})
        access_token = uuid4().hex
        id_token = self.id_token(issued.person, issued.nonce, access_token)
        told = {"access_token": access_token, "token_type": "Bearer", "expires_in": 300, "id_token": id_token}
        return httpx.Response(200, json=told)


async def endlessly(piece: bytes) -> AsyncIterator[bytes]:
    """A body without an end."""
    while True:
        yield piece
