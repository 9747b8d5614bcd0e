"""The people of a measured installation: made over /v1, each with an API key and a signed-in browser's cookie."""

import asyncio
from dataclasses import dataclass
from typing import Any

import aiohttp

from bench.servers import Server
from youworker_app.api.cookies import SESSION_COOKIE

PASSWORD = "una lunga parola segreta"  # noqa: S105 - of an installation that lives for minutes
_SCOPES = ["chat:read", "chat:write", "documents:read", "documents:write", "groups:read", "groups:write"]


@dataclass(frozen=True)
class Person:
    """`cookie` and `key` are header values: Cookie, and Authorization without Bearer."""

    name: str
    key: str
    cookie: str
    csrf: str

    @property
    def headers(self) -> dict[str, str]:
        """Of a program."""
        return {"Authorization": f"Bearer {self.key}"}


async def make_people(server: Server, count: int) -> list[Person]:
    """Sets the installation up: root first, then colleagues."""
    token = server.setup_link().partition("token=")[2]
    body = {"setup_token": token, "username": "person-0", "password": PASSWORD}
    root = await _signed_in(server, "/v1/setup", body)
    few = asyncio.Semaphore(2)
    rest = await asyncio.gather(*(_colleague(server, root, number, few) for number in range(1, count)))
    return [root, *rest]


async def _colleague(server: Server, root: Person, number: int, few: asyncio.Semaphore) -> Person:
    body = {"username": f"person-{number}", "password": PASSWORD}
    async with few, _browser(root) as http, http.post(f"{server.url}/v1/users", json=body) as answer:
        answer.raise_for_status()
        return await _signed_in(server, "/v1/auth/login", body)


async def _signed_in(server: Server, route: str, body: dict[str, str]) -> Person:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        async with http.post(f"{server.url}{route}", json=body) as answer:
            answer.raise_for_status()
            csrf: str = (await answer.json())["csrf_token"]
            cookie = f"{SESSION_COOKIE}={answer.cookies[SESSION_COOKIE].value}"
        asked: dict[str, Any] = {"name": "bench", "scopes": _SCOPES}
        async with http.post(
            f"{server.url}/v1/account/api-keys", json=asked, headers={"X-CSRF-Token": csrf}
        ) as answer:
            answer.raise_for_status()
            return Person(body["username"], (await answer.json())["key"], cookie, csrf)


def _browser(person: Person) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers={"Cookie": person.cookie, "X-CSRF-Token": person.csrf})
