"""Every vector store does the same: in memory, embedded in a folder, in generations, and over a Qdrant server's wire.

The server is the real one at `QDRANT_URL` (and `QDRANT_API_KEY`) where that is given, else `tests/qdrant_server`. Its
collections have names of this run's own, and are removed in the end.
"""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
from numpy.typing import NDArray
from qdrant_client import QdrantClient

from tests.qdrant_server.facade import qdrant_server
from youworker_app.gateways.vectors.embedded import EmbeddedVectorStore
from youworker_app.gateways.vectors.errors import IndexMismatch, VectorIndexRebuilding, VectorStoreAway
from youworker_app.gateways.vectors.generations import GenerationStore
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.gateways.vectors.protocol import (
    AccessFilter,
    IndexInfo,
    SparseVector,
    StoredPoint,
    VectorHit,
    VectorPoint,
    VectorStore,
    mint_access_filter,
)
from youworker_app.gateways.vectors.server import ServerVectorStore
from youworker_app.gateways.vectors.server_calls import connect
from youworker_app.gateways.vectors.shelves import FolderShelf

INFO = IndexInfo("a-model", 4)
EAST, NORTH = np.array([1, 0, 0, 0], np.float32), np.array([0, 1, 0, 0], np.float32)
Maker = Callable[[Path], VectorStore]
STORES = ["memory", "embedded", "server", "generations"]


@pytest.fixture(scope="module")
def server() -> Iterator[Callable[[], VectorStore]]:
    """Makes stores on a Qdrant server, each over a collection of its own."""
    url, key, run = os.environ.get("QDRANT_URL", ""), os.environ.get("QDRANT_API_KEY", ""), uuid4().hex
    names: list[str] = []
    with nullcontext() if url else qdrant_server() as facade:
        url = url or facade.url

        def make() -> VectorStore:
            names.append(f"contract-{run}-{len(names)}")
            return ServerVectorStore(connect(url, key, 10), names[-1])

        yield make
        client = QdrantClient(url=url, api_key=key or None, check_compatibility=False)
        for name in names:
            client.delete_collection(name)
        client.close()


@pytest.fixture
def maker(request: pytest.FixtureRequest) -> Maker:
    """How a store of the asked kind is made over a folder."""
    if request.param == "server":
        make = request.getfixturevalue("server")
        return lambda _: make()
    return {
        "memory": lambda _: MemoryVectorStore(),
        "embedded": EmbeddedVectorStore,
        "generations": lambda folder: GenerationStore(FolderShelf(folder, EmbeddedVectorStore)),
    }[request.param]


