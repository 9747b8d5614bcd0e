"""A Qdrant server that goes away, is slow, stumbles, drops connections or refuses the key: told, retried, recovered from."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest

from tests.qdrant_server.facade import QdrantServer, qdrant_server
from youworker_app.core.settings import VectorSettings
from youworker_app.core.telemetry import correlation_id
from youworker_app.gateways.vectors.errors import VectorKeyRefused, VectorStoreAway
from youworker_app.gateways.vectors.protocol import IndexInfo, SparseVector, VectorPoint, mint_access_filter
from youworker_app.gateways.vectors.server import ServerVectorStore
from youworker_app.gateways.vectors.server_calls import connect

INFO = IndexInfo("a-model", 4)
EAST = np.array([1, 0, 0, 0], np.float32)
POINT = VectorPoint("00000000-0000-4000-8000-000000000001", "d", ("u:ann",), EAST, SparseVector((7,), (1.0,)))
ANN = mint_access_filter({"u:ann"})


@pytest.fixture
def server() -> Iterator[QdrantServer]:
    with qdrant_server() as running:
        yield running


@pytest.fixture
async def store(server: QdrantServer) -> AsyncIterator[ServerVectorStore]:
    made = ServerVectorStore(connect(server.url, "", 1), "passages")
    await made.prepare(INFO)
    yield made
    await made.close()


async def found(store: ServerVectorStore) -> int:
    return len(await store.search_dense(EAST, ANN, limit=5))


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_connection_that_drops_in_the_middle_of_a_write_is_tried_again(
    server: QdrantServer, store: ServerVectorStore, when: str
) -> None:
    server.faults.drops, server.faults.drop_when = 2, when  # type: ignore[assignment]
    await store.upsert([POINT])
    assert server.faults.drops == 0
    assert await store.count_by_document() == {"d": 1}


async def test_a_server_that_stumbles_is_asked_again_but_not_for_ever(
    server: QdrantServer, store: ServerVectorStore
) -> None:
    await store.upsert([POINT])
    server.faults.stumbles, server.faults.status = 2, 503
    assert await found(store) == 1
    server.faults.stumbles = 3
    with pytest.raises(VectorStoreAway) as told:
        await found(store)
    assert "inner words" not in told.value.message
    assert await found(store) == 1


async def test_a_slow_server_is_given_up_and_not_asked_again(
    server: QdrantServer, store: ServerVectorStore
) -> None:
    asked = len(server.asked)
    server.faults.slow_s = 1.6
    with pytest.raises(VectorStoreAway):
        await found(store)
    assert len(server.asked) == asked + 1
    server.faults.slow_s = 0
    assert await found(store) == 0


async def test_it_comes_back_with_its_data_and_is_used_again(
    server: QdrantServer, store: ServerVectorStore
) -> None:
    await store.upsert([POINT])
    server.stop()
    for call in (found(store), store.upsert([POINT]), store.delete_document("d"), store.list_points(limit=1)):
        with pytest.raises(VectorStoreAway):
            await call
    searching = asyncio.create_task(found(store))
    server.start()
    await asyncio.gather(searching, return_exceptions=True)
    assert await found(store) == 1


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection:UserWarning")
async def test_a_wrong_key_is_told_and_the_right_one_is_taken() -> None:
    with qdrant_server("the-key") as server:
        for key in ("", "another"):
            refused = ServerVectorStore(connect(server.url, key, 1), "passages")
            with pytest.raises(VectorKeyRefused, match="YOUWORKER_VECTORS_QDRANT_API_KEY"):
                await refused.prepare(INFO)
            await refused.close()
        taken = ServerVectorStore(connect(server.url, "the-key", 1), "passages")
        await taken.prepare(INFO)
        await taken.close()


async def test_who_asked_goes_along(server: QdrantServer, store: ServerVectorStore) -> None:
    token = correlation_id.set("c-42")
    try:
        await found(store)
    finally:
        correlation_id.reset(token)
    assert server.asked[-1].correlation_id == "c-42"


async def test_a_collection_is_made_as_set_and_brought_up_to_date(server: QdrantServer) -> None:
    async def opened(**given: object) -> list[str]:
        before = len(server.asked)
        store = ServerVectorStore(connect(server.url, "", 5), "tuned", VectorSettings(**given))
        await store.prepare(INFO)
        await store.search_dense(EAST, ANN, limit=3)
        await store.close()
        return [each.method for each in server.asked[before:]]

    assert "PATCH" not in await opened(hnsw_m=24, quantization="scalar")
    made = server.config("tuned")["vectors"]["dense"]
    assert (made["hnsw_config"]["m"], made["hnsw_config"]["payload_m"]) == (24, 16)
    assert made["quantization_config"]["scalar"]["type"] == "int8"
    assert server.asked[-1].body["params"]["quantization"] == {"rescore": True, "oversampling": 2.0}
    assert "PATCH" not in await opened(hnsw_m=24, quantization="scalar")
    assert "PATCH" in await opened(hnsw_m=8, on_disk=True)
    made = server.config("tuned")["vectors"]["dense"]
    assert (made["hnsw_config"]["m"], made["on_disk"]) == (8, True)
    assert "quantization_config" not in made
    assert "PATCH" not in await opened(hnsw_m=8, on_disk=True)
    assert server.asked[-1].body["params"]["hnsw_ef"] == 128
