"""A running copy of the company. It is made once a process and copied for each test: database file, blobs and vectors."""

import asyncio
import copy
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.databases import Databases
from tests.house import House, open_house
from tests.isolation.company import Facts
from tests.isolation.founding import Founding
from tests.web import shared_rest
from youworker_app.access.actor import Actor
from youworker_app.api.middleware import OuterPolicy, harden
from youworker_app.core import registry
from youworker_app.core.crypto import MasterKeys, new_master_key
from youworker_app.core.db import Database
from youworker_app.core.ids import new_id
from youworker_app.core.keys import DataKeys
from youworker_app.gateways.blobs.memory import MemoryBlobStore
from youworker_app.gateways.embeddings.memory import InMemoryEmbedder
from youworker_app.gateways.llm.scripted import NoModel
from youworker_app.gateways.parsing.parser import LocalParser
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.wiring import Gateways

BASE = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Template:
    """The company as it was when it was made."""

    databases: Databases
    url: str
    blobs: MemoryBlobStore
    vectors: MemoryVectorStore
    keys: DataKeys
    facts: Facts


@dataclass
class World:
    """A running copy of the company. `app` is everything under HTTP with its outer checks."""

    house: House
    facts: Facts
    vectors: MemoryVectorStore
    blobs: MemoryBlobStore
    app: Any

    @asynccontextmanager
    async def client(self, headers: Mapping[str, str] | None = None) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as opened:
            yield opened

    async def actor(self, person: str) -> Actor:
        """The person as they stand now."""
        return await self.house.signed_in(person)

    @property
    def db(self) -> Database:
        return self.house.installation.db


def make_template(databases: Databases, folder: Path) -> Template:
    """Makes the company."""
    blobs, vectors, keys = MemoryBlobStore(), MemoryVectorStore(), DataKeys(MasterKeys([new_master_key()]))
    facts, url = Facts(), databases.fresh(folder)

    async def make() -> None:
        house = await open_house(url, folder / "data", keys, gateways=memory_gateways(blobs, vectors))
        await Founding(house, facts).found()
        await house.stop()

    with asyncio.Runner() as runner:
        runner.run(make())
    registry.clear()
    return Template(databases, url, blobs, vectors, keys, facts)


@asynccontextmanager
async def opened(template: Template, folder: Path) -> AsyncIterator[World]:
    """A copy of the company that runs until the end of the block."""
    url = template.databases.copy(template.url, folder)
    blobs, vectors = copy.deepcopy(template.blobs), copy.deepcopy(template.vectors)
    house = await open_house(url, folder / "data", template.keys, gateways=memory_gateways(blobs, vectors))
    house.root = await house.signed_in("root")
    try:
        yield World(house, template.facts, vectors, blobs, harden(shared_rest(), OuterPolicy()))
    finally:
        await house.stop()
        template.databases.drop(url)


@asynccontextmanager
async def beside(template: Template, folder: Path) -> AsyncIterator[World]:
    """One more copy while another one runs, whose services are the registered ones again afterwards."""
    before = dict(registry._instances)
    inner = folder / new_id()
    inner.mkdir()
    try:
        async with opened(template, inner) as world:
            yield world
    finally:
        registry._instances.update(before)


def memory_gateways(blobs: MemoryBlobStore, vectors: MemoryVectorStore) -> Gateways:
    """In-memory ones over these two, which outlive a start."""
    return Gateways(blobs, vectors, InMemoryEmbedder(), NoModel(), LocalParser())
