"""/v1 for tests: the real application over a whole installation, asked over ASGI or read piece by piece as it answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Scope

from tests.house import House, open_house
from youworker_app.access.actor import Actor
from youworker_app.access.actor import Scope as KeyScope
from youworker_app.accounts.schemas import CreateApiKey
from youworker_app.api.middleware import OuterPolicy, harden
from youworker_app.core.db import Database
from youworker_app.core.keys import DataKeys
from youworker_app.gateways.llm.protocol import LanguageModel
from youworker_app.gateways.llm.scripted import NoModel
from youworker_app.rest import build_rest

BASE = "http://127.0.0.1:8000"


@cache
def shared_rest() -> FastAPI:
    """The application, made once a process: it holds no state, its routes ask for the services that are there now."""
    return build_rest()


@dataclass
class Person:
    """Somebody with an API key: `http` asks with it."""

    actor: Actor
    key: str
    http: httpx.AsyncClient

    async def upload(self, data: bytes, filename: str = "note.txt", **fields: Any) -> httpx.Response:
        """One file, the fields before it."""
        return await self.http.post("/v1/ingest/upload", data=fields, files={"files": (filename, data)})


@dataclass
class Web:
    """The application and the people who use it."""

    house: House
    api: FastAPI
    app: ASGIApp
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def person(self, name: str, scopes: Sequence[str] = tuple(KeyScope)) -> Person:
        """A new person with an API key for `scopes`."""
        return await self.keyed(await self.house.person(name), scopes)

    async def keyed(self, actor: Actor, scopes: Sequence[str] = tuple(KeyScope)) -> Person:
        """The same person with one more key."""
        made = await self.house.installation.api_keys.create_key(
            actor, CreateApiKey("tests", tuple(str(scope) for scope in scopes))
        )
        return Person(actor, made.key, await self.client({"Authorization": f"Bearer {made.key}"}))

    async def client(self, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        """A client that sends these headers. Unknown errors come back as answers, as they do for people."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return await self._stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers)
        )

    async def ready(self) -> None:
        """Waits until the machine has read what was uploaded."""
        await self.house.installation.queue.idle()

    async def close(self) -> None:
        await self._stack.aclose()


class Exchange:
    """One request that is sent and answered piece by piece, as over a socket."""

    def __init__(self, app: ASGIApp, scope: Scope) -> None:
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        self.task = asyncio.create_task(self._run(app, scope))

    async def _run(self, app: ASGIApp, scope: Scope) -> None:
        await app(scope, self._to_app.get, self._from_app.put)

    async def send(self, body: bytes, *, more: bool = True) -> None:
        await self._to_app.put({"type": "http.request", "body": body, "more_body": more})

    async def leave(self) -> None:
        """The client goes away; returns when the application has let go."""
        await self._to_app.put({"type": "http.disconnect"})
        await asyncio.wait({self.task}, timeout=5)
        assert self.task.done()

    async def start(self, seconds: float = 5) -> tuple[int, dict[str, str]]:
        """Status and headers."""
        message = await asyncio.wait_for(self._from_app.get(), seconds)
        assert message["type"] == "http.response.start"
        return message["status"], {
            name.decode().lower(): value.decode() for name, value in message["headers"]
        }

    async def piece(self, seconds: float = 5) -> bytes:
        """The next piece of the body, b"" at its end."""
        message = await asyncio.wait_for(self._from_app.get(), seconds)
        body: bytes = message.get("body", b"")
        return body

    async def remaining(self, seconds: float = 5) -> bytes:
        """What is left of the body."""
        pieces = []
        while True:
            message = await asyncio.wait_for(self._from_app.get(), seconds)
            pieces.append(message.get("body", b""))
            if not message.get("more_body"):
                return b"".join(pieces)


@asynccontextmanager
async def exchange(
    app: ASGIApp, method: str, path: str, headers: dict[str, str], *, query: str = ""
) -> AsyncIterator[Exchange]:
    """Opens a request; whatever is left of it at the end is a client that went away."""
    raw = [
        (name.lower().encode(), value.encode())
        for name, value in ({"host": "127.0.0.1:8000"} | headers).items()
    ]
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": raw,
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }
    opened = Exchange(app, scope)
    try:
        yield opened
    finally:
        await opened.leave()


@dataclass(frozen=True)
class SentEvent:
    """A server-sent event as a client reads it."""

    id: int | None
    name: str
    data: Any


def events_of(stream: bytes) -> list[SentEvent]:
    """The events of a stream; comments and the retry line are left out."""
    found = []
    for block in stream.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in lines:
            number = int(lines["id"]) if "id" in lines else None
            found.append(SentEvent(number, lines["event"], json.loads(lines["data"])))
    return found


@pytest.fixture
def llm() -> LanguageModel:
    """The language model of `web`: none, unless a test module says otherwise."""
    return NoModel()


@pytest.fixture
async def web(
    database: Database, database_url: str, tmp_path: Path, keys: DataKeys, llm: LanguageModel
) -> AsyncIterator[Web]:
    """The REST application over a house without people."""
    house = await open_house(database_url, tmp_path / "data", keys, llm=llm)
    api = shared_rest()
    opened = Web(house, api, harden(api, OuterPolicy()))
    yield opened
    await opened.close()
    await house.stop()
