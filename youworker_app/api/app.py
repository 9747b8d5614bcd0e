"""Makes the REST application: shared rules around the routers that the domains bring. Knows no domain."""

from collections.abc import Collection, Iterable
from typing import Final

from fastapi import APIRouter, FastAPI, Request
from starlette.routing import Match

from youworker_app.api import docs
from youworker_app.api.costs import names_of, prices_of
from youworker_app.api.described import ANYWHERE
from youworker_app.api.errors import MethodNotAllowed, translate_errors
from youworker_app.api.limits import BodyLimit
from youworker_app.api.presence import Presence
from youworker_app.core.errors import NotFound

PREFIX: Final = "/v1"
STREAMED: Final = ("/v1/ingest/upload",)
_METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]


def create_api(
    routers: Iterable[APIRouter],
    *,
    plain: Iterable[APIRouter] = (),
    streamed: Collection[str] = STREAMED,
    body_patience_s: float = 30.0,
) -> FastAPI:
    """The application: `routers` stand under /v1, `plain` ones where they say; `streamed` paths bound their own bodies."""
    app = bare_app()
    for router in routers:
        app.include_router(router, prefix=PREFIX, responses=ANYWHERE)
    for router in (*plain, docs.router):
        app.include_router(router)
    for path in (PREFIX, PREFIX + "/{rest:path}"):
        app.add_api_route(path, nothing_here, methods=_METHODS, include_in_schema=False)
    app.state.prices, app.state.names = prices_of(app.routes), names_of(app.routes)
    app.add_middleware(BodyLimit, streamed=streamed, patience_s=body_patience_s)
    app.add_middleware(Presence)
    return app


def bare_app(*, openapi_url: str | None = "/openapi.json") -> FastAPI:
    """An application without routes: our error shape, and nothing that the framework would add by itself."""
    app = FastAPI(
        title="YouWorker",
        version="1",
        openapi_url=openapi_url,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Nothing is measured by the framework or sent anywhere, whatever the environment says.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    translate_errors(app)
    return app


async def nothing_here(request: Request) -> None:
    """What no route took. Beside the app stands a front end whose own 404 is a page."""
    for route in request.app.router.routes:
        if route.matches(request.scope)[0] is Match.PARTIAL:
            raise MethodNotAllowed
    raise NotFound
