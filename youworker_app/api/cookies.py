"""The cookies: the session's, the one that vouches for a known browser, and the one that protects forms before a session."""

from datetime import datetime
from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import Response

from youworker_app.core.clock import now
from youworker_app.core.registry import service
from youworker_app.core.settings import Settings

SESSION_COOKIE: Final = "youworker_session"
DEVICE_COOKIE: Final = "youworker_device"
PRESESSION_COOKIE: Final = "youworker_presession"
PROVIDER_COOKIE: Final = "youworker_provider"
PROVIDER_PATH: Final = "/v1/auth/oidc"
FORMS_PATH: Final = "/auth/form"
_PRESESSION_SECONDS: Final = 3_600
_PROVIDER_SECONDS: Final = 600
_DEVICE_SECONDS: Final = 365 * 24 * 3_600


def set_session(request: Request, response: Response, token: str, expires_at: datetime) -> None:
    """Signs the browser in: no script can read the cookie, no foreign page can send it along with a write."""
    seconds = int((expires_at - now()).total_seconds())
    _set(request, response, SESSION_COOKIE, token, seconds, "/", samesite="lax")
    response.delete_cookie(PRESESSION_COOKIE, path=FORMS_PATH)


def clear_session(request: Request, response: Response) -> None:
    """Takes the session's cookie away."""
    response.delete_cookie(SESSION_COOKIE, path="/", secure=is_https(request), httponly=True, samesite="lax")


def set_presession(request: Request, response: Response, value: str) -> None:
    """Remembers for an hour that this browser asked for the form."""
    _set(request, response, PRESESSION_COOKIE, value, _PRESESSION_SECONDS, FORMS_PATH)


def set_device(request: Request, response: Response, value: str) -> None:
    """Remembers for a year that somebody has signed in from this browser. It opens nothing."""
    _set(request, response, DEVICE_COOKIE, value, _DEVICE_SECONDS, "/")


def set_provider(request: Request, response: Response, value: str) -> None:
    """Binds a sign-in that goes on at a provider to this browser. The way back is a link of another site: hence lax."""
    _set(request, response, PROVIDER_COOKIE, value, _PROVIDER_SECONDS, PROVIDER_PATH, samesite="lax")


def clear_provider(request: Request, response: Response) -> None:
    """The sign-in is over, however it ended."""
    response.delete_cookie(
        PROVIDER_COOKIE, path=PROVIDER_PATH, secure=is_https(request), httponly=True, samesite="lax"
    )


def is_https(request: Request) -> bool:
    """Whether people reach us over TLS: here, or at a proxy in front that a public origin names."""
    if request.url.scheme in {"https", "wss"}:
        return True
    host = request.headers.get("host", "").lower().removesuffix(":443")
    return f"https://{host}" in {origin.lower() for origin in service(Settings).server.public_origins}


def _set(
    request: Request,
    response: Response,
    name: str,
    value: str,
    seconds: int,
    path: str,
    *,
    samesite: Literal["lax", "strict"] = "strict",
) -> None:
    """No script can read it, and over TLS it travels no other way."""
    response.set_cookie(
        name, value, max_age=seconds, path=path, secure=is_https(request), httponly=True, samesite=samesite
    )
