"""The REST application of accounts and groups over ASGI, inside the outer checks, as a browser and a script meet it."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from starlette.types import ASGIApp

from tests.people import PASSWORD
from youworker_app.access.credentials import Authentication
from youworker_app.accounts import form_routes, oidc_routes
from youworker_app.accounts import routes as account_routes
from youworker_app.accounts.api_keys import ApiKeyService
from youworker_app.accounts.devices import DeviceService
from youworker_app.accounts.erasures import Erasures
from youworker_app.accounts.own_erasure import OwnErasureService
from youworker_app.accounts.own_password import OwnPasswordService
from youworker_app.accounts.people import PeopleService
from youworker_app.accounts.provider_sign_in import ProviderSignIn
from youworker_app.accounts.resets import ResetService
from youworker_app.accounts.service import AccountService
from youworker_app.api.app import create_api
from youworker_app.api.middleware import OuterPolicy, harden
from youworker_app.core.db import Database
from youworker_app.core.endings import Endings
from youworker_app.core.rates import RateLimits
from youworker_app.core.registry import provide
from youworker_app.core.settings import LimitSettings, Settings
from youworker_app.groups import routes as group_routes
from youworker_app.groups.service import GroupService
from youworker_app.operations import routes as health_routes
from youworker_app.operations.service import HealthService

ADDRESS = "http://127.0.0.1:8000"
NAME = "root person"


@dataclass
class Rest:
    """The application and ways to reach it."""

    app: ASGIApp
    accounts: AccountService

    def client(self, **headers: str) -> httpx.AsyncClient:
        """Somebody without a credential, with a cookie jar of their own."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=ADDRESS, headers=headers)

    async def browser(self, name: str = NAME) -> httpx.AsyncClient:
        """A signed-in browser that sends its CSRF token; the first one sets the installation up."""
        client = self.client()
        if await self.accounts.needs_setup():
            token = await self.accounts.issue_setup_token()
            body = {"setup_token": token, "username": name, "password": PASSWORD}
            answer = await client.post("/v1/setup", json=body)
        else:
            answer = await client.post("/v1/auth/login", json={"username": name, "password": PASSWORD})
        client.headers["x-csrf-token"] = answer.raise_for_status().json()["csrf_token"]
        return client

    async def colleague(self, name: str) -> httpx.AsyncClient:
        """Another person's signed-in browser."""
        root = await self.browser()
        answer = await root.post("/v1/users", json={"username": name, "password": PASSWORD})
        answer.raise_for_status()
        return await self.browser(name)

    async def script(self, browser: httpx.AsyncClient, *scopes: str) -> httpx.AsyncClient:
        """A script with a key of the browser's person."""
        answer = await browser.post("/v1/account/api-keys", json={"name": "script", "scopes": scopes})
        return self.client(authorization=f"Bearer {answer.raise_for_status().json()['key']}")


@pytest.fixture
async def rest(
    database: Database,
    accounts: AccountService,
    people: PeopleService,
    api_keys: ApiKeyService,
    groups: GroupService,
    devices: DeviceService,
    own_password: OwnPasswordService,
    resets: ResetService,
    endings: Endings,
    provider_sign_in: ProviderSignIn,
    erasures: Erasures,
    own_erasure: OwnErasureService,
) -> Rest:
    """The application over a fresh database."""
    provide(Settings, Settings())
    provide(AccountService, accounts)
    provide(PeopleService, people)
    provide(ApiKeyService, api_keys)
    provide(GroupService, groups)
    provide(DeviceService, devices)
    provide(OwnPasswordService, own_password)
    provide(ResetService, resets)
    provide(ProviderSignIn, provider_sign_in)
    provide(Erasures, erasures)
    provide(OwnErasureService, own_erasure)
    provide(HealthService, HealthService(database))
    provide(Endings, endings)
    provide(RateLimits, RateLimits(LimitSettings()))
    provide(Authentication, Authentication(accounts.authenticate, accounts.check_csrf))
    return Rest(harden(shared_app(), OuterPolicy()), accounts)


@cache
def shared_app() -> Any:
    """The application of these domains, made once a process: it holds no state."""
    return make_app()


def make_app(*more: APIRouter) -> Any:
    """The application of these domains, and more."""
    return create_api(
        [account_routes.router, group_routes.router, *more],
        plain=[form_routes.router, oidc_routes.plain_router, health_routes.router],
    )


def error_of(answer: httpx.Response) -> tuple[int, str]:
    """(status, code), after the shape of an error was looked at."""
    body = answer.json()
    assert body.keys() == {"error"}
    assert body["error"].keys() == {"code", "message", "details", "correlation_id"}
    assert body["error"]["correlation_id"] == answer.headers["x-correlation-id"]
    assert body["error"]["message"]
    return answer.status_code, body["error"]["code"]
