"""Small texts on their way together: fewer steps for all, and nobody's trouble is another one's."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import event

from tests.house import House, open_house, pieces
from youworker_app.access.actor import Actor
from youworker_app.core.db import Database
from youworker_app.core.keys import DataKeys
from youworker_app.documents.schemas import ChangeDocument
from youworker_app.gateways.blobs.memory import MemoryBlobStore
from youworker_app.gateways.embeddings.errors import EmbeddingFailed
from youworker_app.gateways.embeddings.memory import InMemoryEmbedder
from youworker_app.gateways.embeddings.protocol import Vectors
from youworker_app.gateways.llm.scripted import NoModel
from youworker_app.gateways.parsing.parser import LocalParser
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.ingestion.schemas import Upload, UploadedItem
from youworker_app.ingestion.turns import TOGETHER
from youworker_app.wiring import Gateways


class HeldEmbedder(InMemoryEmbedder):
    """Answers as many calls as it was allowed; fails over "poison"."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[list[str]] = []
        self._allowed = asyncio.Semaphore(0)

    def allow(self, calls: int) -> None:
        for _ in range(calls):
            self._allowed.release()

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        self.calls.append(list(texts))
        await self._allowed.acquire()
        if any("poison" in text for text in texts):
            raise EmbeddingFailed(model="m", reason="poison")
        return await super().embed_documents(texts)

    async def called(self, times: int) -> None:
        """Waits for this many calls."""
        while len(self.calls) < times:
            await asyncio.sleep(0.002)


def held_gateways(embedder: HeldEmbedder, old: House | None = None) -> Gateways:
    """With the blobs and vectors of an old house it is the same one after a restart."""
    kept = old.installation.gateways if old else None
    blobs = kept.blobs if kept else MemoryBlobStore()
    return Gateways(blobs, kept.vectors if kept else MemoryVectorStore(), embedder, NoModel(), LocalParser())


@pytest.fixture
def embedder() -> HeldEmbedder:
    return HeldEmbedder()


@pytest.fixture
async def held(
    database: Database, database_url: str, tmp_path: Path, keys: DataKeys, embedder: HeldEmbedder
) -> AsyncIterator[House]:
    """A house whose embedder waits to be allowed."""
    opened = await open_house(database_url, tmp_path / "data", keys, gateways=held_gateways(embedder))
    yield opened
    embedder.allow(1_000)
    await opened.stop()


async def send(house: House, actor: Actor, *texts: str) -> list[UploadedItem]:
    """Uploads each text, and does not wait for it."""
    return [
        await house.ingestion.upload(actor, Upload(f"{text[:9]}.txt"), pieces(text.encode()))
        for text in texts
    ]


async def convoy_at_embedder(
    house: House, embedder: HeldEmbedder, actor: Actor, *texts: str
) -> list[UploadedItem]:
    """Two jobs hold both workers up until these wait; then the embedder has been asked for these."""
    before = len(embedder.calls)
    await send(house, actor, f"front {before}", f"second {before}")
    await embedder.called(before + 2)
    items = await send(house, actor, *texts)
    embedder.allow(2)
    await embedder.called(before + 3)
    return items


async def states(house: House, actor: Actor, items: Sequence[UploadedItem]) -> list[str]:
    views = [await house.documents.get_document(actor, item.document_id or "") for item in items]
    return [view.state for view in views]


async def test_waiting_texts_share_steps_and_one_call(held: House, embedder: HeldEmbedder) -> None:
    anna = await held.person("anna")
    statements, commits = list[str](), list[object]()
    engine = held.installation.db.engine.sync_engine
    items = await convoy_at_embedder(held, embedder, anna, *(f"text {n}" for n in range(TOGETHER)))
    assert len(embedder.calls[-1]) == TOGETHER
    event.listen(engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    event.listen(engine, "commit", commits.append)
    embedder.allow(1)
    await held.installation.queue.idle()
    assert len(statements) <= 5, "\n".join(statements)  # the end of all of them
    assert len(commits) == 1
    assert await states(held, anna, items) == ["ready"] * TOGETHER
    counts = await held.installation.gateways.vectors.count_by_document()
    assert {item.document_id for item in items} <= counts.keys()
    assert set(counts.values()) == {1}


async def test_what_becomes_of_one_while_they_are_embedded(held: House, embedder: HeldEmbedder) -> None:
    await held.person("root")
    anna = await held.person("anna")
    group_id = await held.team(anna, "plant")
    anna = await held.signed_in("anna")
    stays, moves, stops, goes = await convoy_at_embedder(
        held, embedder, anna, "stays", "moves", "stops", "goes"
    )
    change = ChangeDocument(group_id=group_id, is_private=False)
    await held.sharing.change_document(anna, moves.document_id or "", change)
    await held.ingestion.cancel_job(anna, stops.job_id or "")
    await held.documents.delete_document(anna, goes.document_id or "")
    embedder.allow(100)
    await held.installation.queue.idle()
    assert await states(held, anna, (stays, moves, stops)) == ["ready", "ready", "cancelled"]
    vectors = held.installation.gateways.vectors
    assert goes.document_id not in await vectors.count_by_document()
    assert (await vectors.count_by_visibility())[f"g:{group_id}"] == 1


async def test_one_that_cannot_be_read_or_embedded_fails_alone(held: House, embedder: HeldEmbedder) -> None:
    held.installation.worker._retry_seconds = 0.001
    anna = await held.person("anna")
    await send(held, anna, "front", "second")
    await embedder.called(2)
    items = await send(held, anna, "good", "poison", "lost", "good too", "good as well")
    lost = await held.documents.get_document(anna, items[2].document_id or "")
    await held.installation.gateways.blobs.delete(lost.file_id)
    embedder.allow(1_000)
    await held.installation.queue.idle()
    assert await states(held, anna, items) == ["ready", "failed", "failed", "ready", "ready"]
    assert len(embedder.calls[2]) == 4  # who was lost was left behind; the poison broke it up


async def test_texts_of_several_people_each_stay_their_own(held: House, embedder: HeldEmbedder) -> None:
    anna, bruno = await held.person("anna"), await held.person("bruno")
    await send(held, anna, "front", "second")
    await embedder.called(2)
    of_anna = await send(held, anna, "one", "two", "three")
    of_bruno = await send(held, bruno, "one", "two")
    embedder.allow(1_000)
    await held.installation.queue.idle()
    assert [len(call) for call in embedder.calls] == [1, 1, 3, 2]
    assert await states(held, anna, of_anna) == ["ready"] * 3
    assert await states(held, bruno, of_bruno) == ["ready"] * 2
    seen = await held.installation.gateways.vectors.count_by_visibility()
    assert (seen[f"u:{anna.user_id}"], seen[f"u:{bruno.user_id}"]) == (5, 2)


async def test_a_restart_finds_all_of_a_convoy(
    held: House, embedder: HeldEmbedder, database_url: str, tmp_path: Path, keys: DataKeys
) -> None:
    anna = await held.person("anna")
    items = await convoy_at_embedder(held, embedder, anna, "one", "two", "three")
    await held.stop()
    after = HeldEmbedder()
    after.allow(1_000)
    again = await open_house(database_url, tmp_path / "data", keys, gateways=held_gateways(after, held))
    await again.installation.queue.idle()
    assert await states(again, anna, items) == ["ready"] * 3
    asked = sorted(text for call in after.calls for text in call)
    assert [text.split("\n")[-1] for text in asked] == ["one", "three", "two"]
    assert set((await again.installation.gateways.vectors.count_by_document()).values()) == {1}
    await again.stop()
