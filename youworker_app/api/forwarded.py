"""Authentik's forward-auth headers: read from configured proxies alone. From anywhere else they are as if not sent."""

from functools import lru_cache
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request

from youworker_app.access.forwarded import Forwarded
from youworker_app.api.peers import PEER
from youworker_app.core.addresses import Networks, find_address
from youworker_app.core.registry import service
from youworker_app.core.settings import Settings
from youworker_app.core.telemetry import get_logger

log = get_logger(__name__)

_LONGEST: Final = 4_096
_LONGEST_UID: Final = 255
_MOST_GROUPS: Final = 500
# Browsers say with each request which site it comes from; programs do not.
_BROWSERS: Final = ("sec-fetch-site", "sec-fetch-mode", "origin")


def forwarded(request: Request) -> Forwarded | None:
    """Who the proxy says that it is. None when nobody is said, when it is said twice, or when no such proxy asks."""
    settings = service(Settings).forward_auth
    if not settings.proxies or find_address(request.scope.get(PEER, "")) not in _networks(settings.proxies):
        return None
    told: dict[str, str] = {}
    names = {name: f"x-authentik-{name}" for name in ("uid", "username", "email", "name", "groups")}
    for field, header in {**names, "key": settings.key_header}.items():
        values = request.headers.getlist(header)
        if len(values) > 1 or any(len(value) > _LONGEST for value in values):
            # One of them a client may have written itself.
            log.warning("forwarded_headers_unusable", header=header)
            return None
        told[field] = _text(values[0]) if values else ""
    uid, groups = told["uid"].strip(), told.pop("groups")
    if not uid or len(uid) > _LONGEST_UID or not uid.isascii() or not uid.isprintable():
        return None
    parts = tuple(group for group in groups.split("|")[:_MOST_GROUPS] if group)
    return Forwarded(**{**told, "uid": uid}, groups=parts)


@lru_cache(maxsize=8)
def _networks(written: tuple[str, ...]) -> Networks:
    return Networks(written)


def is_browser(headers: Headers) -> bool:
    """Whether a browser asks, which other sites can make ask too: it counts by its session alone."""
    return any(name in headers for name in _BROWSERS)


def _text(value: str) -> str:
    # Headers come as Latin-1; Authentik writes UTF-8.
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value