@pytest.fixture
async def store(maker: Maker, tmp_path: Path) -> AsyncIterator[VectorStore]:
    made = maker(tmp_path)
    await made.prepare(INFO)
    yield made
    await made.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test here runs on every store."""
    if "maker" in metafunc.fixturenames:
        metafunc.parametrize("maker", STORES, indirect=True)


def chunk(number: int) -> str:
    return str(UUID(int=number))


def point(
    number: int,
    document: str = "report",
    visibility: tuple[str, ...] = ("u:ann",),
    dense: NDArray[np.float32] = EAST,
    terms: dict[int, float] | None = None,
) -> VectorPoint:
    weights = {7: 1.0} if terms is None else terms
    return VectorPoint(
        chunk(number), document, visibility, dense, SparseVector(tuple(weights), tuple(weights.values()))
    )


def asks(*terms: int) -> SparseVector:
    return SparseVector(terms, (1.0,) * len(terms))


def chunks(hits: list[VectorHit]) -> list[str]:
    return [hit.chunk_id for hit in hits]


async def found_by(
    store: VectorStore, access: AccessFilter, document_ids: set[str] | None = None, limit: int = 10
) -> set[str]:
    """What both searches find; they have to agree, since every point has the direction and the term asked for."""
    dense = await store.search_dense(EAST, access, limit=limit, document_ids=document_ids)
    sparse = await store.search_sparse(asks(7), access, limit=limit, document_ids=document_ids)
    assert set(chunks(dense)) == set(chunks(sparse))
    return set(chunks(dense))


@pytest.mark.parametrize(
    ("visibility", "numbers"),
    [
        ({"u:ann"}, {1, 3}),
        ({"g:law"}, {2, 3}),
        ({"u:ann", "g:law"}, {1, 2, 3}),
        ({"u:ann", "g:nobody"}, {1, 3}),
        ({"g:nobody"}, set()),
        ({"u:an"}, set()),
        ({"u:ann "}, set()),
        ({"*"}, set()),
        (set(), set()),
    ],
    ids=lambda value: ",".join(sorted(map(str, value))) or "none",
)
async def test_search_finds_what_carries_one_of_the_keywords(
    store: VectorStore, visibility: set[str], numbers: set[int]
) -> None:
    await store.upsert(
        [
            point(1, "mine", ("u:ann",)),
            point(2, "theirs", ("g:law",)),
            point(3, "shared", ("u:ann", "g:law")),
            point(4, "foreign", ("u:bob", "g:sales")),
            point(5, "nobody", ()),
        ]
    )
    assert await found_by(store, mint_access_filter(visibility)) == {chunk(number) for number in numbers}


async def test_search_keeps_to_the_documents_asked_for(store: VectorStore) -> None:
    await store.upsert([point(1, "a"), point(2, "b"), point(3, "c"), point(4, "d", ("u:bob",))])
    ann = mint_access_filter({"u:ann"})
    assert await found_by(store, ann, {"a", "c"}) == {chunk(1), chunk(3)}
    assert await found_by(store, ann, {"a", "d"}) == {chunk(1)}
    assert await found_by(store, ann, {"nothing"}) == set()
    assert await found_by(store, ann, set()) == set()
    assert await found_by(store, ann, None) == {chunk(1), chunk(2), chunk(3)}


async def test_visibility_moves_at_once_and_whole(store: VectorStore) -> None:
    await store.upsert([point(1, "a", ("u:ann", "g:law")), point(2, "a", ("u:ann", "g:law")), point(3, "b")])
    await store.set_visibility("a", ["u:bob"])
    assert await found_by(store, mint_access_filter({"u:ann", "g:law"})) == {chunk(3)}
    assert await found_by(store, mint_access_filter({"u:bob"})) == {chunk(1), chunk(2)}
    await store.set_visibility("a", [])
    assert await found_by(store, mint_access_filter({"u:ann", "u:bob", "g:law"})) == {chunk(3)}


async def test_delete_takes_one_document(store: VectorStore) -> None:
    await store.upsert([point(1, "a"), point(2, "a"), point(3, "b")])
    await store.delete_document("a")
    await store.delete_document("never there")
    assert await found_by(store, mint_access_filter({"u:ann"})) == {chunk(3)}
    assert await store.count_by_document() == {"b": 1}


async def test_writing_twice_is_writing_once_and_the_last_counts(store: VectorStore) -> None:
    await store.upsert([point(1), point(1), point(2)])
    await store.upsert([point(1, "other", ("u:bob",), NORTH, {9: 1.0})])
    assert await store.count_by_document() == {"report": 1, "other": 1}
    bob = mint_access_filter({"u:bob"})
    assert [hit.document_id for hit in await store.search_dense(NORTH, bob, limit=5)] == ["other"]
    assert await store.search_sparse(asks(7), bob, limit=5) == []
    assert chunks(await store.search_sparse(asks(9), bob, limit=5)) == [chunk(1)]


async def test_counts_by_document_beyond_the_first_page(store: VectorStore) -> None:
    assert await store.count_by_document() == {}
    await store.upsert([point(number, f"d{number // 2}") for number in range(300)])
    assert await store.count_by_document() == {f"d{number}": 2 for number in range(150)}


async def test_counts_by_visibility(store: VectorStore) -> None:
    assert await store.count_by_visibility() == {}
    await store.upsert(
        [point(1), point(2, "b", ("u:ann", "g:law")), point(3, "c", ()), point(4, "d", ("g:law",))]
    )
    assert await store.count_by_visibility() == {"u:ann": 2, "g:law": 2}
    await store.delete_document("d")
    await store.set_visibility("report", ["u:bob"])
    assert await store.count_by_visibility() == {"u:ann": 1, "g:law": 1, "u:bob": 1}


async def test_points_are_listed_page_by_page(store: VectorStore) -> None:
    assert await store.list_points(limit=5) == []
    written = [point(number, f"d{number % 3}", ("u:ann", f"g:{number}")) for number in range(1, 26)]
    await store.upsert(written[::-1])
    listed: list[StoredPoint] = []
    while page := await store.list_points(after=listed[-1].chunk_id if listed else None, limit=7):
        assert len(page) == min(7, 25 - len(listed))
        listed += page
    assert listed == [StoredPoint(each.chunk_id, each.document_id, each.visibility) for each in written]
    of_one = await store.list_points(document_id="d1", after=chunk(4), limit=4)
    assert [each.chunk_id for each in of_one] == [chunk(7), chunk(10), chunk(13), chunk(16)]
    assert await store.list_points(document_id="nothing", limit=5) == []


async def test_a_page_goes_on_after_a_point_that_was_deleted_meanwhile(store: VectorStore) -> None:
    await store.upsert([point(number, f"d{number}") for number in range(1, 8)])
    first = await store.list_points(limit=3)
    await store.delete_document("d3")
    await store.upsert([point(9)])
    rest = await store.list_points(after=first[-1].chunk_id, limit=9)
    assert [each.chunk_id for each in rest] == [chunk(number) for number in (4, 5, 6, 7, 9)]


async def test_single_points_are_deleted(store: VectorStore) -> None:
    await store.upsert([point(1), point(2), point(3)])
    await store.delete_points([])
    await store.delete_points([chunk(1), chunk(3), chunk(8)])
    assert [each.chunk_id for each in await store.list_points(limit=9)] == [chunk(2)]
    assert await found_by(store, mint_access_filter({"u:ann"})) == {chunk(2)}


async def test_limit(store: VectorStore) -> None:
    await store.upsert([point(number) for number in range(20)])
    ann = mint_access_filter({"u:ann"})
    for limit, expected in [(5, 5), (50, 20), (0, 0), (-1, 0)]:
        assert len(await store.search_dense(EAST, ann, limit=limit)) == expected
        assert len(await store.search_sparse(asks(7), ann, limit=limit)) == expected


async def test_upsert_of_nothing(store: VectorStore) -> None:
    await store.upsert([])
    assert await store.count_by_document() == {}


async def test_dense_scores_are_cosines_best_first(store: VectorStore) -> None:
    await store.upsert(
        [
            point(1, dense=np.array([3, 4, 0, 0], np.float32)),
            point(2, dense=10 * EAST),
            point(3, dense=-EAST),
            point(4, dense=NORTH),
        ]
    )
    hits = await store.search_dense(2 * EAST, mint_access_filter({"u:ann"}), limit=10)
    assert chunks(hits) == [chunk(2), chunk(1), chunk(4), chunk(3)]
    assert [hit.score for hit in hits] == pytest.approx([1.0, 0.6, 0.0, -1.0], abs=1e-4)


async def test_sparse_finds_only_what_shares_a_term(store: VectorStore) -> None:
    await store.upsert(
        [point(1, terms={7: 1.0}), point(2, terms={2**32 - 1: 1.5, 8: 0.2}), point(3, terms={})]
    )
    ann = mint_access_filter({"u:ann"})
    assert chunks(await store.search_sparse(asks(2**32 - 1, 5), ann, limit=9)) == [chunk(2)]
    assert await store.search_sparse(asks(5), ann, limit=9) == []
    assert await store.search_sparse(asks(), ann, limit=9) == []
    assert len(await store.search_dense(EAST, ann, limit=9)) == 3


async def test_a_word_in_foreign_documents_does_not_change_what_i_see(store: VectorStore) -> None:
    """Rarity counted over everything would tell ann that bob's documents hold the term 7."""
    await store.upsert([point(1, terms={7: 1.0}), point(2, terms={8: 1.0})])
    ann = mint_access_filter({"u:ann"})
    before = await store.search_sparse(asks(7, 8), ann, limit=9)
    await store.upsert([point(number, "bobs", ("u:bob",), terms={7: 1.0}) for number in range(3, 30)])
    assert await store.search_sparse(asks(7, 8), ann, limit=9) == before
    assert before[0].score == before[1].score


