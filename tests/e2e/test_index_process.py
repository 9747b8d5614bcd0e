"""The process of the search index is killed alone, under the running server: nothing is lost, and nothing done twice."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.product import Product
from tests.e2e.test_stop import BOOK, person, ready, uploaded
from tests.fake_ollama import FakeOllama, fake_ollama

QUESTION = {"query": "In which hall stands the pump number P-77?"}
_KILLS = 4

pytestmark = pytest.mark.timeout(40)


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    """Embeds so slowly that there is time to kill."""
    with fake_ollama(embed_pause_s=0.05) as fake:
        yield fake


@pytest.fixture
def product(tmp_path: Path, ollama: FakeOllama) -> Iterator[Product]:
    """A product over it."""
    settings = {"YOUWORKER_EMBEDDING_BACKEND": "ollama"}
    started = Product(tmp_path / "installation" / "data", ollama_url=ollama.url, settings=settings).start()
    yield started
    started.end()


def index_process(product: Product) -> int | None:
    """The child of the worker that holds the index; None while there is none."""
    worker = product.worker()
    children: list[str] = []
    for task in Path(f"/proc/{worker}/task").iterdir():
        with suppress(FileNotFoundError):
            children += (task / "children").read_text().split()
    for child in children:
        with suppress(FileNotFoundError, ProcessLookupError):
            if b"gateways.vectors.child" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
    return None


async def found_process(product: Product, other_than: int = 0) -> int:
    async with asyncio.timeout(30):
        while (found := index_process(product)) in (None, other_than):
            await asyncio.sleep(0.01)
    assert found is not None
    return found


async def test_killed_while_a_document_goes_in(product: Product, ollama: FakeOllama) -> None:
    async with person(product) as client:
        item = await uploaded(client, BOOK, "book.txt")
        killed = 0
        for number in range(1, _KILLS + 1):
            while len(ollama.embedded) < 40 * number - 20:
                await asyncio.sleep(0.005)
            killed = await found_process(product, other_than=killed)
            os.kill(killed, signal.SIGKILL)
        await ready(client, [item])
        document = f"/v1/documents/{item['document_id']}"
        passages: list[dict[str, Any]] = []
        page: dict[str, Any] = {"next_cursor": ""}
        while page["next_cursor"] is not None:
            params = {"limit": "200"} | ({"cursor": page["next_cursor"]} if page["next_cursor"] else {})
            page = (await client.get(f"{document}/chunks", params=params)).raise_for_status().json()
            passages += page["items"]
        embedded = Counter(text for text in ollama.embedded if text.startswith("search_document"))
        assert set(embedded.values()) == {1}
        assert len(embedded) == len(passages) > 40 * _KILLS
        found = (await client.post("/v1/search", json=QUESTION)).raise_for_status().json()["items"]
        assert any("P-77 " in passage["text"] for passage in found)
    # One that is killed while it opens the index is another attempt at the same replacement.
    assert (
        product.log.count("vector_process_replaced") + product.log.count("vector_process_not_replaced")
        >= _KILLS
    )
    assert "Traceback" not in product.log


async def test_killed_while_somebody_searches(product: Product) -> None:
    """What was asked is answered or refused with what to do, and what is asked afterwards is answered."""
    async with person(product) as client:
        await ready(client, [await uploaded(client, b"The pump number P-77 stands in hall 9.", "pump.txt")])
        process = await found_process(product)
        os.kill(process, signal.SIGSTOP)
        asking = [asyncio.create_task(client.post("/v1/search", json=QUESTION)) for _ in range(5)]
        talking = asyncio.create_task(client.post("/v1/chat", json={"message": QUESTION["query"]}))
        await asyncio.sleep(0.5)
        assert not any(each.done() for each in asking)
        os.kill(process, signal.SIGKILL)
        for answer in await asyncio.gather(*asking):
            assert answer.status_code in {200, 503}, answer.text
            if answer.status_code == 503:
                error = answer.json()["error"]
                assert error["code"] == "VECTOR_STORE_AWAY"
                assert "Documents and chats are safe" in error["message"]
        assert (await talking).status_code in {200, 503}
        await found_process(product, other_than=process)
        async with asyncio.timeout(30):
            while (answer := await client.post("/v1/search", json=QUESTION)).status_code == 503:
                await asyncio.sleep(0.05)
        assert [item["filename"] for item in answer.raise_for_status().json()["items"]] == ["pump.txt"]
    assert "Traceback" not in product.log
