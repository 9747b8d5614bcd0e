"""While a generation of the index grows, what is written goes into it as well as into the one that answers."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import numpy as np
import pytest

from youworker_app.gateways.vectors.errors import VectorStoreAway
from youworker_app.gateways.vectors.generations import FIRST, GenerationStore
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.gateways.vectors.protocol import IndexInfo, SparseVector, VectorPoint
from youworker_app.gateways.vectors.shelves import GivenShelf

INFO = IndexInfo("a-model", 4)
Change = Callable[[GenerationStore], Awaitable[None]]


def point(chunk: str, document: str, *visibility: str) -> VectorPoint:
    return VectorPoint(chunk, document, visibility, np.ones(4, np.float32), SparseVector((7,), (1.0,)))


async def held(store: MemoryVectorStore) -> dict[str, tuple[str, ...]]:
    """The keywords of each point, by its chunk."""
    return {each.chunk_id: each.visibility for each in await store.list_points(limit=100)}


@pytest.fixture
def shelf() -> GivenShelf:
    return GivenShelf(MemoryVectorStore(), MemoryVectorStore)


@pytest.fixture
async def index(shelf: GivenShelf) -> AsyncIterator[GenerationStore]:
    """One that answers and one that grows, with the same three points in both."""
    made = GenerationStore(shelf)
    await made.prepare(INFO)
    await made.grow("2", INFO)
    await made.upsert([point("a", "one", "u:ann"), point("b", "one", "u:ann"), point("c", "two", "u:bob")])
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda index: index.upsert([]), {"a": ("u:ann",), "b": ("u:ann",), "c": ("u:bob",)}),
        (
            lambda index: index.set_visibility("one", ("u:ann", "g:law")),
            {"a": ("u:ann", "g:law"), "b": ("u:ann", "g:law"), "c": ("u:bob",)},
        ),
        (lambda index: index.delete_document("one"), {"c": ("u:bob",)}),
        (lambda index: index.delete_points(["a", "c"]), {"b": ("u:ann",)}),
    ],
    ids=["upsert", "set_visibility", "delete_document", "delete_points"],
)
async def test_a_change_goes_into_both_generations(
    shelf: GivenShelf, index: GenerationStore, change: Change, expected: dict[str, tuple[str, ...]]
) -> None:
    await change(index)
    for name in (FIRST, "2"):
        store = shelf.stores[name]
        assert isinstance(store, MemoryVectorStore)
        assert await held(store) == expected, name


class Away(MemoryVectorStore):
    """Takes nothing in."""

    async def upsert(self, points: Sequence[VectorPoint]) -> None:
        raise VectorStoreAway


async def test_what_the_growing_one_does_not_take_the_other_does_not_have() -> None:
    """Else nothing would tell, when they change places, that it is wanting."""
    answering = MemoryVectorStore()
    index = GenerationStore(GivenShelf(answering, Away))
    await index.prepare(INFO)
    await index.grow("2", INFO)
    with pytest.raises(VectorStoreAway):
        await index.upsert([point("a", "one", "u:ann")])
    assert await held(answering) == {}
    await index.close()
