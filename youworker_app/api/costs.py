"""What each route costs whoever asks, and who pays: the person, or the address where nobody is signed in.

A test fails on a route without a row, and drives each one that costs something until it is refused. What is free reads a
constant, or ends something.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from fastapi import Request
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute

from youworker_app.core.rates import Cost, RateLimits, stranger
from youworker_app.core.registry import service

COSTS: Final[Mapping[str, Cost]] = {
    "GET /health": Cost.FREE,
    "GET /health/detailed": Cost.READ,
    "GET /openapi.json": Cost.FREE,
    "GET /docs": Cost.FREE,
    "GET /docs/{name}": Cost.FREE,
    # --- people
    "POST /v1/setup": Cost.SIGN_IN,
    "POST /v1/auth/login": Cost.SIGN_IN,
    "POST /v1/auth/logout": Cost.FREE,
    "POST /v1/auth/reset": Cost.SIGN_IN,
    "GET /v1/auth/me": Cost.READ,
    "GET /v1/auth/oidc/login": Cost.SIGN_IN,
    "GET /v1/auth/oidc/callback": Cost.SIGN_IN,
    "GET /v1/auth/forwarded": Cost.SIGN_IN,
    "POST /auth/oidc/sign-out": Cost.SIGN_IN,
    "GET /auth/form/token": Cost.FREE,
    "POST /auth/form/setup": Cost.SIGN_IN,
    "POST /auth/form/login": Cost.SIGN_IN,
    "POST /auth/form/reset": Cost.SIGN_IN,
    "POST /auth/form/password": Cost.SIGN_IN,
    "POST /auth/form/erase": Cost.SIGN_IN,
    "POST /auth/form/logout": Cost.FREE,
    "GET /v1/account": Cost.READ,
    "PATCH /v1/account": Cost.WRITE,
    "DELETE /v1/account": Cost.KEYS,
    "DELETE /v1/account/history": Cost.WRITE,
    "POST /v1/account/export": Cost.WRITE,
    "GET /v1/account/export": Cost.READ,
    "GET /v1/account/export/state": Cost.POLL,
    "DELETE /v1/account/export": Cost.WRITE,
    "GET /v1/erasures": Cost.READ,
    "GET /v1/erasures/{receipt_token}": Cost.READ,
    "POST /v1/account/password": Cost.KEYS,
    "GET /v1/account/doors": Cost.READ,
    "GET /v1/account/sessions": Cost.READ,
    "DELETE /v1/account/sessions": Cost.KEYS,
    "DELETE /v1/account/sessions/{login_id}": Cost.KEYS,
    "GET /v1/account/api-keys": Cost.READ,
    "POST /v1/account/api-keys": Cost.KEYS,
    "POST /v1/account/api-keys/{key_id}/rotate": Cost.KEYS,
    "DELETE /v1/account/api-keys/{key_id}": Cost.KEYS,
    "GET /v1/users": Cost.READ,
    "POST /v1/users": Cost.WRITE,
    "PATCH /v1/users/{user_id}": Cost.WRITE,
    "DELETE /v1/users/{user_id}": Cost.WRITE,
    "POST /v1/users/{user_id}/reset": Cost.KEYS,
    "GET /v1/audit": Cost.READ,
    "GET /v1/audit/sums": Cost.READ,
    "GET /v1/audit/export": Cost.WRITE,
    "GET /v1/audit/verify": Cost.WRITE,
    "POST /v1/groups": Cost.WRITE,
    "GET /v1/groups/me": Cost.READ,
    "GET /v1/groups/{group_id}": Cost.READ,
    "DELETE /v1/groups/{group_id}": Cost.WRITE,
    "GET /v1/groups/{group_id}/members": Cost.READ,
    "POST /v1/groups/{group_id}/members": Cost.WRITE,
    "PUT /v1/groups/{group_id}/members/{user_id}": Cost.WRITE,
    "DELETE /v1/groups/{group_id}/members/{user_id}": Cost.WRITE,
    # --- documents
    "POST /v1/ingest/upload": Cost.UPLOAD,
    "GET /v1/ingest/jobs/{job_id}": Cost.POLL,
    "POST /v1/ingest/jobs/{job_id}/cancel": Cost.WRITE,
    "POST /v1/ingest/jobs/{job_id}/retry": Cost.UPLOAD,
    "GET /v1/documents": Cost.READ,
    "GET /v1/documents/{document_id}": Cost.READ,
    "PATCH /v1/documents/{document_id}": Cost.WRITE,
    "DELETE /v1/documents/{document_id}": Cost.WRITE,
    "GET /v1/documents/{document_id}/chunks": Cost.READ,
    "GET /v1/files/{file_id}/download": Cost.READ,
    "GET /v1/files/{file_id}/metadata": Cost.READ,
    "GET /v1/files/{file_id}/pages/{page}.png": Cost.READ,
    "POST /v1/search": Cost.SEARCH,
    # --- chat
    "POST /v1/chat": Cost.CHAT,
    "GET /v1/chat/runs/{run_id}/events": Cost.READ,
    "POST /v1/chat/runs/{run_id}/stop": Cost.FREE,
    "GET /v1/models": Cost.READ,
    "GET /v1/sessions": Cost.READ,
    "GET /v1/sessions/{session_id}": Cost.READ,
    "PATCH /v1/sessions/{session_id}": Cost.WRITE,
    "DELETE /v1/sessions/{session_id}": Cost.WRITE,
    "GET /v1/sessions/{session_id}/messages": Cost.READ,
}

Prices: TypeAlias = Mapping[tuple[Callable[..., Any], str], Cost]


def prices_of(routes: Sequence[BaseRoute]) -> Prices:
    """The cost of each endpoint by its method, as a request finds it. What has no row costs as a change does."""
    return {entry: COSTS.get(name, Cost.WRITE) for entry, name in names_of(routes).items()}


def names_of(routes: Sequence[BaseRoute]) -> Mapping[tuple[Callable[..., Any], str], str]:
    """The name of each endpoint by its method, as COSTS writes it."""
    return {
        (route.endpoint, method): f"{method} {route.path}"
        for route in iter_route_contexts(routes)
        if route.endpoint is not None
        for method in route.methods or ()
    }


def cost_of(request: Request) -> Cost:
    """What this request costs. HEAD costs as GET does."""
    method = "GET" if request.method == "HEAD" else request.method
    prices: Prices = request.app.state.prices
    return prices.get((request.scope["endpoint"], method), Cost.WRITE)


async def address_pays(request: Request) -> None:
    """For what nobody is signed in to: the address pays. Raises TooManyRequests (429)."""
    if (cost := cost_of(request)) is not Cost.FREE:
        await service(RateLimits).charge(cost, stranger())
