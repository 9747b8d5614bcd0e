"""/v1: one's own password and signed-in devices."""

from fastapi import APIRouter
from pydantic import BaseModel

from youworker_app.accounts.devices import DeviceService
from youworker_app.accounts.own_password import OwnPasswordService
from youworker_app.accounts.schemas import DeviceView
from youworker_app.api.actor import CurrentActor
from youworker_app.api.described import errors
from youworker_app.api.params import OpaqueId
from youworker_app.core.paging import Page
from youworker_app.core.registry import service

router = APIRouter()


class PasswordBody(BaseModel):
    present_password: str
    new_password: str


@router.post("/account/password", status_code=204, responses=errors(409, 429))
async def change_password(actor: CurrentActor, body: PasswordBody) -> None:
    """Ends every other session of the caller's. API keys live on."""
    await service(OwnPasswordService).change_password(actor, body.present_password, body.new_password)


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
