"""Several who change one document at the same moment, who leave, or whose index is away: what stays is what SQL says."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.house import House, open_house
from tests.services.test_interruptions import cut_off
from youworker_app.access.actor import Actor
from youworker_app.core.db import Database
from youworker_app.core.keys import DataKeys
from youworker_app.core.registry import service
from youworker_app.documents.schemas import ChangeDocument
from youworker_app.gateways.blobs.memory import MemoryBlobStore
from youworker_app.gateways.embeddings.memory import InMemoryEmbedder
from youworker_app.gateways.llm.scripted import NoModel
from youworker_app.gateways.parsing.parser import LocalParser
from youworker_app.gateways.vectors.errors import VectorStoreAway
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.ingestion.maintenance import IndexMaintenance
from youworker_app.wiring import Gateways

NOTE = b"The boiler in the cellar is serviced in March. Its number is K-4711."
PATIENCE_S = 30


class Held:
    """Holds the next who comes by until it is opened."""

    def __init__(self) -> None:
        self.is_next = False
        self.came, self.opened = asyncio.Event(), asyncio.Event()

    async def pass_by(self) -> None:
        if self.is_next:
            self.is_next = False
            self.came.set()
            await self.opened.wait()


class HeldVectors(MemoryVectorStore):
    """Whose keywords can be held up before they are written, or refused."""

    def __init__(self) -> None:
        super().__init__()
        self.held, self.is_away = Held(), False

    async def set_visibility(self, document_id: str, visibility: Sequence[str]) -> None:
        await self.held.pass_by()
        if self.is_away:
            raise VectorStoreAway
        await super().set_visibility(document_id, visibility)


class HeldBlobs(MemoryBlobStore):
    """Whose writes can be held up before they begin, or when they are done."""

    def __init__(self) -> None:
        super().__init__()
        self.before, self.after = Held(), Held()

    async def write(self, *arguments: Any, **options: Any) -> Any:
        await self.before.pass_by()
        receipt = await super().write(*arguments, **options)
        await self.after.pass_by()
        return receipt


class Place:
    """A document of Anna's in the first of her two groups."""

    def __init__(self) -> None:
        self.vectors, self.blobs = HeldVectors(), HeldBlobs()
        self.house: House
        self.anna: Actor
        self.groups: list[str] = []
        self.document = ""

    async def change(self, **what: Any) -> None:
        await self.house.sharing.change_document(self.anna, self.document, ChangeDocument(**what))

    async def is_right(self) -> bool:
        """Whether the index says what SQL says."""
        return (await service(IndexMaintenance).check(repair=False)).is_clean


@pytest.fixture
async def place(
    database: Database, database_url: str, tmp_path: Path, keys: DataKeys
) -> AsyncIterator[Place]:
    made = Place()
    gateways = Gateways(made.blobs, made.vectors, InMemoryEmbedder(), NoModel(), LocalParser())
    house = made.house = await open_house(database_url, tmp_path / "data", keys, gateways=gateways)
    service(IndexMaintenance)._rebuilding.settle_s = 0.02
    house.installation.following._pause_s = 0.02
    anna = await house.person("anna")
    made.groups = [await house.team(anna, name) for name in ("North", "South")]
    made.anna = await house.signed_in("anna")
    made.document = (await house.upload(made.anna, NOTE, group_id=made.groups[0])).document_id or ""
    yield made
    await house.stop()


async def test_of_two_opposite_moves_the_index_knows_the_last(place: Place) -> None:
    """The first is held up between its commit and the index, in which the second comes and goes."""
    place.vectors.held.is_next = True
    first = asyncio.create_task(place.change(is_private=True))
    await place.vectors.held.came.wait()
    await place.change(is_private=False)
    place.vectors.held.opened.set()
    await first
    assert await place.is_right()


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_move_that_was_planned_before_another_does_not_undo_it(place: Place, moment: str) -> None:
    """It is held up before its copy, for which the bytes are gone then, or after it."""
    held: Held = getattr(place.blobs, moment)
    held.is_next = True
    first = asyncio.create_task(place.change(is_private=True))
    await held.came.wait()
    await place.change(group_id=place.groups[1])
    held.opened.set()
    await first
    view = await place.house.documents.get_document(place.anna, place.document)
    assert (view.group_id, view.is_private) == (place.groups[1], True)
    assert await place.is_right()
    files = {blob_id async for blob_id in place.blobs.list_ids()}
    assert files == {view.file_id}


async def test_moves_of_those_who_leave_are_followed_all_the_same(place: Place) -> None:
    for step in range(0, 60, 3):
        await cut_off(place.change(is_private=step % 2 == 0), step)
        async with asyncio.timeout(PATIENCE_S):
            while place.house.installation.following.is_behind:
                await asyncio.sleep(0.01)
        assert await place.is_right(), step


async def test_a_move_while_the_index_is_away_is_made_and_followed_later(place: Place) -> None:
    place.vectors.is_away = True
    await place.change(is_private=True)
    view = await place.house.documents.get_document(place.anna, place.document)
    assert view.is_private
    assert not await place.is_right()
    place.vectors.is_away = False
    async with asyncio.timeout(PATIENCE_S):
        while not await place.is_right():
            await asyncio.sleep(0.01)
