"""The browser's own forms: setup, sign-in and sign-out by native posts that answer 303, so that a plain answer sets the cookie.

Every refusal goes back to its page with a code. What was typed never stands in an address; the setup token does, since
the link that it came from has it there.
"""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from youworker_app.access.credentials import Carrier, Credential
from youworker_app.accounts.clients import client_of, demand_local_sign_in
from youworker_app.accounts.own_erasure import OwnErasureService, require_confirmed
from youworker_app.accounts.own_password import OwnPasswordService
from youworker_app.accounts.provider_sign_in import ProviderSignIn
from youworker_app.accounts.redirects import HOME, LOGIN, back_to, local_path, onwards, see
from youworker_app.accounts.resets import ResetService
from youworker_app.accounts.service import AccountService
from youworker_app.api.cookies import (
    DEVICE_COOKIE,
    FORMS_PATH,
    PRESESSION_COOKIE,
    SESSION_COOKIE,
    clear_session,
    set_device,
    set_presession,
    set_session,
)
from youworker_app.api.costs import address_pays
from youworker_app.api.links import link_to
from youworker_app.core.errors import AppError, Unauthenticated
from youworker_app.core.registry import service

router = APIRouter(prefix=FORMS_PATH, include_in_schema=False)

SETUP: Final = "/setup"
ACCOUNT: Final = "/account"
RESET: Final = "/reset"
ERASED: Final = "/erased"
_MOST_FIELDS: Final = 10


@router.get("/token")
async def form_token(request: Request) -> Response:
    """What the sign-in form carries as `csrf`; its other half is set as a cookie."""
    cookie, token = service(AccountService).presession_csrf(request.cookies.get(PRESESSION_COOKIE))
    response = JSONResponse({"csrf": token}, headers={"cache-control": "no-store"})
    set_presession(request, response, cookie)
    return response


@router.post("/setup")
async def set_up(request: Request) -> Response:
    fields, accounts = await _fields(request), service(AccountService)
    token = fields.get("setup_token", "")
    try:
        await address_pays(request)
        accounts.check_presession(request.cookies.get(PRESESSION_COOKIE, ""), fields.get("csrf", ""))
        signed_in = await accounts.set_up(
            token, fields.get("username", ""), fields.get("password", ""), client_of(request)
        )
    except AppError as error:
        return back_to(SETUP, error, {"token": token[:200]})
    response = see(HOME)
    set_session(request, response, signed_in.token, signed_in.expires_at)
    set_device(request, response, signed_in.device)
    return response


@router.post("/login")
async def log_in(request: Request) -> Response:
    """`next`, if it is a path here, is where the browser goes afterwards."""
    fields, accounts = await _fields(request), service(AccountService)
    target = local_path(fields.get("next", ""))
    try:
        await address_pays(request)
        demand_local_sign_in(request)
        accounts.check_presession(request.cookies.get(PRESESSION_COOKIE, ""), fields.get("csrf", ""))
        signed_in = await accounts.sign_in(
            fields.get("username", ""), fields.get("password", ""), client_of(request)
        )
    except AppError as error:
        return back_to(LOGIN, error, {} if target == HOME else {"next": target})
    response = see(target)
    set_session(request, response, signed_in.token, signed_in.expires_at)
    set_device(request, response, signed_in.device)
    return response


@router.post("/password")
async def change_password(request: Request) -> Response:
    """Another password for who is signed in; all their other browsers are signed out."""
    fields, accounts = await _fields(request), service(AccountService)
    secret = request.cookies.get(SESSION_COOKIE, "")
    try:
        await address_pays(request)
        actor = await accounts.authenticate(Credential(Carrier.COOKIE, secret))
        accounts.check_csrf(secret, fields.get("csrf", ""))
        present, new = fields.get("present_password", ""), fields.get("new_password", "")
        renewed = await service(OwnPasswordService).change_password(actor, present, new)
    except Unauthenticated:
        return see(LOGIN)
    except AppError as error:
        return back_to(ACCOUNT, error, {})
    response = see(f"{ACCOUNT}?done=password")
    if renewed is not None:
        set_session(request, response, renewed.token, renewed.expires_at)
    return response


@router.post("/erase")
async def erase_account(request: Request) -> Response:
    """The end of the account that is signed in; their receipt is shown where nobody has to sign in."""
    fields, accounts = await _fields(request), service(AccountService)
    secret = request.cookies.get(SESSION_COOKIE, "")
    try:
        await address_pays(request)
        actor = await accounts.authenticate(Credential(Carrier.COOKIE, secret))
        accounts.check_csrf(secret, fields.get("csrf", ""))
        require_confirmed(fields.get("confirmation", ""), actor.username)
        erased = await service(OwnErasureService).erase_account(actor, fields.get("erase_password", ""))
    except Unauthenticated:
        return see(LOGIN)
    except AppError as error:
        return back_to(ACCOUNT, error, {"about": "erase"})
    response = see(f"{ERASED}?receipt={erased.token}")
    clear_session(request, response)
    return response


@router.post("/reset")
async def reset_password(request: Request) -> Response:
    """The password that a one-time link lets choose; who has chosen it signs in."""
    fields = await _fields(request)
    token = fields.get("token", "")
    try:
        await address_pays(request)
        cookie = request.cookies.get(PRESESSION_COOKIE, "")
        service(AccountService).check_presession(cookie, fields.get("csrf", ""))
        username = await service(ResetService).reset_password(token, fields.get("password", ""))
    except AppError as error:
        return back_to(RESET, error, {"token": token[:200]})
    response = see(f"{LOGIN}?done=reset")
    clear_session(request, response)
    # Who had the link is no stranger: others' guesses must not hold up the sign-in that follows.
    known = request.cookies.get(DEVICE_COOKIE, "")
    set_device(request, response, service(AccountService).vouch(known, username))
    return response


@router.post("/logout")
async def log_out(request: Request) -> Response:
    """Signs out here, and at the provider where the session began at one."""
    fields, accounts = await _fields(request), service(AccountService)
    secret, address = request.cookies.get(SESSION_COOKIE, ""), ""
    try:
        actor = await accounts.authenticate(Credential(Carrier.COOKIE, secret))
        accounts.check_csrf(secret, fields.get("csrf", ""))
        address = await service(ProviderSignIn).sign_out(actor, link_to(request, LOGIN))
    except Unauthenticated:
        pass
    except AppError as error:
        return back_to(LOGIN, error, {})
    response = onwards(address) if address else see(LOGIN)
    clear_session(request, response)
    return response


async def _fields(request: Request) -> dict[str, str]:
    form = await request.form(max_files=0, max_fields=_MOST_FIELDS)
    return {name: value for name, value in form.items() if isinstance(value, str)}
