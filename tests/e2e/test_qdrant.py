"""The whole product over a Qdrant server: documents go in and are found; one that comes back without them is filled again."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.product import Product
from tests.e2e.test_stop import BOOK, person, ready, uploaded
from tests.fake_ollama import FakeOllama, fake_ollama
from tests.qdrant_server.facade import QdrantServer, qdrant_server

NOTE = b"The boiler in the cellar is serviced in March. Its number is K-4711."
LIFT = b"The lift in the tower was inspected by an engineer in May."
QUESTION = "When is the boiler serviced?"
COLLECTION = "youworker"

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def qdrant() -> Iterator[QdrantServer]:
    with qdrant_server("s3cret") as server:
        yield server


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with fake_ollama() as fake:
        yield fake


@pytest.fixture
def product(tmp_path: Path, qdrant: QdrantServer, ollama: FakeOllama) -> Iterator[Product]:
    settings = {
        "QDRANT_URL": qdrant.url,
        "QDRANT_API_KEY": "s3cret",
        "YOUWORKER_EMBEDDING_BACKEND": "ollama",
    }
    made = Product(tmp_path / "installation" / "data", ollama_url=ollama.url, settings=settings).start()
    yield made
    made.end()


async def found(client: httpx.AsyncClient, question: str = QUESTION) -> list[str]:
    answer = await client.post("/v1/search", json={"query": question})
    return [item["filename"] for item in answer.raise_for_status().json()["items"]]


async def state_of_index(client: httpx.AsyncClient) -> str:
    checks = (await client.get("/health/detailed")).raise_for_status().json()["checks"]
    return str(checks["search_index"]["state"])


async def whole_again(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while await state_of_index(client) != "ok":
            await asyncio.sleep(0.1)


async def test_documents_go_in_and_come_back_when_the_server_has_lost_them(
    product: Product, qdrant: QdrantServer, ollama: FakeOllama
) -> None:
    async with person(product) as client:
        note, book = await uploaded(client, NOTE, "note.txt"), await uploaded(client, BOOK, "book.txt")
        await ready(client, [note, book])
        assert COLLECTION in qdrant.collections()
        assert (await found(client))[0] == "note.txt"
        assert await state_of_index(client) == "ok"
        points = _count(qdrant)

        qdrant.stop()
        refused = await client.post("/v1/search", json={"query": QUESTION})
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "VECTOR_STORE_AWAY")
        late = await uploaded(client, LIFT, "late.txt")
        qdrant.lose()
        qdrant.start()
        await ready(client, [late])
        await whole_again(client)
        assert _count(qdrant) == points + 1
        assert (await found(client))[0] == "note.txt"
        assert (await found(client, "Who inspected the lift in the tower?"))[0] == "late.txt"

        # Under the running server, with nobody noticing but who asks.
        qdrant.lose()
        lost = await client.post("/v1/search", json={"query": QUESTION})
        assert (lost.status_code, lost.json()["error"]["code"]) == (503, "VECTOR_STORE_AWAY")
        await whole_again(client)
        assert _count(qdrant) == points + 1
        assert (await found(client))[0] == "note.txt"
        assert (await found(client, "Who inspected the lift in the tower?"))[0] == "late.txt"
    assert product.stop() == 0
    assert "Traceback" not in product.log
    assert "s3cret" not in product.log


async def test_what_is_half_in_when_the_server_loses_it_is_whole_in_the_end(
    product: Product, qdrant: QdrantServer, ollama: FakeOllama
) -> None:
    ollama.embed_pause_s = 0.1
    async with person(product) as client:
        book = await uploaded(client, BOOK, "book.txt")
        while len(ollama.embedded) < 100:
            await asyncio.sleep(0.01)
        qdrant.lose()
        ollama.embed_pause_s = 0.0
        await ready(client, [book])
        await whole_again(client)
        assert _count(qdrant) == len({text for text in ollama.embedded if text.startswith("search_document")})


def _count(qdrant: QdrantServer) -> Any:
    return qdrant.answer("POST", f"/collections/{COLLECTION}/points/count", {"exact": True})["count"]
