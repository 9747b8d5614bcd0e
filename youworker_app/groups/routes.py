"""/v1/groups: one's own groups and who is in them."""

from typing import Annotated, TypeAlias

from fastapi import APIRouter
from pydantic import BaseModel

from youworker_app.api.actor import CurrentActor
from youworker_app.api.described import errors
from youworker_app.api.params import OpaqueId, one_of
from youworker_app.core.paging import Page
from youworker_app.core.registry import service
from youworker_app.groups.schemas import ROLES, CreateGroup, GroupView, MemberView
from youworker_app.groups.service import GroupService

router = APIRouter(prefix="/groups", tags=["groups"])


Role: TypeAlias = Annotated[str, one_of(*ROLES)]


class GroupBody(BaseModel):
    name: str
    description: str = ""


class MemberBody(BaseModel):
    username: str
    role: Role = "member"


class RoleBody(BaseModel):
    role: Role


@router.post("", status_code=201, responses=errors(409))
async def create_group(actor: CurrentActor, body: GroupBody) -> GroupView:
    """The creator is its admin."""
    return await service(GroupService).create_group(actor, CreateGroup(body.name, body.description))


@router.get("/me")
async def list_mine(actor: CurrentActor) -> Page[GroupView]:
    return Page(await service(GroupService).list_mine(actor))


@router.get("/{group_id}")
async def get_group(actor: CurrentActor, group_id: OpaqueId) -> GroupView:
    return await service(GroupService).get_group(actor, group_id)


@router.delete("/{group_id}", status_code=204, responses=errors(409))
async def delete_group(actor: CurrentActor, group_id: OpaqueId) -> None:
    """Admins of the group only. Its documents go back to their owners, private."""
    await service(GroupService).delete_group(actor, group_id)


@router.get("/{group_id}/members")
async def list_members(actor: CurrentActor, group_id: OpaqueId) -> Page[MemberView]:
    return Page(await service(GroupService).list_members(actor, group_id))


@router.post("/{group_id}/members", status_code=201, responses=errors(409))
async def add_member(actor: CurrentActor, group_id: OpaqueId, body: MemberBody) -> MemberView:
    """Admins of the group only."""
    return await service(GroupService).add_member(actor, group_id, body.username, body.role)


@router.put("/{group_id}/members/{user_id}", status_code=204, responses=errors(409))
async def change_role(actor: CurrentActor, group_id: OpaqueId, user_id: OpaqueId, body: RoleBody) -> None:
    """Admins of the group only."""
    await service(GroupService).change_role(actor, group_id, user_id, body.role)


@router.delete("/{group_id}/members/{user_id}", status_code=204, responses=errors(409))
async def remove_member(actor: CurrentActor, group_id: OpaqueId, user_id: OpaqueId) -> None:
    """Admins of the group, or oneself to leave."""
    await service(GroupService).remove_member(actor, group_id, user_id)
