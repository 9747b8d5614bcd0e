"""What proves nobody: ID tokens and keys that are wrong, discovery that cannot be trusted, providers that do not behave."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from joserfc import jwt

from tests.provider import (
    CALLBACK,
    CLIENT_ID,
    CLIENT_SECRET,
    ISSUER,
    FakeProvider,
    by_secret,
    endlessly,
    new_key,
    unsigned,
)
from youworker_app.gateways.oidc.protocol import Arrival, Proof, ProviderAnswerWrong, ProviderAway
from youworker_app.gateways.oidc.provider import OidcProvider, ProviderClient

DISCOVERY = ".well-known/openid-configuration"


@pytest.fixture
def provider() -> FakeProvider:
    """Honest, until a test says otherwise."""
    return FakeProvider()


def client_of(provider: FakeProvider, *, timeout_s: float = 5) -> OidcProvider:
    """What asks it. Userinfo is asked where there is no user name in the token."""
    client = ProviderClient(
        ISSUER, CLIENT_ID, CLIENT_SECRET, ("openid",), frozenset({"preferred_username"}), timeout_s
    )
    return OidcProvider(client, transport=provider.transport())


async def sign_in(provider: FakeProvider, client: OidcProvider | None = None) -> Proof:
    """There and back."""
    asked = client or client_of(provider)
    departure = await asked.begin(CALLBACK)
    back = provider.sign_in(departure.address)
    return await asked.finish(departure.journey, Arrival(back["code"], back["state"], back["iss"]))


async def refused(provider: FakeProvider) -> None:
    """A sign-in that proves nobody, for what is wrong with the answer and nothing else."""
    with pytest.raises(ProviderAnswerWrong):
        await sign_in(provider)


async def test_an_honest_answer_proves_who_it_is(provider: FakeProvider) -> None:
    """All refusals below are about what each of them changes."""
    proof = await sign_in(provider)
    assert (proof.issuer, proof.subject, proof.session_id) == (ISSUER, "anna-1", "session-at-the-provider")


# --- ID tokens that prove nothing

CLAIMS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another issuer": lambda c: {**c, "iss": "https://evil.example.test/"},
    "the issuer without its last slash": lambda c: {**c, "iss": ISSUER.rstrip("/")},
    "no issuer": lambda c: {k: v for k, v in c.items() if k != "iss"},
    "another audience": lambda c: {**c, "aud": "another client"},
    "many audiences, none of them us": lambda c: {**c, "aud": ["one", "two"], "azp": "youworker"},
    "another audience too, not authorised for us": lambda c: {**c, "aud": ["youworker", "other"], "azp": "other"},
    "another audience too, authorised for nobody": lambda c: {**c, "aud": ["youworker", "other"]},
    "authorised for another": lambda c: {**c, "azp": "other"},
    "another nonce": lambda c: {**c, "nonce": "of another sign-in"},
    "no nonce": lambda c: {k: v for k, v in c.items() if k != "nonce"},
    "expired": lambda c: {**c, "iat": int(time.time()) - 7_200, "exp": int(time.time()) - 3_600},
    "without an end": lambda c: {k: v for k, v in c.items() if k != "exp"},
    "an end that is no time": lambda c: {**c, "exp": "never"},
    "issued in the future": lambda c: {**c, "iat": int(time.time()) + 3_600, "exp": int(time.time()) + 7_200},
    "not valid yet": lambda c: {**c, "nbf": int(time.time()) + 3_600},
    "about nobody": lambda c: {k: v for k, v in c.items() if k != "sub"},
    "an empty subject": lambda c: {**c, "sub": ""},
    "a subject that is no text": lambda c: {**c, "sub": 7},
    "a subject with a NUL": lambda c: {**c, "sub": "a\0b"},
    "a very long subject": lambda c: {**c, "sub": "a" * 256},
    "of another access token": lambda c: {**c, "at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}  # fmt: skip


@pytest.mark.parametrize("name", CLAIMS)
async def test_a_token_that_is_not_for_this_sign_in(provider: FakeProvider, name: str) -> None:
    provider.alter = CLAIMS[name]
    await refused(provider)


def forgeries(provider: FakeProvider) -> dict[str, Callable[[dict[str, Any]], str]]:
    """Tokens that the provider's key did not sign, each with honest claims."""
    other = new_key(str(provider.key.kid))
    public, named = provider.key.as_pem(private=False), {"kid": provider.key.kid}

    def cut(claims: dict[str, Any]) -> str:
        return provider.signed(claims).rpartition(".")[0] + "."

    def swapped(claims: dict[str, Any]) -> str:
        header, _, signature = provider.signed({**claims, "sub": "somebody"}).split(".")
        return f"{header}.{provider.signed(claims).split('.')[1]}.{signature}"

    embedded = {"alg": "ES256", "jwk": other.as_dict(private=False)}
    return {
        "alg none": lambda c: unsigned({"alg": "none"}, c),
        "alg None, as some write it": lambda c: unsigned({"alg": "None", "kid": "first"}, c),
        "no alg": lambda c: unsigned({"typ": "JWT"}, c),
        "unsigned": cut,
        "HS256 with the public key": lambda c: by_secret(public, named, c),
        "HS256 with the client secret": lambda c: by_secret(CLIENT_SECRET.encode(), named, c),
        "another key under the same name": lambda c: jwt.encode(
            {"alg": "ES256", "kid": other.kid}, c, other
        ),
        "another key without a name": lambda c: jwt.encode({"alg": "ES256"}, c, other),
        "HS256 with the public key, unnamed": lambda c: by_secret(public, {}, c),
        "the key that it brings along": lambda c: jwt.encode(embedded, c, other),
        "an unknown key": lambda c: jwt.encode({"alg": "ES256", "kid": "x"}, c, other),
        "an algorithm that was not announced": lambda c: unsigned({"alg": "ES512", "kid": "first"}, c),
        "the signature of other claims": swapped,
        "a critical header that nobody knows": lambda c: unsigned({"alg": "ES256", "crit": ["x"], "x": 1}, c),
        "no token at all": lambda c: "",
        "a very long token": lambda c: provider.signed({**c, "more": "a" * 20_000}),
        "deep nesting": lambda c: "[" * 9_000 + ".e30.",
        "letters beyond ASCII": lambda c: "é.é.é",
    }  # fmt: skip


