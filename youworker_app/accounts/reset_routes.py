"""/v1: a new password by a one-time link. The browser's form of it: form_routes.py."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from youworker_app.accounts.resets import ResetService
from youworker_app.api.actor import CurrentActor
from youworker_app.api.costs import address_pays
from youworker_app.api.described import errors
from youworker_app.api.links import link_to
from youworker_app.api.params import OpaqueId
from youworker_app.core.registry import service

router = APIRouter()


class ResetBody(BaseModel):
    token: str
    password: str


@dataclass(frozen=True)
class ResetAnswer:
    """`link` is shown this once and opens once, until `expires_at`."""

    user_id: str
    username: str
    token: str
    link: str
    expires_at: datetime


@router.post("/users/{user_id}/reset", status_code=201)
async def issue_reset(request: Request, actor: CurrentActor, user_id: OpaqueId) -> ResetAnswer:
    """Root only. A link by which the person chooses a new password; an earlier one opens no more."""
    made = await service(ResetService).issue_reset(actor, user_id)
    link = link_to(request, f"/reset?token={made.token}")
    return ResetAnswer(made.user_id, made.username, made.token, link, made.expires_at)


@router.post("/auth/reset", status_code=204, responses=errors(409, 429), dependencies=[Depends(address_pays)])
async def reset_password(body: ResetBody) -> None:
    """Takes the new password and ends every session of the person."""
    await service(ResetService).reset_password(body.token, body.password)
