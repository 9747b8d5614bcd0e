"""What retrieval needs of documents, and a version in plain memory for tests and benchmarks.

`documents.service.DocumentService` fulfils the Protocol. Decides nothing about sight itself.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from youworker_app.access.actor import Actor
from youworker_app.documents.schemas import DocumentFilter, Passage


class Library(Protocol):
    """Reads passages as an actor may see them."""

    async def read_passages(self, actor: Actor, chunk_ids: Collection[str]) -> dict[str, Passage]:
        """Those of the passages that the actor may be answered from, by id."""
        ...

    async def find_documents(
        self, actor: Actor, wanted: DocumentFilter, group_ids: Collection[str] | None = None
    ) -> list[str]:
        """Ids of the documents that may answer and satisfy the filter."""
        ...

    async def has_documents(self, actor: Actor) -> bool:
        """Whether there is any document that may answer."""
        ...

    async def document_languages(self) -> list[str]:
        """The languages that the installation's documents are in."""
        ...


class MemoryLibrary:
    """Fulfils `Library`. A passage is visible to the person, or to members of its group, that `owners` names.

    Args:
        passages: what there is.
        owners: by document id, the user who sees it; a document that is not named is seen by its group alone.
        tags: by document id.
    """

    def __init__(
        self,
        passages: Iterable[Passage],
        *,
        owners: Mapping[str, str],
        tags: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self._passages = {passage.chunk_id: passage for passage in passages}
        self._owners, self._tags = owners, tags or {}
        self.reads = 0
        self.searches = 0
        self.language_calls = 0
        self.presence_calls = 0

    async def read_passages(self, actor: Actor, chunk_ids: Collection[str]) -> dict[str, Passage]:
        self.reads += 1
        found = (self._passages.get(chunk_id) for chunk_id in chunk_ids)
        return {
            passage.chunk_id: passage
            for passage in found
            if passage is not None and self._sees(actor, passage)
        }

    async def find_documents(
        self, actor: Actor, wanted: DocumentFilter, group_ids: Collection[str] | None = None
    ) -> list[str]:
        self.searches += 1
        fitting = (
            passage.document_id
            for passage in self._passages.values()
            if self._sees(actor, passage)
            and (wanted.tag is None or wanted.tag in self._tags.get(passage.document_id, ()))
            and (group_ids is None or passage.group_id in group_ids)
        )
        return list(dict.fromkeys(fitting))

    async def has_documents(self, actor: Actor) -> bool:
        self.presence_calls += 1
        return any(self._sees(actor, passage) for passage in self._passages.values())

    async def document_languages(self) -> list[str]:
        self.language_calls += 1
        return sorted({passage.language for passage in self._passages.values()})

    def remove(self, chunk_id: str) -> None:
        """Erases a passage here, as the database does before the vector store has heard of it."""
        del self._passages[chunk_id]

    def _sees(self, actor: Actor, passage: Passage) -> bool:
        is_owner = self._owners.get(passage.document_id) == actor.user_id
        return is_owner or (not passage.is_private and passage.group_id in actor.group_ids)
