"""The filter in every shape of owner, groups and documents: each store finds what a reference of six lines says."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qdrant_client import QdrantClient

from tests.qdrant_server.facade import qdrant_server
from youworker_app.access.vectors import visibility_of
from youworker_app.gateways.vectors.embedded import EmbeddedVectorStore
from youworker_app.gateways.vectors.generations import GenerationStore
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.gateways.vectors.protocol import (
    IndexInfo,
    SparseVector,
    VectorPoint,
    VectorStore,
    mint_access_filter,
)
from youworker_app.gateways.vectors.server import ServerVectorStore
from youworker_app.gateways.vectors.server_calls import connect
from youworker_app.gateways.vectors.shelves import FolderShelf

PEOPLE, GROUPS = ["ann", "bob", "cy"], ["law", "sales", "it"]
DOCUMENTS = [f"d{number}" for number in range(6)]
EAST = np.array([1, 0, 0, 0], np.float32)
ASKED = SparseVector((7,), (1.0,))

sharings = st.builds(
    visibility_of,
    owner_id=st.sampled_from(PEOPLE),
    group_id=st.none() | st.sampled_from(GROUPS),
    is_private=st.booleans(),
)
steps = st.lists(
    st.tuples(st.sampled_from(["put", "move", "delete"]), st.sampled_from(DOCUMENTS), sharings), max_size=12
)
askers = st.tuples(st.sampled_from([*PEOPLE, "stranger"]), st.sets(st.sampled_from([*GROUPS, "gone"])))
narrowings = st.none() | st.sets(st.sampled_from([*DOCUMENTS, "unknown"]))


@pytest.fixture(scope="module")
def server() -> Iterator[Callable[[], VectorStore]]:
    url, key, name = os.environ.get("QDRANT_URL", ""), os.environ.get("QDRANT_API_KEY", ""), uuid4().hex
    with nullcontext() if url else qdrant_server() as facade:
        url = url or facade.url
        yield lambda: ServerVectorStore(connect(url, key, 10), f"filter-{name}")
        client = QdrantClient(url=url, api_key=key or None, check_compatibility=False)
        client.delete_collection(f"filter-{name}")
        client.close()


@pytest.fixture(params=["memory", "embedded", "server", "generations"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[VectorStore]:
    made: VectorStore
    if request.param == "server":
        made = request.getfixturevalue("server")()
    elif request.param == "embedded":
        made = EmbeddedVectorStore(tmp_path)
    elif request.param == "memory":
        made = MemoryVectorStore()
    else:
        made = GenerationStore(FolderShelf(tmp_path, EmbeddedVectorStore))
    await made.prepare(IndexInfo("a-model", 4))
    if isinstance(made, GenerationStore):
        await made.grow("2", IndexInfo("a-model", 4))
    yield made
    await made.close()


def chunks_of(document: str) -> list[str]:
    number = DOCUMENTS.index(document) if document in DOCUMENTS else 99
    return [str(UUID(int=2 * number + part + 1)) for part in range(2)]


async def put(store: VectorStore, document: str, visibility: tuple[str, ...]) -> None:
    await store.upsert([VectorPoint(each, document, visibility, EAST, ASKED) for each in chunks_of(document)])


async def found(store: VectorStore, keywords: set[str], within: set[str] | None) -> set[str]:
    access = mint_access_filter(keywords)
    dense = await store.search_dense(EAST, access, limit=100, document_ids=within)
    sparse = await store.search_sparse(ASKED, access, limit=100, document_ids=within)
    assert {hit.chunk_id for hit in dense} == {hit.chunk_id for hit in sparse}
    return {hit.document_id for hit in dense}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps, st.lists(st.tuples(askers, narrowings), min_size=1, max_size=4))
async def test_what_is_found_is_what_the_rules_say(
    store: VectorStore,
    steps: list[tuple[str, str, tuple[str, ...]]],
    asked: list[tuple[tuple[str, set[str]], set[str] | None]],
) -> None:
    for document in DOCUMENTS:
        await store.delete_document(document)
    known: dict[str, tuple[str, ...]] = {}
    for what, document, visibility in steps:
        if what == "put":
            await put(store, document, visibility)
            known[document] = visibility
        elif what == "move":
            await store.set_visibility(document, visibility)
            known |= {document: visibility} if document in known else {}
        else:
            await store.delete_document(document)
            known.pop(document, None)
    for (person, groups), within in asked:
        keywords = {f"u:{person}", *(f"g:{group}" for group in groups)}
        expected = {
            document
            for document, visibility in known.items()
            if keywords & set(visibility) and (within is None or document in within)
        }
        assert await found(store, keywords, within) == expected
        assert await found(store, set(), within) == set()


async def test_somebody_in_very_many_groups(store: VectorStore) -> None:
    await put(store, "d0", ("u:bob", "g:n249"))
    await put(store, "d1", ("u:bob", "g:n250"))
    await put(store, "d2", ("u:ann",))
    groups = {f"g:n{number}" for number in range(250)}
    assert await found(store, {"u:ann", *groups}, None) == {"d0", "d2"}
    assert await found(store, groups, {f"x{number}" for number in range(500)} | {"d0", "d1"}) == {"d0"}
    for document in DOCUMENTS:
        await store.delete_document(document)
