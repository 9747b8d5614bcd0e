"""/v1: setup, sign-in, one's own account, and root's list of people. The browser's forms: form_routes.py."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, model_validator

from youworker_app.access.credentials import Carrier
from youworker_app.accounts import (
    erasure_routes,
    export_routes,
    forwarded_routes,
    key_routes,
    oidc_routes,
    reset_routes,
    security_routes,
)
from youworker_app.accounts.clients import client_of, demand_local_sign_in
from youworker_app.accounts.people import PeopleService
from youworker_app.accounts.schemas import (
    CHOICES,
    ChangeUser,
    CreateUser,
    MeView,
    Preferences,
    SignedIn,
    UserView,
)
from youworker_app.accounts.service import AccountService
from youworker_app.api.actor import CurrentActor, presented
from youworker_app.api.cookies import clear_session, set_device, set_session
from youworker_app.api.costs import address_pays
from youworker_app.api.described import errors
from youworker_app.api.paging import PageQuery
from youworker_app.api.params import OpaqueId, ShortText, one_of
from youworker_app.core.paging import Page
from youworker_app.core.registry import service
from youworker_app.groups.schemas import GroupView

router = APIRouter(tags=["accounts"])
router.include_router(key_routes.router)
router.include_router(security_routes.router)
router.include_router(reset_routes.router)
router.include_router(oidc_routes.router)
router.include_router(erasure_routes.router)
router.include_router(forwarded_routes.router)
router.include_router(export_routes.router)


class SetupBody(BaseModel):
    setup_token: str
    username: str
    password: str


class LoginBody(BaseModel):
    username: str
    password: str


class PreferencesBody(BaseModel):
    """`language`: "" (as the browser asks), en or it. `theme`: system, light or dark."""

    language: Annotated[str, one_of(*CHOICES["language"])] | None = None
    theme: Annotated[str, one_of(*CHOICES["theme"])] | None = None


class UserChange(BaseModel):
    """`is_active`: false suspends, true restores. `is_root`: whether the person administers the installation. `is_held`:
    whether their conversations have to stay, whoever would delete them."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    is_active: bool = True
    is_root: bool = False
    is_held: bool = False

    @model_validator(mode="after")
    def _says_something(self) -> "UserChange":
        if not self.model_fields_set:
            raise ValueError("give is_active, is_root or is_held")
        return self

    def as_change(self) -> ChangeUser:
        """What was given; the rest stays as it is."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return ChangeUser(**given)


class UserBody(BaseModel):
    """Without a password the person chooses one by a link: POST /v1/users/{user_id}/reset."""

    username: str
    password: str | None = None
    is_root: bool = False


@dataclass(frozen=True)
class SignedInAnswer:
    """The session itself is in an HttpOnly cookie; writes with it carry `csrf_token` in X-CSRF-Token."""

    user: UserView
    csrf_token: str


@dataclass(frozen=True)
class MeAnswer:
    """`csrf_token` is null for an API key, which needs none."""

    id: str
    username: str
    is_root: bool
    language: str
    theme: str
    groups: tuple[GroupView, ...]
    csrf_token: str | None


@router.post("/setup", status_code=201, responses=errors(409), dependencies=[Depends(address_pays)])
async def set_up(request: Request, response: Response, body: SetupBody) -> SignedInAnswer:
    """Makes the first account, with the token that the server printed at its start; only while there is none."""
    accounts = service(AccountService)
    signed_in = await accounts.set_up(body.setup_token, body.username, body.password, client_of(request))
    return _signed_in(request, response, signed_in)


@router.post("/auth/login", dependencies=[Depends(address_pays)])
async def log_in(request: Request, response: Response, body: LoginBody) -> SignedInAnswer:
    demand_local_sign_in(request)
    signed_in = await service(AccountService).sign_in(body.username, body.password, client_of(request))
    return _signed_in(request, response, signed_in)


@router.post("/auth/logout", status_code=204)
async def log_out(request: Request, response: Response, actor: CurrentActor) -> None:
    await service(AccountService).sign_out(actor)
    clear_session(request, response)


@router.get("/auth/me")
async def me(request: Request, actor: CurrentActor) -> MeAnswer:
    """Who asks. A page that was loaded anew finds its CSRF token here."""
    accounts = service(AccountService)
    view = await accounts.me(actor)
    credential = presented(request)
    is_browser = credential is not None and credential.carrier is Carrier.COOKIE
    return MeAnswer(
        view.id,
        view.username,
        view.is_root,
        view.language,
        view.theme,
        view.groups,
        accounts.csrf_token(credential.secret) if credential and is_browser else None,
    )


@router.get("/account")
async def get_account(actor: CurrentActor) -> MeView:
    return await service(AccountService).me(actor)


@router.patch("/account")
async def change_account(actor: CurrentActor, body: PreferencesBody) -> MeView:
    return await service(AccountService).set_preferences(actor, Preferences(body.language, body.theme))


@router.get("/users")
async def list_users(
    actor: CurrentActor, page: PageQuery, q: Annotated[ShortText, Query()] = ""
) -> Page[UserView]:
    """Root only. `q` stands in the name."""
    return await service(PeopleService).list_users(actor, page, q)


@router.post("/users", status_code=201, responses=errors(409))
async def create_user(actor: CurrentActor, body: UserBody) -> UserView:
    """Root only."""
    wanted = CreateUser(body.username, body.password, body.is_root)
    return await service(PeopleService).create_user(actor, wanted)


@router.patch("/users/{user_id}", responses=errors(409))
async def change_user(actor: CurrentActor, user_id: OpaqueId, change: UserChange) -> UserView:
    """Root only. A suspended person is out at once, and finds everything as it was when restored.

    Who is made an administrator is one with every key of theirs that has the scope `admin`.
    """
    return await service(PeopleService).change_user(actor, user_id, change.as_change())


@router.delete("/users/{user_id}", status_code=204, responses=errors(409))
async def remove_user(actor: CurrentActor, user_id: OpaqueId) -> None:
    """Root only. Erases the person and what is theirs for good; what they shared with a group stays with its admins."""
    await service(PeopleService).remove_user(actor, user_id)


def _signed_in(request: Request, response: Response, signed_in: SignedIn) -> SignedInAnswer:
    set_session(request, response, signed_in.token, signed_in.expires_at)
    set_device(request, response, signed_in.device)
    return SignedInAnswer(signed_in.user, signed_in.csrf_token)
