"""The Qdrant server's store against servers that are away, stall, refuse, or are too old."""

import asyncio
import json
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest

from tests.qdrant_server.facade import qdrant_server
from youworker_app.core.errors import AppError
from youworker_app.gateways.vectors.errors import (
    VectorCollectionForeign,
    VectorServerTooOld,
    VectorStoreAway,
)
from youworker_app.gateways.vectors.protocol import IndexInfo, mint_access_filter
from youworker_app.gateways.vectors.server import ServerVectorStore
from youworker_app.gateways.vectors.server_calls import connect

INFO = IndexInfo("a-model", 4)
Answer = Callable[[str], Awaitable[tuple[int, object]]]


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[str]:
    """A web server on a free port of the loopback; `answer` takes the request's first line and gives status, JSON."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            status, content = await answer(head)
            body = json.dumps(content).encode()
            writer.write(b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\n" % status)
            writer.write(b"connection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        finally:
            writer.close()
            await writer.wait_closed()

    serving: set[asyncio.Task[None] | None] = set()
    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()
        for task in filter(None, serving):
            task.cancel()
        await asyncio.gather(*filter(None, serving), return_exceptions=True)


async def refusal(url: str, kind: type[AppError]) -> AppError:
    store = ServerVectorStore(connect(url, "", 1), "passages")
    with pytest.raises(kind) as refused:
        await store.prepare(INFO)
    await store.close()
    return refused.value


async def test_away() -> None:
    await refusal("http://127.0.0.1:8249", VectorStoreAway)


async def test_stalled_server_is_given_up_after_the_timeout() -> None:
    async def never(_: str) -> tuple[int, object]:
        await asyncio.sleep(60)
        return 200, {}

    async with server(never) as url, asyncio.timeout(2):
        await refusal(url, VectorStoreAway)


@pytest.mark.parametrize("status", [401, 429, 500, 503])
async def test_refusing_server_is_away_and_its_words_stay_out(status: int) -> None:
    async def refuses(_: str) -> tuple[int, object]:
        return status, {"status": {"error": "inner words"}}

    async with server(refuses) as url:
        told = await refusal(url, VectorStoreAway)
    assert "inner words" not in told.message


async def test_something_else_that_answers() -> None:
    async def answers(_: str) -> tuple[int, object]:
        return 200, {"hello": "world"}

    async with server(answers) as url:
        await refusal(url, VectorStoreAway)


@pytest.mark.parametrize("version", ["1.18.2", "0.99.0", "1.9.0"])
async def test_too_old(version: str) -> None:
    async def answers(_: str) -> tuple[int, object]:
        return 200, {"title": "qdrant", "version": version}

    async with server(answers) as url:
        told = await refusal(url, VectorServerTooOld)
    assert version in told.message
    assert "1.19" in told.message


async def test_key_goes_along() -> None:
    heads = []

    async def answers(head: str) -> tuple[int, object]:
        heads.append(head)
        return 200, {"title": "qdrant", "version": "1.0.0"}

    async with server(answers) as url:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            store = ServerVectorStore(connect(url, "the-key", 1), "passages")
        with pytest.raises(VectorServerTooOld):
            await store.prepare(INFO)
        await store.close()
    assert "api-key: the-key" in heads[0]
    assert "insecure connection" in str(warned[0].message)


async def test_a_foreign_collection_is_left_alone() -> None:
    with qdrant_server() as there:
        client = connect(there.url, "", 5)
        await client.create_collection("passages", vectors_config={}, metadata={"made": "by others"})
        store = ServerVectorStore(client, "passages")
        with pytest.raises(VectorCollectionForeign, match="passages"):
            await store.prepare(INFO)
        with pytest.raises(VectorCollectionForeign, match="passages"):
            await store.reset()
        assert there.collections() == {"passages"}
        await store.close()


async def test_a_second_store_opens_what_the_first_made() -> None:
    with qdrant_server() as there:
        for _ in range(2):
            store = ServerVectorStore(connect(there.url, "", 5), "passages")
            await store.prepare(INFO)
            ann = mint_access_filter({"u:ann"})
            assert await store.search_dense(np.ones(4, np.float32), ann, limit=3) == []
            await store.close()
        assert there.indexed("passages") == {"vis", "doc"}
