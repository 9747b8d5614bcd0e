"""/v1/search: retrieval alone."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from youworker_app.api.actor import CurrentActor
from youworker_app.api.described import errors
from youworker_app.api.params import OpaqueId, ShortText
from youworker_app.core.registry import service
from youworker_app.documents.schemas import Passage
from youworker_app.retrieval.schemas import SearchQuery
from youworker_app.retrieval.service import RetrievalService

router = APIRouter(tags=["search"])


class SearchBody(BaseModel):
    """What is left out does not narrow; an empty list narrows to nothing. `group_id` and `group_ids` add up."""

    query: str
    limit: int = 10
    group_id: OpaqueId | None = None
    group_ids: Annotated[list[OpaqueId], Field(max_length=200)] | None = None
    tags: Annotated[list[ShortText], Field(max_length=200)] | None = None
    collection: ShortText | None = None
    document_ids: Annotated[list[OpaqueId], Field(max_length=1_000)] | None = None

    def as_query(self) -> SearchQuery:
        groups = self.group_ids
        if self.group_id is not None:
            groups = [*(groups or ()), self.group_id]
        return SearchQuery(
            self.query,
            self.limit,
            None if groups is None else tuple(groups),
            None if self.tags is None else tuple(self.tags),
            self.collection,
            None if self.document_ids is None else tuple(self.document_ids),
        )


@dataclass(frozen=True)
class SearchAnswer:
    """Best first."""

    items: tuple[Passage, ...]


@router.post("/search", responses=errors(503))
async def search(actor: CurrentActor, body: SearchBody) -> SearchAnswer:
    return SearchAnswer(await service(RetrievalService).search(actor, body.as_query()))
