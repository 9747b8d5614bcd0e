"""What the vector store holds may be stale or wrong: SQL decides, at each reading, and neither half stands in for the other."""

from typing import Any

import numpy as np
import pytest

from tests.isolation.company import ACTIVE, PAPERS, TEAMS, visible_papers
from tests.isolation.rules import Level
from tests.isolation.world import World
from youworker_app.access.vectors import access_filter
from youworker_app.core.registry import service
from youworker_app.gateways.vectors.protocol import SparseVector
from youworker_app.retrieval.schemas import SearchQuery
from youworker_app.retrieval.service import RetrievalService


def within_reach(person: str) -> set[str]:
    """Documents that the vector store may name to somebody: their own, and what lies open in their groups."""
    return {
        name
        for name, paper in PAPERS.items()
        if paper.owner == person or (paper.is_shared and person in TEAMS[paper.team or ""].roles)
    }


async def test_the_vector_store_itself_finds_nothing_foreign(world: World) -> None:
    names = {ids.document_id: name for name, ids in world.facts.papers.items()}
    everything = SparseVector(
        tuple({term for point in world.vectors._points.values() for term in point.sparse.indices}), ()
    )
    query = SparseVector(everything.indices, (1.0,) * len(everything.indices))
    for person in ACTIVE:
        access = access_filter(await world.actor(person))
        dense = await world.vectors.search_dense(np.ones(64, dtype=np.float32), access, limit=500)
        sparse = await world.vectors.search_sparse(query, access, limit=500)
        assert {names[hit.document_id] for hit in dense} == within_reach(person), person
        assert {names[hit.document_id] for hit in sparse} <= within_reach(person), person


async def stale(world: World) -> None:
    """Every point is open to everybody."""
    everybody = [f"u:{each.user_id}" for each in world.facts.passes.values()]
    for ids in world.facts.papers.values():
        await world.vectors.set_visibility(ids.document_id, everybody)


@pytest.mark.parametrize("narrowed", [True, False])
async def test_a_stale_payload_shows_nothing(world: World, narrowed: bool) -> None:
    await stale(world)
    for person in ACTIVE:
        actor, found = await world.actor(person), set()
        for ids in world.facts.papers.values():
            named = (ids.document_id,) if narrowed else None
            query = SearchQuery(f"What does the rule of {ids.word} say?", 50, document_ids=named)
            for passage in await service(RetrievalService).search(actor, query):
                found.add(passage.document_id)
                assert passage.can_view == (_level(world, person, passage.document_id) >= Level.VIEW)
                assert passage.can_download == (_level(world, person, passage.document_id) >= Level.DOWNLOAD)
        allowed = {world.facts.papers[name].document_id for name in visible_papers(person, Level.ASK)}
        assert found <= allowed, person
        assert not narrowed or found == allowed, person


def _level(world: World, person: str, document_id: str) -> Level:
    target: Any = next(
        each for each in world.facts.targets("document") if each.ids["document_id"] == document_id
    )
    return Level(target.levels[person])


async def test_passages_are_read_by_right_alone(world: World) -> None:
    """Whatever named the ids, and however many: the reader gets those that they may be answered from."""
    chunks = {chunk: name for name, ids in world.facts.papers.items() for chunk in ids.chunk_ids}
    for person in ACTIVE:
        passages = await world.house.documents.read_passages(await world.actor(person), chunks)
        assert {chunks[chunk_id] for chunk_id in passages} == visible_papers(person, Level.ASK), person


async def test_what_others_have_changes_no_score(world: World) -> None:
    """A search among one's own documents is the same, to the last digit, when others add theirs."""
    actor = await world.actor("stranger")
    query = SearchQuery("What does the rule of wordsouthern say that is counted twice?", 50)
    before = await service(RetrievalService).search(actor, query)
    assert before
    for number in range(5):
        text = f"The rule {number} of wordsouthern is counted twice, twice, twice and wordsouthern again."
        await world.house.upload(await world.actor("owner"), text.encode(), f"noise{number}.txt")
    assert await service(RetrievalService).search(actor, query) == before
