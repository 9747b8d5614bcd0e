"""Signing in at the company's provider: the way there, the way back, and its word that somebody signed out there.

All of it is for browsers and the provider: refusals go to the sign-in page with a code, and tell nothing more.
"""

from typing import Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from youworker_app.accounts.clients import client_of
from youworker_app.accounts.provider_sign_in import ProviderSignIn
from youworker_app.accounts.redirects import LOGIN, back_to, local_path, see
from youworker_app.api.cookies import (
    PROVIDER_COOKIE,
    PROVIDER_PATH,
    clear_provider,
    set_device,
    set_provider,
    set_session,
)
from youworker_app.api.costs import address_pays
from youworker_app.api.links import link_to
from youworker_app.core.errors import AppError, NotFound
from youworker_app.core.registry import service
from youworker_app.gateways.oidc.protocol import Arrival

router = APIRouter(prefix=PROVIDER_PATH.removeprefix("/v1"), include_in_schema=False)
plain_router = APIRouter(include_in_schema=False)

CALLBACK: Final = f"{PROVIDER_PATH}/callback"
_LONGEST_INVITE: Final = 200


@router.get("/login", dependencies=[Depends(address_pays)])
async def to_provider(request: Request) -> Response:
    """`next`, if it is a path here, is where the browser goes afterwards; `invite` is an administrator's link's token."""
    asked = request.query_params
    next_path, invite = local_path(asked.get("next", "")), asked.get("invite", "")[:_LONGEST_INVITE]
    try:
        leaving = await service(ProviderSignIn).begin(link_to(request, CALLBACK), next_path, invite)
    except NotFound:
        raise
    except AppError as error:
        return back_to(LOGIN, error, {}, place=f"GET {PROVIDER_PATH}/login")
    response = see(leaving.address)
    set_provider(request, response, leaving.cookie)
    return response


@router.get("/callback", dependencies=[Depends(address_pays)])
async def from_provider(request: Request) -> Response:
    told = request.query_params
    arrival = Arrival(told.get("code", ""), told.get("state", ""), told.get("iss"), told.get("error", ""))
    cookie = request.cookies.get(PROVIDER_COOKIE, "")
    try:
        arrived = await service(ProviderSignIn).arrive(cookie, arrival, client_of(request))
    except NotFound:
        raise
    except AppError as error:
        response = back_to(LOGIN, error, {}, place=f"GET {CALLBACK}")
    else:
        response = see(arrived.next)
        set_session(request, response, arrived.signed_in.token, arrived.signed_in.expires_at)
        set_device(request, response, arrived.signed_in.device)
    clear_provider(request, response)
    return response


@plain_router.post("/auth/oidc/sign-out", dependencies=[Depends(address_pays)])
async def provider_signed_out(request: Request) -> Response:
    """Back-channel logout (OpenID Connect Back-Channel Logout 1.0): the signed token is its credential."""
    form = await request.form(max_files=0, max_fields=5)
    token = form.get("logout_token", "")
    await service(ProviderSignIn).hear_sign_out(token if isinstance(token, str) else "")
    return Response(headers={"cache-control": "no-store"})
