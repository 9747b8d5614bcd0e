"""Who is on the other end of a request: the real address behind configured proxies, and whether it may ask at all. Plain ASGI.

Everything behind this reads the address from `scope["client"]`, or from the context variable `client_address`.
"""

from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from youworker_app.core.addresses import Networks, find_address, real_peer
from youworker_app.core.asking import NOBODY, asking
from youworker_app.core.telemetry import client_address

# Where the connection itself comes from, in a request's scope: a proxy, where `client` is the one behind it.
PEER: Final = "youworker.peer"
_SCHEMES: Final = {
    ("http", "http"): "http",
    ("http", "https"): "https",
    ("websocket", "http"): "ws",
    ("websocket", "https"): "wss",
}


class RealPeer:
    """Sets who asks, and whether over TLS. Forwarded headers are believed from `trusted` proxies alone."""

    def __init__(self, app: ASGIApp, trusted: Networks) -> None:
        self.app, self._trusted = app, trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        seen = self._seen(scope)
        token, nobody = client_address.set(seen["client"][0]), asking.set(NOBODY)
        try:
            await self.app(seen, receive, send)
        finally:
            client_address.reset(token)
            asking.reset(nobody)

    def _seen(self, scope: Scope) -> Scope:
        host, port = scope.get("client") or ("", 0)
        peer = find_address(host)
        if peer is None or peer not in self._trusted:
            return {**scope, PEER: str(peer or ""), "client": (str(peer or ""), port)}
        headers = Headers(scope=scope)
        behind = real_peer(peer, headers.getlist("x-forwarded-for"), self._trusted)
        told = ",".join(headers.getlist("x-forwarded-proto")).rpartition(",")[2].strip().lower()
        scheme = _SCHEMES.get((scope["type"], told), scope.get("scheme", "http"))
        return {**scope, PEER: str(peer), "client": (str(behind or ""), port), "scheme": scheme}
