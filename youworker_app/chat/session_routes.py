"""/v1/sessions: conversations as people keep them."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from youworker_app.api.actor import CurrentActor
from youworker_app.api.described import errors
from youworker_app.api.paging import PageQuery
from youworker_app.api.params import OpaqueId, ShortText
from youworker_app.chat.conversations import ConversationService
from youworker_app.chat.schemas import MessageView, SessionView
from youworker_app.core.paging import Page
from youworker_app.core.registry import service

router = APIRouter(prefix="/sessions", tags=["chat"])


class SessionChange(BaseModel):
    title: ShortText


@router.get("")
async def list_sessions(
    actor: CurrentActor, page: PageQuery, q: Annotated[ShortText | None, Query()] = None
) -> Page[SessionView]:
    return await service(ConversationService).list_sessions(actor, q, page)


@router.get("/{session_id}")
async def get_session(actor: CurrentActor, session_id: OpaqueId) -> SessionView:
    return await service(ConversationService).get_session(actor, session_id)


@router.patch("/{session_id}")
async def rename_session(actor: CurrentActor, session_id: OpaqueId, change: SessionChange) -> SessionView:
    return await service(ConversationService).rename_session(actor, session_id, change.title)


@router.delete("/{session_id}", status_code=204, responses=errors(409))
async def delete_session(actor: CurrentActor, session_id: OpaqueId) -> None:
    await service(ConversationService).delete_session(actor, session_id)


@router.get("/{session_id}/messages")
async def list_messages(actor: CurrentActor, session_id: OpaqueId, page: PageQuery) -> Page[MessageView]:
    """The newest page first, in order of time inside a page."""
    return await service(ConversationService).list_messages(actor, session_id, page)
