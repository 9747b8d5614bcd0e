"""The index is rebuilt while people search, upload, move and delete; a process that dies in between goes on."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from tests.house import House, open_house, pieces
from youworker_app.access.actor import Actor
from youworker_app.core.db import Database
from youworker_app.core.keys import DataKeys
from youworker_app.core.registry import service
from youworker_app.core.settings import DatabaseSettings, Settings
from youworker_app.documents.schemas import ChangeDocument
from youworker_app.gateways.blobs.memory import MemoryBlobStore
from youworker_app.gateways.embeddings.errors import EmbeddingAway, EmbeddingDimensionChanged
from youworker_app.gateways.embeddings.memory import InMemoryEmbedder
from youworker_app.gateways.llm.scripted import NoModel
from youworker_app.gateways.parsing.parser import LocalParser
from youworker_app.gateways.vectors.embedded import EmbeddedVectorStore
from youworker_app.gateways.vectors.errors import VectorIndexRebuilding
from youworker_app.gateways.vectors.generations import GenerationStore
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.gateways.vectors.protocol import StoredPoint, VectorStore
from youworker_app.gateways.vectors.shelves import FolderShelf, GivenShelf
from youworker_app.ingestion.maintenance import IndexMaintenance, ReindexProgress
from youworker_app.ingestion.repository import Generations, read_generations
from youworker_app.ingestion.schemas import Upload
from youworker_app.retrieval.schemas import SearchQuery
from youworker_app.retrieval.service import RetrievalService
from youworker_app.wiring import Gateways, Installation

LONG = "\n\n".join(f"Paragraph {n}. The pump P-{n} stands in hall {n}. " * 6 for n in range(60)).encode()
NOTE = b"The boiler in the cellar is serviced in March. Its number is K-4711."
QUESTION = "When is the boiler serviced?"


class SwappedEmbedder(InMemoryEmbedder):
    """Whose model can be exchanged for one of another size, and which can be held up or away."""

    def __init__(self, model_id: str = "memory-words-64", size: int = 64) -> None:
        super().__init__(model_id)
        self.size = self.known = size
        self.gate = asyncio.Event()
        self.gate.set()
        self.failures = 0
        self.steps: asyncio.Semaphore | None = None

    async def dimension(self) -> int:
        return self.known

    async def measure(self) -> int:
        self.known = self.size
        return self.known

    async def embed_documents(self, texts):  # type: ignore[no-untyped-def]
        await self.gate.wait()
        if self.steps is not None:
            await self.steps.acquire()
        if self.failures:
            self.failures -= 1
            raise EmbeddingAway(url="ollama")
        return self._resized(await super().embed_documents(texts))

    async def embed_query(self, text):  # type: ignore[no-untyped-def]
        return self._resized(await super().embed_query(text))

    def _resized(self, vectors):  # type: ignore[no-untyped-def]
        if self.size != self.known:
            raise EmbeddingDimensionChanged(model="m", expected=self.known, found=self.size)
        return np.concatenate([vectors, np.zeros((*vectors.shape[:-1], self.size - 64), np.float32)], axis=-1)


class Place:
    """An installation that can be started again over what it keeps."""

    def __init__(self, database_url: str, folder: Path, keys: DataKeys) -> None:
        self.database_url, self.folder, self.keys = database_url, folder, keys
        self.blobs, self.shelf = MemoryBlobStore(), GivenShelf(MemoryVectorStore(), MemoryVectorStore)
        self.embedder = SwappedEmbedder()
        self.house: House | None = None

    async def start(self, embedder: SwappedEmbedder | None = None) -> House:
        self.embedder = embedder or self.embedder
        index = GenerationStore(self.shelf)
        gateways = Gateways(self.blobs, index, self.embedder, NoModel(), LocalParser())
        self.house = await open_house(self.database_url, self.folder, self.keys, gateways=gateways)
        service(IndexMaintenance)._rebuilding.settle_s = 0.05
        return self.house

    async def stop(self) -> None:
        if self.house is not None:
            await self.house.stop()
            self.house = None


@pytest.fixture
async def place(database: Database, database_url: str, tmp_path: Path, keys: DataKeys):  # type: ignore[no-untyped-def]
    made = Place(database_url, tmp_path / "data", keys)
    yield made
    await made.stop()


async def generations(house: House) -> Generations:
    async with house.installation.db.read() as unit:
        return await read_generations(unit)


async def points(house: House) -> list[StoredPoint]:
    return await house.installation.index.list_points(limit=10_000)


async def kept(store: VectorStore) -> int:
    return sum((await store.count_by_document()).values())


async def found(actor: Actor, question: str = QUESTION) -> set[str]:
    return {hit.document_id for hit in await service(RetrievalService).search(actor, SearchQuery(question))}


async def rebuilt() -> list[ReindexProgress]:
    return [progress async for progress in service(IndexMaintenance).reindex()]


async def test_a_rebuilt_index_is_the_same_and_the_old_one_is_gone(place: Place) -> None:
    house = await place.start()
    anna = await house.person("anna")
    for n in range(3):
        await house.upload(anna, LONG + b"%d" % n, f"{n}.txt")
    before, embedded = await points(house), place.embedder.texts_embedded
    told = await rebuilt()
    assert told[-1] == ReindexProgress(3, 3, len(before), "", is_done=True)
    assert [each.is_done for each in told[:-1]] == [False] * (len(told) - 1)
    assert await points(house) == before
    assert place.embedder.texts_embedded == embedded + len(before)
    assert await generations(house) == Generations("2", None, ())
    assert not place.shelf.stores[""]._points  # type: ignore[attr-defined]
    await place.stop()
    house = await place.start()
    assert await points(house) == before
    await rebuilt()
    assert await generations(house) == Generations("3", None, ())


async def test_people_go_on_working_while_it_is_rebuilt(place: Place) -> None:
    """What they did is in the new index, and a search finds everything at any moment."""
    house = await place.start()
    anna = await house.person("anna")
    team = await house.team(anna, "Team")
    anna = await house.signed_in("anna")
    boiler = (await house.upload(anna, NOTE, "boiler.txt")).document_id or ""
    moved, gone = [
        (await house.upload(anna, LONG + b"%d" % n, f"{n}.txt")).document_id or "" for n in range(2)
    ]
    working = asyncio.create_task(rebuilt())
    answers, steps = [], 0
    place.embedder.gate.clear()
    while not working.done():
        answers.append(await found(anna))
        await asyncio.sleep(0.01)
        steps += 1
        if steps == 3:
            new = await house.ingestion.upload(anna, Upload("new.txt"), pieces(NOTE + b" New."))
            await house.sharing.change_document(anna, moved, ChangeDocument(group_id=team, is_private=False))
            await house.documents.delete_document(anna, gone)
            place.embedder.gate.set()
    assert all(boiler in answer for answer in answers)
    assert len(answers) > 3
    await house.installation.queue.idle()
    assert await generations(house) == Generations("2", None, ())
    held = await points(house)
    assert {point.document_id for point in held} == {boiler, moved, new.document_id}
    assert {point.visibility for point in held if point.document_id == moved} == {
        (f"u:{anna.user_id}", f"g:{team}")
    }
    assert (await service(IndexMaintenance).check(repair=False)).is_clean


async def test_a_document_that_was_half_embedded_when_it_began_is_whole_in_the_end(place: Place) -> None:
    house = await place.start()
    anna = await house.person("anna")
    item = await house.ingestion.upload(anna, Upload("long.txt"), pieces(LONG * 3))
    while len(await points(house)) < 64:
        await asyncio.sleep(0.005)
    place.embedder.gate.clear()
    working = asyncio.create_task(rebuilt())
    await asyncio.sleep(0.05)
    place.embedder.gate.set()
    await working
    await house.installation.queue.idle()
    assert (await house.documents.get_document(anna, item.document_id or "")).state == "ready"
    assert (await service(IndexMaintenance).check(repair=False)).is_clean


async def test_it_goes_on_after_a_stop_and_embeds_nothing_twice(place: Place) -> None:
    house = await place.start()
    anna = await house.person("anna")
    for n in range(4):
        await house.upload(
            anna, LONG * 3 + b"%d" % n, f"{n}.txt"
        )  # some batches each: it stops within documents
    total, before = len(await points(house)), place.embedder.texts_embedded
    steps = place.embedder.steps = asyncio.Semaphore(0)
    told = service(IndexMaintenance).reindex()
    await anext(told)
    await told.aclose()  # type: ignore[attr-defined]
    held = 0
    for _ in range(3):
        steps.release()
        async with asyncio.timeout(30):
            while (now := await kept(place.shelf.stores["2"])) == held:
                await asyncio.sleep(0.01)
        held = now
        await place.stop()
        house = await place.start()
        assert (await generations(house)).growing == "2"
        assert await found(await house.signed_in("anna"), "Where does the pump P-3 stand?")
    for _ in range(100):
        steps.release()
    await service(IndexMaintenance).settled()
    assert await generations(house) == Generations("2", None, ())
    assert len(await points(house)) == total
    assert place.embedder.texts_embedded - before == total
    assert (await service(IndexMaintenance).check(repair=False)).is_clean


async def test_another_model_is_taken_up_by_itself_and_words_are_found_meanwhile(place: Place) -> None:
    house = await place.start()
    anna = await house.person("anna")
    boiler = (await house.upload(anna, NOTE, "boiler.txt")).document_id
    await place.stop()
    other = SwappedEmbedder("another-96", 96)
    other.gate.clear()
    house = await place.start(other)
    anna = await house.signed_in("anna")
    assert await service(IndexMaintenance).state() == "rebuilding"
    assert await found(anna) == {boiler}
    with pytest.raises(VectorIndexRebuilding):
        await found(anna, "zzzz")
    late = await house.ingestion.upload(anna, Upload("late.txt"), pieces(b"The lift is serviced in May."))
    other.gate.set()
    await house.installation.queue.idle()
    assert await found(anna, "When is the lift serviced?") >= {late.document_id}
    await service(IndexMaintenance).settled()
    assert await service(IndexMaintenance).state() == "ok"
    assert await found(anna, "zzzz") == set()
    assert await found(anna) >= {boiler}
    assert (await service(IndexMaintenance).check(repair=False)).is_clean


async def test_the_former_model_comes_back_before_it_is_done(place: Place) -> None:
    house = await place.start()
    anna = await house.person("anna")
    await house.upload(anna, NOTE, "boiler.txt")
    await place.stop()
    first, other = place.embedder, SwappedEmbedder("another-96", 96)
    other.gate.clear()
    await place.start(other)
    await place.stop()
    house = await place.start(first)
    assert await service(IndexMaintenance).state() == "ok"
    await service(IndexMaintenance).settled()
    assert await generations(house) == Generations("2", None, ())
    assert (await service(IndexMaintenance).check(repair=False)).is_clean


async def test_a_model_exchanged_under_its_name_is_told_and_reindexed(place: Place) -> None:
    house = await place.start()
    anna = await house.person("anna")
    boiler = (await house.upload(anna, NOTE, "boiler.txt")).document_id
    place.embedder.size = 96
    failed = await house.upload(anna, b"The lift is serviced in May.", "lift.txt")
    job = await house.ingestion.get_job(anna, failed.job_id or "")
    assert (job.state, job.error_code) == ("failed", "EMBEDDING_DIMENSION_CHANGED")
    assert "youworker vectors reindex" in job.error
    assert await found(anna) == {boiler}
    assert (await rebuilt())[-1].is_done
    await house.ingestion.retry_job(anna, failed.job_id or "")
    await house.installation.queue.idle()
    assert (await house.documents.get_document(anna, failed.document_id or "")).state == "ready"
    assert await found(anna) >= {boiler}
    assert (await service(IndexMaintenance).check(repair=False)).is_clean


async def test_a_model_exchanged_in_the_middle_begins_anew(place: Place) -> None:
    house = await place.start()
    anna = await house.person("anna")
    await house.upload(anna, LONG)
    place.embedder.gate.clear()
    working = asyncio.create_task(rebuilt())
    await asyncio.sleep(0.05)
    place.embedder.size = 96
    place.embedder.gate.set()
    assert (await working)[-1].is_done
    assert (await service(IndexMaintenance).check(repair=False)).is_clean
    assert await service(IndexMaintenance).state() == "ok"


async def test_what_is_away_is_waited_for_and_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("youworker_app.ingestion.rebuilding._FIRST_PAUSE_S", 0.3)
    house = await place.start()
    anna = await house.person("anna")
    await house.upload(anna, NOTE)
    place.embedder.failures = 1
    told = await rebuilt()
    assert "EMBEDDING_AWAY" in {each.waiting_for for each in told}
    assert told[-1].is_done
    assert told[-1].waiting_for == ""


async def test_two_who_ask_for_it_follow_the_same_rebuilding(place: Place) -> None:
    house = await place.start()
    anna = await house.person("anna")
    await house.upload(anna, LONG)
    before = place.embedder.texts_embedded
    one, other = await asyncio.gather(rebuilt(), rebuilt())
    assert one[-1] == other[-1]
    assert place.embedder.texts_embedded == before + len(await points(house))


class DamagedPlace:
    """An installation over files of an index, with one document in it, that are damaged before they are opened again."""

    def __init__(self, database_url: str, folder: Path, keys: DataKeys) -> None:
        self.database_url, self.data, self.keys = database_url, folder / "data", keys
        self.vectors, self.blobs, self.embedder = folder / "vectors", MemoryBlobStore(), SwappedEmbedder()

    def gateways(self) -> Gateways:
        index = GenerationStore(FolderShelf(self.vectors, EmbeddedVectorStore))
        return Gateways(self.blobs, index, self.embedder, NoModel(), LocalParser())

    async def start(self) -> House:
        house = await open_house(self.database_url, self.data, self.keys, gateways=self.gateways())
        service(IndexMaintenance)._rebuilding.settle_s = 0.05
        return house

    def names(self) -> list[str]:
        return sorted(path.name for path in self.vectors.iterdir())


@pytest.fixture
async def damaged(database: Database, database_url: str, tmp_path: Path, keys: DataKeys) -> DamagedPlace:
    place = DamagedPlace(database_url, tmp_path, keys)
    house = await place.start()
    await house.upload(await house.person("anna"), NOTE)
    await house.stop()
    (place.vectors / "index.json").write_text("not what it was")
    return place


async def test_a_damaged_index_is_rebuilt_without_a_server(damaged: DamagedPlace) -> None:
    """As the command does where no server runs: over real files, and what is left is one generation."""
    settings = Settings(data_dir=damaged.data)
    settings.database = DatabaseSettings(url=damaged.database_url)
    installation = Installation(settings, damaged.gateways(), damaged.keys)
    assert [each async for each in installation.maintenance.reindex()][-1].is_done
    await installation.maintenance.stop()
    await installation.close()
    assert damaged.names() == ["2", "lock"]
    house = await damaged.start()
    assert len(await found(await house.signed_in("anna"))) == 1
    await house.stop()


async def test_a_damaged_index_is_set_aside_at_a_start_and_filled_again(damaged: DamagedPlace) -> None:
    """While people work on; a stop in the middle is gone on from; at the end nothing of it is left."""
    damaged.embedder.gate.clear()
    for is_last in (False, True):
        house = await damaged.start()
        anna = await house.signed_in("anna")
        assert [name.partition("-")[0] for name in damaged.names()] == [
            "damaged",
            "index.json",
            "lock",
            "shard",
        ]
        assert await service(IndexMaintenance).state() == "rebuilding"
        assert await found(anna) == set()
        if not is_last:
            await house.stop()
    damaged.embedder.gate.set()
    async with asyncio.timeout(30):
        while await service(IndexMaintenance).state() != "ok":
            await asyncio.sleep(0.05)
    assert len(await found(anna)) == 1
    assert (await service(IndexMaintenance).check(repair=False)).is_clean
    assert damaged.names() == ["index.json", "lock", "shard"]
    await house.stop()
