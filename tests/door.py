"""A house whose door is a provider, for tests: browsers that go there and come back."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.people import QUICK_HASHER
from tests.provider import CLIENT_ID, CLIENT_SECRET, FakeProvider
from tests.web import Web
from youworker_app.access.forwarded import ForwardedKeys
from youworker_app.accounts.admission import Admission
from youworker_app.accounts.forwarded_sign_in import ForwardedSignIn
from youworker_app.accounts.newcomers import Newcomers
from youworker_app.accounts.passwords import Passwords
from youworker_app.accounts.provider_sign_in import ProviderSignIn
from youworker_app.core import registry
from youworker_app.core.endings import Endings
from youworker_app.core.settings import ForwardAuthSettings, OidcSettings, Settings
from youworker_app.gateways.oidc.provider import OidcProvider, ProviderClient

LOGIN, CALLBACK = "/v1/auth/oidc/login", "/v1/auth/oidc/callback"


@dataclass
class Door:
    """The way in through `provider`."""

    web: Web
    provider: FakeProvider

    def open(self, provider: FakeProvider | None = None, *, timeout_s: float = 5, **settings: Any) -> None:
        """Puts a door with these settings in place of the one that is there."""
        self.provider = provider or self.provider
        installation = self.web.house.installation
        oidc = OidcSettings(issuer=self.provider.issuer, client_id=CLIENT_ID, **settings)
        service(Settings).oidc = oidc
        needed = frozenset({oidc.username_claim, *({oidc.root_claim} if oidc.root_value else ())})
        client = ProviderClient(oidc.issuer, CLIENT_ID, CLIENT_SECRET, oidc.scopes, needed, timeout_s)
        made = ProviderSignIn(
            installation.db,
            installation.keys,
            oidc,
            installation.audit,
            installation.accounts,
            self._admission(),
            installation.bus,
            service(Endings),
            OidcProvider(client, transport=self.provider.transport()),
            proxy_sign_out="/outpost.goauthentik.io/sign_out",
        )
        registry.provide(ProviderSignIn, made)

    def trust(self, *proxies: str, **settings: Any) -> None:
        """Makes these proxies' headers count."""
        installation = self.web.house.installation
        found = ForwardAuthSettings(proxies=proxies, **settings)
        service(Settings).forward_auth = found
        made = ForwardedSignIn(
            installation.db,
            found,
            installation.audit,
            installation.accounts,
            self._admission(),
            service(Endings),
        )
        registry.provide(ForwardedSignIn, made)
        registry.provide(ForwardedKeys, ForwardedKeys(made.accept_key))

    def _admission(self) -> Admission:
        installation = self.web.house.installation
        newcomers = Newcomers(Passwords(min_length=10, hasher=QUICK_HASHER), installation.keys)
        return Admission(installation.db, installation.audit, newcomers, installation.ports, service(Endings))

    async def begin(self, browser: httpx.AsyncClient, **asked: str) -> str:
        """The provider's address that the browser is sent to."""
        answer = await browser.get(LOGIN, params=asked)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def arrive(self, browser: httpx.AsyncClient, back: dict[str, str]) -> httpx.Response:
        """Back from the provider."""
        answer = await browser.get(CALLBACK, params=back)
        assert answer.status_code == 303, answer.text
        assert answer.headers["cache-control"] == "no-store"
        return answer

    async def sign_in(
        self, person: dict[str, Any] | None = None, browser: httpx.AsyncClient | None = None, **asked: str
    ) -> tuple[httpx.AsyncClient, httpx.Response]:
        """There and back in a browser, a new one unless given."""
        used = browser or await self.web.client()
        back = self.provider.sign_in(await self.begin(used, **asked), person)
        return used, await self.arrive(used, back)


service = registry.service


def refusal(answer: httpx.Response) -> str:
    """The code with which a browser was sent to the sign-in page; nothing where it was let in."""
    parts = urlsplit(answer.headers["location"])
    if parts.path != "/login":
        return ""
    told = parse_qs(parts.query)
    assert not [value for value in answer.headers.get_list("set-cookie") if "youworker_session" in value]
    return told["error"][0]


async def who(browser: httpx.AsyncClient) -> dict[str, Any] | None:
    """Whom the browser's session is for."""
    answer = await browser.get("/v1/auth/me")
    assert answer.status_code in {200, 401}
    found: dict[str, Any] = answer.json()
    return found if answer.status_code == 200 else None


@pytest.fixture
async def door(web: Web) -> Door:
    """A house with root, and a door that an honest provider is behind."""
    await web.house.person("root")
    made = Door(web, FakeProvider())
    made.open()
    return made
