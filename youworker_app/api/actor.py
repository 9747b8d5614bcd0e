"""Who asks, over HTTP: an API key or the browser's session cookie, one policy for all carriers.

Owns how a credential travels. What it is worth is decided by accounts, behind `access.credentials.Authentication`.
"""

from typing import Annotated, Final, TypeAlias

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPBearer

from youworker_app.access.actor import Actor
from youworker_app.access.credentials import Authentication, Carrier, Credential
from youworker_app.access.forwarded import ForwardedKeys
from youworker_app.api.cookies import SESSION_COOKIE
from youworker_app.api.costs import address_pays, cost_of
from youworker_app.api.forwarded import forwarded, is_browser
from youworker_app.api.presence import entered
from youworker_app.core.errors import Malformed, Unauthenticated
from youworker_app.core.rates import RateLimits, person
from youworker_app.core.registry import service

CSRF_HEADER: Final = "x-csrf-token"
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

# For the OpenAPI document; `presented` below does the reading.
_DOCUMENTED = (
    Security(HTTPBearer(auto_error=False, description="An API key.")),
    Security(APIKeyHeader(name="X-Api-Key", auto_error=False)),
    Security(
        APIKeyCookie(name=SESSION_COOKIE, auto_error=False, description="Writes need X-CSRF-Token too.")
    ),
)


def presented(request: Request) -> Credential | None:
    """The one credential of a request, or None. Raises Malformed when there are several: which one counts is no guess."""
    found = [
        *(Credential(Carrier.KEY, key) for key in _bearer_tokens(request)),
        *(Credential(Carrier.KEY, key) for key in request.headers.getlist("x-api-key")),
    ]
    if cookie := request.cookies.get(SESSION_COOKIE):
        found.append(Credential(Carrier.COOKIE, cookie))
    if len(found) > 1:
        raise Malformed(reason="it carries more than one credential")
    return found[0] if found else None


async def _forwarded_key(request: Request) -> Credential | None:
    """The key that a trusted proxy sends along for a program. Its person is told by the proxy, too."""
    who = forwarded(request)
    if who is None or not who.key or is_browser(request.headers):
        return None
    await service(ForwardedKeys).accept(who)
    return Credential(Carrier.KEY, who.key)


def _bearer_tokens(request: Request) -> list[str]:
    # Another scheme, such as a proxy's own Basic, is not for us.
    parted = [value.strip().partition(" ") for value in request.headers.getlist("authorization")]
    return [token.strip() for scheme, _, token in parted if scheme.lower() == "bearer"]


async def current_actor(
    request: Request,
    _bearer: object = _DOCUMENTED[0],
    _key: object = _DOCUMENTED[1],
    _cookie: object = _DOCUMENTED[2],
) -> Actor:
    """The person who asks, and who pays for it.

    Raises Unauthenticated (401), TooManyRequests (429), CsrfMismatch (403) for a write by cookie without its token.
    """
    credential, port = presented(request), service(Authentication)
    try:
        credential = credential or await _forwarded_key(request)
        if credential is None:
            raise Unauthenticated
        actor = await port.authenticate(credential)
    except Unauthenticated:
        await address_pays(request)
        raise
    entered(request.scope, actor)
    await service(RateLimits).charge(cost_of(request), person(actor.user_id))
    if credential.carrier is Carrier.COOKIE and request.method not in _READS:
        port.check_csrf(credential.secret, request.headers.get(CSRF_HEADER, ""))
    return actor


CurrentActor: TypeAlias = Annotated[Actor, Depends(current_actor)]
