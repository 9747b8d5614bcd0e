"""What a random company should be, in the words of rules.py, and whether everybody sees exactly that."""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from tests.house import House
from tests.isolation.rules import Level, Paper, Team, level
from youworker_app.access.actor import Actor
from youworker_app.access.vectors import access_filter
from youworker_app.core.errors import NotFound
from youworker_app.core.paging import PageRequest
from youworker_app.core.registry import service
from youworker_app.documents.schemas import DocumentFilter
from youworker_app.gateways.embeddings.memory import DIMENSION
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.retrieval.schemas import SearchQuery
from youworker_app.retrieval.service import RetrievalService

ALL = PageRequest(limit=200)
EVERYWHERE = np.ones(DIMENSION, dtype=np.float32)


@dataclass
class Kept:
    """A document as the product names it. `file_id` changes when it moves."""

    document_id: str
    file_id: str
    chunk_ids: tuple[str, ...]
    word: str


@dataclass(frozen=True)
class Asked:
    """A conversation as the product names it."""

    owner: str
    session_id: str
    run_id: str
    message_id: str


@dataclass
class Company:
    """What should be true, in the words of rules.py."""

    teams: dict[str, Team] = field(default_factory=dict)
    papers: dict[str, Paper] = field(default_factory=dict)
    inactive: set[str] = field(default_factory=set)
    kept: dict[str, Kept] = field(default_factory=dict)
    chats: list[Asked] = field(default_factory=list)

    def may(self, person: str, paper: str) -> Level:
        return level(person, self.papers[paper], self.teams)

    def papers_of(self, person: str, least: Level) -> set[str]:
        return {paper for paper in self.papers if self.may(person, paper) >= least}

    def reach(self, person: str) -> set[str]:
        """What the vector store may name to somebody: it knows owners and groups, not how much they grant."""
        return {
            name
            for name, paper in self.papers.items()
            if paper.owner == person or (paper.is_shared and person in self.teams[paper.team or ""].roles)
        }


@dataclass(frozen=True)
class Onlooker:
    """Looks through every way in, as one person, and compares."""

    house: House
    vectors: MemoryVectorStore
    company: Company

    async def look(self, person: str, actor: Actor, name: str, chat: Asked | None) -> None:
        """Lists, the vector store, passages; and one document, by `name`, and one conversation from all sides."""
        company, documents = self.company, self.house.documents
        listed = await documents.list_documents(actor, DocumentFilter(), ALL)
        assert {view.id for view in listed.items} == company.papers_of(person, Level.VIEW), person
        mine = await self.house.installation.groups.list_mine(actor)
        assert {group.name for group in mine} == {
            t for t, team in company.teams.items() if person in team.roles
        }
        hits = await self.vectors.search_dense(EVERYWHERE, access_filter(actor), limit=1_000)
        assert {hit.document_id for hit in hits} == company.reach(person), person
        await self.look_at_passages(person, actor)
        if name:
            await self.look_at_one(person, actor, name)
        if chat:
            await self.look_at_chat(person, actor, chat)

    async def look_at_passages(self, person: str, actor: Actor) -> None:
        chunks = [chunk for kept in self.company.kept.values() for chunk in kept.chunk_ids]
        passages = (await self.house.documents.read_passages(actor, chunks)).values()
        assert {passage.document_id for passage in passages} == self.company.papers_of(person, Level.ASK), (
            person
        )
        for passage in passages:
            may = self.company.may(person, passage.document_id)
            assert self.company.kept[passage.document_id].word in passage.text
            assert (passage.can_view, passage.can_download) == (may >= Level.VIEW, may >= Level.DOWNLOAD)

    async def look_at_one(self, person: str, actor: Actor, name: str) -> None:
        documents, kept, may = self.house.documents, self.company.kept[name], self.company.may(person, name)
        query = SearchQuery(f"What does the rule of {kept.word} say?", 50, document_ids=(name,))
        found = await service(RetrievalService).search(actor, query)
        assert bool(found) == (may >= Level.ASK), (person, may)
        anywhere = await service(RetrievalService).search(actor, SearchQuery(query.query, 50))
        assert {each.document_id for each in anywhere} <= self.company.papers_of(person, Level.ASK)
        assert await given(documents.get_document(actor, name)) == (may >= Level.VIEW)
        assert await given(documents.list_chunks(actor, name, ALL)) == (may >= Level.VIEW)
        # The same content in one place is one file: who may by any of its documents, may.
        best = max(
            self.company.may(person, n)
            for n, each in self.company.kept.items()
            if each.file_id == kept.file_id
        )
        assert await given(documents.get_file(actor, kept.file_id)) == (best >= Level.VIEW)
        assert await given(documents.open_file(actor, kept.file_id)) == (best >= Level.DOWNLOAD)

    async def look_at_chat(self, person: str, actor: Actor, chat: Asked) -> None:
        conversations = self.house.conversations
        is_own = chat.owner == person
        if not is_own:
            assert not await given(conversations.get_session(actor, chat.session_id))
            assert not await given(conversations.get_message(actor, chat.message_id))
            assert not await given(anext(self.house.chat.events(actor, chat.run_id)))
            return
        answerable = self.company.papers_of(person, Level.ASK)
        for citation in (await conversations.get_message(actor, chat.message_id)).citations:
            assert citation.available == (citation.document_id in answerable)
            assert bool(citation.quote) == bool(citation.filename) == citation.available
        quotes = [
            citation
            async for batch in self.house.chat.events(actor, chat.run_id)
            for event in batch
            if event.name == "citations"
            for citation in cast("list[dict[str, object]]", event.data["citations"])
        ]
        assert {each["document_id"] for each in quotes if each["quote"]} <= answerable


async def given(work: Awaitable[object]) -> bool:
    """Whether it is there for who asked."""
    try:
        await work
    except NotFound:
        return False
    return True
