"""Addresses of pages that are handed to people: as the one who asks reaches this server."""

from starlette.requests import Request

from youworker_app.api.cookies import is_https
from youworker_app.core.own_address import own_address
from youworker_app.core.registry import service
from youworker_app.core.settings import Settings


def link_to(request: Request, path: str) -> str:
    """The whole address of a path here. A request over the installation's socket has no address of its own."""
    if request.client is None:
        return own_address(service(Settings).server) + path
    return f"{'https' if is_https(request) else 'http'}://{request.url.netloc}{path}"
