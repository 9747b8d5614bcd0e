"""Frozen inputs of retrieval; what it answers are `documents.schemas.Passage`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SearchQuery:
    """None does not narrow. An empty tuple narrows to nothing."""

    query: str
    limit: int = 10
    group_ids: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    collection: str | None = None
    document_ids: tuple[str, ...] | None = None