@pytest.mark.parametrize("name", forgeries(FakeProvider()))
async def test_a_token_that_the_provider_did_not_sign(provider: FakeProvider, name: str) -> None:
    provider.sign = forgeries(provider)[name]
    await refused(provider)


@pytest.mark.parametrize(
    "found", [[], ["RSA"], [{"kty": "oct", "k": "c2VjcmV0"}], [None, 7, {}], "none", [{}] * 51]
)
async def test_keys_that_are_none(provider: FakeProvider, found: Any) -> None:
    provider.answer["jwks/"] = lambda request: httpx.Response(200, json={"keys": found})
    await refused(provider)


async def test_a_very_long_list_of_keys(provider: FakeProvider) -> None:
    keys = [provider.key.as_dict(private=False)] * 51
    provider.answer["jwks/"] = lambda request: httpx.Response(200, json={"keys": keys})
    await refused(provider)


async def test_a_key_that_can_be_broken(provider: FakeProvider) -> None:
    """1,024 bits; the library would only warn of it."""
    weak = rsa.generate_private_key(65_537, 1_024)  # noqa: S505 - what is refused
    numbers = weak.public_key().public_numbers()
    modulus = base64.urlsafe_b64encode(numbers.n.to_bytes(128, "big")).rstrip(b"=").decode()
    told = {"kty": "RSA", "kid": "weak", "use": "sig", "n": modulus, "e": "AQAB"}
    provider.answer["jwks/"] = lambda request: httpx.Response(200, json={"keys": [told]})

    def signed(claims: dict[str, Any]) -> str:
        body = unsigned({"alg": "RS256", "kid": "weak"}, claims).rstrip(".")
        made = weak.sign(body.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{body}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"

    provider.sign = signed
    await refused(provider)


async def test_a_new_key_of_the_provider_is_asked_for_once(provider: FakeProvider) -> None:
    client = client_of(provider)
    await sign_in(provider, client)
    provider.key = new_key("second")
    for _ in range(2):
        assert (await sign_in(provider, client)).subject == "anna-1"
    assert provider.asked.count("jwks/") == 2
    assert provider.asked.count(DISCOVERY) == 1


BAD_METADATA: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://evil.example.test/"},
    "no issuer": {"issuer": None},
    "only secrets sign": {"id_token_signing_alg_values_supported": ["HS256", "none"]},
    "no algorithms": {"id_token_signing_alg_values_supported": None},
    "no token endpoint": {"token_endpoint": None},
    "a token endpoint that all can read": {"token_endpoint": "http://auth.example.test/token"},
    "keys that all can change": {"jwks_uri": "http://auth.example.test/jwks"},
    "keys in a file": {"jwks_uri": "file:///etc/passwd"},
    "a script as the sign-in page": {"authorization_endpoint": "javascript:alert(1)"},
    "a sign-in page with a user name": {"authorization_endpoint": "https://a:b@auth.example.test/"},
    "a header in an address": {"authorization_endpoint": "https://auth.example.test/\r\nset-cookie: a=b"},
    "a list": {"authorization_endpoint": ["https://auth.example.test/"]},
    "a very long address": {"authorization_endpoint": "https://auth.example.test/" + "a" * 2_000},
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_METADATA)
async def test_discovery_that_cannot_be_trusted(provider: FakeProvider, name: str) -> None:
    provider.metadata = BAD_METADATA[name]
    with pytest.raises(ProviderAnswerWrong):
        await client_of(provider).begin(CALLBACK)
    assert provider.asked == [DISCOVERY]


