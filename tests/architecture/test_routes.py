"""Every route asks who is there, or stands on the public list with its reason."""

import importlib
import re
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI

from youworker_app.accounts import oidc_routes
from youworker_app.api.actor import CurrentActor
from youworker_app.api.app import create_api
from youworker_app.api.inventory import Entry, entries
from youworker_app.api.public import PUBLIC

PACKAGE = Path(__file__).resolve().parents[2] / "youworker_app"
# What a domain keeps in further modules is included by the router of its routes.py.
ROUTE_MODULES = sorted([*PACKAGE.glob("*/routes.py"), *PACKAGE.glob("*/form_routes.py")])


def router_of(module: Path) -> APIRouter:
    """The router that a module brings."""
    name = ".".join(module.relative_to(PACKAGE.parent).with_suffix("").parts)
    router = importlib.import_module(name).router
    assert isinstance(router, APIRouter)
    return router


def whole_app() -> FastAPI:
    """All routers of the package, under /v1 unless they stand beside it."""
    routers = [router_of(module) for module in ROUTE_MODULES]
    beside = [router for router in routers if router.prefix in {"/auth/form", "/health"}]
    return create_api(
        [router for router in routers if router not in beside], plain=[*beside, oidc_routes.plain_router]
    )


@pytest.fixture(scope="module")
def routes() -> list[Entry]:
    """Every entry of the whole application."""
    return list(entries(whole_app().routes))


def test_the_package_has_routes(routes: list[Entry]) -> None:
    assert len(ROUTE_MODULES) > 3
    assert {"POST /v1/auth/login", "GET /v1/auth/me", "POST /auth/form/login"} <= {
        entry.name for entry in routes
    }


def test_every_route_is_guarded_or_public(routes: list[Entry]) -> None:
    assert {entry.name for entry in routes if not entry.is_guarded} == set(PUBLIC)


def test_no_route_is_there_twice(routes: list[Entry]) -> None:
    names = [entry.name for entry in routes]
    assert sorted(names) == sorted(set(names))


def test_paths_and_names_are_plain(routes: list[Entry]) -> None:
    assert not [
        entry.path for entry in routes if not re.fullmatch(r"(/([a-z0-9.-]+|\{\w+\}(\.png)?))+", entry.path)
    ]


@pytest.mark.parametrize("reason", PUBLIC.values())
def test_each_public_route_has_a_reason(reason: str) -> None:
    assert len(reason.split()) > 3


def test_an_open_route_would_be_seen() -> None:
    router = APIRouter()

    @router.get("/open")
    async def is_open() -> None: ...

    @router.get("/closed")
    async def is_closed(actor: CurrentActor) -> None: ...

    @router.api_route("/both", methods=["GET", "POST"])
    async def both() -> None: ...

    found = {(entry.name, entry.is_guarded) for entry in entries(router.routes)}
    assert found == {("GET /open", False), ("GET /closed", True), ("GET /both", False), ("POST /both", False)}