async def test_ranking_is_that_of_plain_arithmetic(store: VectorStore) -> None:
    rng = np.random.default_rng(3)
    points = [
        point(
            number,
            f"d{number % 7}",
            (f"u:{number % 3}", f"g:{number % 2}"),
            rng.normal(size=4).astype(np.float32),
            {int(term): float(rng.uniform(0.2, 2)) for term in set(rng.zipf(1.5, size=12) % 50)},
        )
        for number in range(200)
    ]
    plain = MemoryVectorStore()
    await plain.prepare(INFO)
    for each in (plain, store):
        await each.upsert(points)
        await each.set_visibility("d3", ["g:0"])
        await each.delete_document("d5")
    for visibility in ({"u:1"}, {"g:0", "u:2"}, {"g:0", "g:1"}):
        access = mint_access_filter(visibility)
        vector = rng.normal(size=4).astype(np.float32)
        query = asks(1, 2, 9, 30)
        assert_same(
            await store.search_dense(vector, access, limit=30),
            await plain.search_dense(vector, access, limit=30),
        )
        assert_same(
            await store.search_sparse(query, access, limit=30, document_ids={"d0", "d1", "d3"}),
            await plain.search_sparse(query, access, limit=30, document_ids={"d0", "d1", "d3"}),
        )


