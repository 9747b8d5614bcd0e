"""/v1: one's own password and signed-in devices."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from youworker_app.accounts.devices import DeviceService
from youworker_app.accounts.own_password import OwnPasswordService
from youworker_app.accounts.provider_sign_in import ProviderSignIn
from youworker_app.accounts.schemas import DeviceView, Doors
from youworker_app.api.actor import CurrentActor
from youworker_app.api.cookies import set_session
from youworker_app.api.described import errors
from youworker_app.api.params import OpaqueId
from youworker_app.core.paging import Page
from youworker_app.core.registry import service

router = APIRouter()


class PasswordBody(BaseModel):
    present_password: str
    new_password: str


@dataclass(frozen=True)
class PasswordAnswer:
    """The token that writes need from now on: the session has another id. Null for an API key, which needs none."""

    csrf_token: str | None


@router.post("/account/password", responses=errors(409, 429))
async def change_password(
    request: Request, response: Response, actor: CurrentActor, body: PasswordBody
) -> PasswordAnswer:
    """Ends every other session of the caller's, and puts another cookie in the place of this one's. API keys live on."""
    changing = service(OwnPasswordService).change_password
    renewed = await changing(actor, body.present_password, body.new_password)
    if renewed is None:
        return PasswordAnswer(None)
    set_session(request, response, renewed.token, renewed.expires_at)
    return PasswordAnswer(renewed.csrf_token)


@router.get("/account/doors")
async def list_doors(actor: CurrentActor) -> Doors:
    """How the caller can sign in: with a password here, at which providers."""
    return await service(ProviderSignIn).list_doors(actor)


@router.get("/account/sessions")
async def list_devices(actor: CurrentActor) -> Page[DeviceView]:
    """Where the caller is signed in, the browser that asks first; there are never so many that they need a second page."""
    return Page(await service(DeviceService).list_devices(actor))


@router.delete("/account/sessions/{login_id}", status_code=204)
async def sign_out_device(actor: CurrentActor, login_id: OpaqueId) -> None:
    await service(DeviceService).sign_out_device(actor, login_id)


@router.delete("/account/sessions", status_code=204)
async def sign_out_others(actor: CurrentActor) -> None:
    """Signs the caller out everywhere else."""
    await service(DeviceService).sign_out_others(actor)
