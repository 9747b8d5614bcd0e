"""Signing in by what a trusted proxy says of who asks: Authentik's forward auth."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from youworker_app.accounts.clients import client_of
from youworker_app.accounts.errors import NobodyForwarded
from youworker_app.accounts.forwarded_sign_in import ForwardedSignIn
from youworker_app.accounts.redirects import LOGIN, back_to, local_path, see
from youworker_app.api.cookies import set_device, set_session
from youworker_app.api.costs import address_pays
from youworker_app.api.forwarded import forwarded
from youworker_app.core.errors import AppError
from youworker_app.core.registry import service

router = APIRouter(include_in_schema=False)


@router.get("/auth/forwarded", dependencies=[Depends(address_pays)])
async def by_the_proxys_word(request: Request) -> Response:
    """`next`, if it is a path here, is where the browser goes afterwards."""
    try:
        who = forwarded(request)
        if who is None:
            raise NobodyForwarded
        signed_in = await service(ForwardedSignIn).sign_in(who, client_of(request))
    except AppError as error:
        return back_to(LOGIN, error, {}, place="GET /v1/auth/forwarded")
    response = see(local_path(request.query_params.get("next", "")))
    set_session(request, response, signed_in.token, signed_in.expires_at)
    set_device(request, response, signed_in.device)
    return response
