"""/v1: one's own API keys."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from youworker_app.access.actor import Scope
from youworker_app.accounts.api_keys import OVERLAP_HOURS, ApiKeyService
from youworker_app.accounts.schemas import ApiKeyView, CreateApiKey, NewApiKey
from youworker_app.api.actor import CurrentActor
from youworker_app.api.described import errors
from youworker_app.api.params import OpaqueId, one_of
from youworker_app.core.paging import Page
from youworker_app.core.registry import service

router = APIRouter(prefix="/account/api-keys")


class ApiKeyBody(BaseModel):
    """`group_ids` narrows the key to these groups of the caller's; without it the key sees all that the caller sees."""

    name: str
    scopes: Annotated[list[Annotated[str, one_of(*Scope)]], Field(max_length=50)]
    expires_in_days: int | None = None
    group_ids: Annotated[list[OpaqueId], Field(max_length=200)] | None = None


class RotationBody(BaseModel):
    """`overlap_hours`: for how long the old key lives on, 0 to 168; 0 ends it at once."""

    overlap_hours: int = OVERLAP_HOURS


@dataclass(frozen=True)
class NewKeyAnswer:
    """`key` is shown this once."""

    id: str
    name: str
    key: str
    prefix: str
    scopes: tuple[str, ...]
    group_ids: tuple[str, ...] | None
    created_at: datetime
    expires_at: datetime | None


@router.get("")
async def list_keys(actor: CurrentActor) -> Page[ApiKeyView]:
    """All of one's own keys; there are never so many that they need a second page."""
    return Page(await service(ApiKeyService).list_keys(actor))


@router.post("", status_code=201, responses=errors(409))
async def create_key(actor: CurrentActor, body: ApiKeyBody) -> NewKeyAnswer:
    groups = None if body.group_ids is None else tuple(body.group_ids)
    wanted = CreateApiKey(body.name, tuple(body.scopes), body.expires_in_days, groups)
    return _shown(await service(ApiKeyService).create_key(actor, wanted))


@router.post("/{key_id}/rotate", status_code=201, responses=errors(409))
async def rotate_key(actor: CurrentActor, key_id: OpaqueId, body: RotationBody | None = None) -> NewKeyAnswer:
    """A successor with the same name, scopes, groups and life. The old key lives on for the overlap."""
    overlap = OVERLAP_HOURS if body is None else body.overlap_hours
    return _shown(await service(ApiKeyService).rotate_key(actor, key_id, overlap))


@router.delete("/{key_id}", status_code=204, responses=errors(409))
async def delete_key(actor: CurrentActor, key_id: OpaqueId) -> None:
    """Ends the key at once, with what is being answered to it."""
    await service(ApiKeyService).delete_key(actor, key_id)


def _shown(new: NewApiKey) -> NewKeyAnswer:
    view = new.view
    return NewKeyAnswer(
        view.id,
        view.name,
        new.key,
        view.prefix,
        view.scopes,
        view.group_ids,
        view.created_at,
        view.expires_at,
    )
