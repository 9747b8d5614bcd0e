"""The product without what stands around a request, to compare with: `python -m bench.bare`. Nothing protects it.

Left out are the outer checks and the bounds on bodies and readers; that no rates are counted is up to its settings.
"""

from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from youworker_app import serve

NO_LIMITS: Final = {
    f"YOUWORKER_LIMIT_{cost}": "0"
    for cost in ("SIGN_IN", "KEYS", "UPLOAD", "CHAT", "SEARCH", "READ", "WRITE", "POLL")
}


class Through:
    """Takes the place of a check."""

    def __init__(self, app: ASGIApp, *_arguments: Any, **_named: Any) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def create() -> ASGIApp:
    """The application, built as the product builds it. It replaces what is left out in this process for good."""
    # Imported here: the supervisor, which imports this module too, sets the environment that Reflex reads first.
    from youworker_app import asgi
    from youworker_app.api import app

    for module, name in (
        (asgi, "harden"),
        (asgi, "ReaderPatience"),
        (asgi, "ConnectionPatience"),
        (app, "BodyLimit"),
    ):
        setattr(module, name, Through)
    return asgi.create()


def main() -> int:
    """As `serve.main`."""
    serve.APPLICATION = "bench.bare:create"
    return serve.main()


if __name__ == "__main__":
    raise SystemExit(main())
