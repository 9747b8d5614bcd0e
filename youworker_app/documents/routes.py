"""/v1/documents: list, read, change, delete, and the text that the machine read."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from youworker_app.api.actor import CurrentActor
from youworker_app.api.described import errors
from youworker_app.api.paging import PageQuery
from youworker_app.api.params import OpaqueId, ShortText, opaque
from youworker_app.core.paging import Page
from youworker_app.core.registry import service
from youworker_app.documents.file_routes import router as files
from youworker_app.documents.schemas import ChangeDocument, ChunkView, DocumentFilter, DocumentView
from youworker_app.documents.service import DocumentService
from youworker_app.documents.sharing import SharingService

router = APIRouter(tags=["documents"])
router.include_router(files)


class DocumentQuery(BaseModel):
    group_id: OpaqueId | None = None
    tag: ShortText | None = None
    collection: ShortText | None = None
    q: ShortText | None = Field(None, description="Part of the title or of the file's name.")
    state: Literal["queued", "working", "ready", "failed", "cancelled"] | None = None


class DocumentChange(BaseModel):
    """Fields that are left out stay. `group_id` null or "" takes the document out of its group."""

    title: ShortText | None = None
    tags: Annotated[list[ShortText], Field(max_length=200)] | None = None
    is_private: bool | None = None
    group_id: Annotated[str, Field(max_length=64)] | None = None

    def as_input(self) -> ChangeDocument:
        leaves = "group_id" in self.model_fields_set and not self.group_id
        group_id = opaque(self.group_id) if self.group_id else None
        return ChangeDocument(
            title=self.title,
            tags=None if self.tags is None else tuple(self.tags),
            is_private=self.is_private,
            group_id="" if leaves else group_id,
        )


@router.get("/documents")
async def list_documents(
    actor: CurrentActor, wanted: Annotated[DocumentQuery, Query()], page: PageQuery
) -> Page[DocumentView]:
    return await service(DocumentService).list_documents(actor, DocumentFilter(**wanted.model_dump()), page)


@router.get("/documents/{document_id}")
async def get_document(actor: CurrentActor, document_id: OpaqueId) -> DocumentView:
    return await service(DocumentService).open_document(actor, document_id)


@router.patch("/documents/{document_id}", responses=errors(409, 503))
async def change_document(actor: CurrentActor, document_id: OpaqueId, change: DocumentChange) -> DocumentView:
    return await service(SharingService).change_document(actor, document_id, change.as_input())


@router.delete("/documents/{document_id}", status_code=204, responses=errors(409))
async def delete_document(actor: CurrentActor, document_id: OpaqueId) -> None:
    await service(DocumentService).delete_document(actor, document_id)


@router.get("/documents/{document_id}/chunks")
async def list_chunks(actor: CurrentActor, document_id: OpaqueId, page: PageQuery) -> Page[ChunkView]:
    return await service(DocumentService).list_chunks(actor, document_id, page)