BODIES: dict[str, tuple[int, Any, type[Exception]]] = {
    "endless": (200, lambda: endlessly(b" " * 65_536), ProviderAnswerWrong),
    "not JSON": (200, lambda: b"<html>", ProviderAnswerWrong),
    "not an object": (200, lambda: b"[1]", ProviderAnswerWrong),
    "deep nesting": (200, lambda: b"[" * 100_000, ProviderAnswerWrong),
    "not UTF-8": (200, lambda: b'{"issuer": "\xff"}', ProviderAnswerWrong),
    "nothing": (200, lambda: b"", ProviderAnswerWrong),
    "a redirect": (302, lambda: b"", ProviderAnswerWrong),
    "not found": (404, lambda: b"{}", ProviderAnswerWrong),
    "broken": (502, lambda: b"", ProviderAway),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
async def test_discovery_that_is_huge_or_malformed(provider: FakeProvider, name: str) -> None:
    status, body, error = BODIES[name]
    provider.answer[DISCOVERY] = lambda request: httpx.Response(
        status, content=body(), headers={"location": "https://evil.example.test/"}
    )
    with pytest.raises(error):
        await client_of(provider).begin(CALLBACK)
    assert provider.asked == [DISCOVERY]


@pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 400, 404])
async def test_discovery_that_is_no_answer(provider: FakeProvider, status: int) -> None:
    """What would be right with 200: an error's body, or a redirect's, is nobody's word."""
    honest = provider.told_of_itself()
    provider.answer[DISCOVERY] = lambda request: httpx.Response(status, json=honest)
    with pytest.raises(ProviderAnswerWrong):
        await client_of(provider).begin(CALLBACK)


async def test_a_slow_provider(provider: FakeProvider) -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    provider.answer[DISCOVERY] = never
    with pytest.raises(ProviderAway):
        await client_of(provider, timeout_s=0.05).begin(CALLBACK)


async def test_a_provider_that_sends_drop_by_drop(provider: FakeProvider) -> None:
    async def drops() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.01)
            yield b" "

    provider.answer["token/"] = lambda request: httpx.Response(200, content=drops())
    with pytest.raises(ProviderAway):
        await sign_in(provider, client_of(provider, timeout_s=0.2))


@pytest.mark.parametrize(
    "told", [{}, {"id_token": 7, "access_token": "a"}, {"access_token": "a"}, {"id_token": "a.b.c"}]
)
async def test_tokens_that_are_none(provider: FakeProvider, told: dict[str, Any]) -> None:
    provider.answer["token/"] = lambda request: httpx.Response(200, json=told)
    await refused(provider)


async def test_userinfo_of_somebody_else(provider: FakeProvider) -> None:
    provider.person = {"sub": "anna-1"}
    provider.userinfo = {"sub": "root-1", "preferred_username": "root"}
    await refused(provider)