def assert_same(hits: list[VectorHit], expected: list[VectorHit]) -> None:
    assert len(expected) > 10
    assert chunks(hits) == chunks(expected)
    assert [hit.document_id for hit in hits] == [hit.document_id for hit in expected]
    assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in expected], rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("other", [IndexInfo("another-model", 4), IndexInfo("a-model", 5)], ids=str)
async def test_another_model_is_refused_until_reset(store: VectorStore, other: IndexInfo) -> None:
    await store.upsert([point(1)])
    with pytest.raises(IndexMismatch) as refusal:
        await store.prepare(other)
    for told in ("a-model", other.model_id, str(other.dimension), "youworker vectors reindex"):
        assert told in refusal.value.message
    await store.prepare(INFO)
    assert await store.count_by_document() == {"report": 1}
    await store.reset()
    await store.prepare(other)
    assert await store.count_by_document() == {}
    await store.upsert([point(1, dense=np.ones(other.dimension, np.float32))])
    assert await store.count_by_document() == {"report": 1}


async def test_points_that_could_not_be_found_again_are_refused(store: VectorStore) -> None:
    for wrong in (
        point(1, dense=np.ones(5, np.float32)),
        point(1, dense=np.array([1, np.nan, 0, 0], np.float32)),
        point(1, terms={2**32: 1.0}),
        point(1, terms={-1: 1.0}),
        VectorPoint(chunk(1), "d", (), EAST, SparseVector((1, 1), (1.0, 1.0))),
        VectorPoint(chunk(1), "d", (), EAST, SparseVector((1, 2), (1.0,))),
    ):
        with pytest.raises((ValueError, VectorIndexRebuilding), match=r"vector|term ids|rebuilt"):
            await store.upsert([point(2), wrong])
    with pytest.raises((ValueError, VectorIndexRebuilding), match=r"shape|rebuilt"):
        await store.search_dense(np.ones(3, np.float32), mint_access_filter({"u:ann"}), limit=3)
    assert await store.count_by_document() == {}


async def test_not_open(maker: Maker, tmp_path: Path) -> None:
    store, ann = maker(tmp_path), mint_access_filter({"u:ann"})
    with pytest.raises(VectorStoreAway):
        await store.upsert([point(1)])
    with pytest.raises(VectorStoreAway):
        await store.search_dense(EAST, ann, limit=1)
    await store.prepare(INFO)
    await store.close()
    await store.close()
    for late in (
        store.upsert([point(1)]),
        store.search_dense(EAST, ann, limit=1),
        store.search_sparse(asks(7), ann, limit=1),
        store.set_visibility("report", []),
        store.delete_document("report"),
        store.count_by_document(),
        store.count_by_visibility(),
        store.list_points(limit=1),
        store.delete_points([chunk(1)]),
    ):
        with pytest.raises(VectorStoreAway):
            await late
