"""Nothing leads into the product that the isolation matrix does not hold or a public list name, with its reason."""

from pathlib import Path

import pytest
import reflex as rx
from fastapi import APIRouter
from reflex.constants import Endpoint
from reflex.state import State
from reflex_base.registry import RegistrationContext
from reflex_base.utils.format import format_event_handler
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from tests.isolation import entries, matrix, public
from youworker_app.api.local import LOCAL_ONLY, MAINTENANCE
from youworker_app.api.middleware import CLOSED_SEGMENTS
from youworker_app.api.public import PUBLIC as PUBLIC_ROUTES
from youworker_app.core.keys import DataKeys
from youworker_app.core.settings import Settings
from youworker_app.gateways.blobs.memory import MemoryBlobStore
from youworker_app.gateways.embeddings.memory import InMemoryEmbedder
from youworker_app.gateways.llm.protocol import LanguageModel
from youworker_app.gateways.llm.scripted import NoModel
from youworker_app.gateways.parsing.parser import LocalParser
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.rest import build_maintenance, build_rest
from youworker_app.wiring import Gateways, Installation
from youworker_app.youworker_app import app

ADVICE = "give it a row in tests/isolation, or a line with a reason on a public list"


@pytest.fixture
def installation(tmp_path: Path, keys: DataKeys) -> Installation:
    """Everything wired, nothing started."""
    gateways = Gateways(MemoryBlobStore(), MemoryVectorStore(), InMemoryEmbedder(), NoModel(), LocalParser())
    return Installation(Settings(data_dir=tmp_path), gateways, keys)


# --- complete


def test_every_route_is_held() -> None:
    assert not matrix.unlisted_routes(build_rest().routes), ADVICE


def test_everything_that_reflex_serves_is_held() -> None:
    assert app._api is not None
    assert not matrix.unlisted_mounts(app._api.routes), ADVICE


def test_what_only_the_socket_answers_is_listed() -> None:
    assert entries.routes(build_maintenance().routes) == set(LOCAL_ONLY), (
        "list it in api/local.py with its reason"
    )
    assert all(len(reason.split()) > 3 for reason in LOCAL_ONLY.values())


def test_maintenance_is_on_no_port() -> None:
    assert app._api is not None
    everywhere = {*entries.routes(build_rest().routes), *entries.mounted(app._api.routes)}
    assert not [name for name in everywhere if MAINTENANCE in name]


@pytest.mark.parametrize("endpoint", Endpoint)
def test_what_reflex_might_serve_is_closed_or_public(endpoint: Endpoint) -> None:
    """Some of these come only with a setting or a component; they are closed before."""
    path = str(endpoint)
    assert path in public.MOUNTED or path.strip("/") in CLOSED_SEGMENTS


def test_every_handler_is_held() -> None:
    assert not matrix.unlisted_handlers(), ADVICE


def test_a_socket_reaches_nothing_but_handlers_of_states() -> None:
    listed = {format_event_handler(s.event_handlers[name]) for s, name in entries.handlers().values()}
    assert {each for each in entries.registered() if _is_ours(each)} - listed == set()


def _is_ours(name: str) -> bool:
    # States that tests define live in the same process; the product's and the framework's are looked at.
    return "tests___" not in name


def test_every_job_is_held(installation: Installation) -> None:
    assert not matrix.unlisted_jobs(entries.jobs(installation.queue)), ADVICE


def test_every_tool_is_held() -> None:
    assert not matrix.unlisted_tools(), ADVICE
    assert not entries.takes_tools(LanguageModel), (
        "a model can call something: list each in tests/isolation/entries.py"
    )


# --- not stale


def test_no_row_is_of_something_that_is_gone(installation: Installation) -> None:
    found = entries.routes(build_rest().routes)
    assert found >= matrix.ROUTES
    assert set(entries.handlers()) >= {*matrix.HANDLERS, *public.HANDLERS}
    assert entries.jobs(installation.queue) >= matrix.JOBS
    assert entries.tools() >= matrix.TOOLS
    assert app._api is not None
    assert entries.mounted(app._api.routes) >= set(public.MOUNTED)


def test_nothing_is_both_held_and_public() -> None:
    assert not matrix.ROUTES & set(PUBLIC_ROUTES)
    assert not matrix.HANDLERS & set(public.HANDLERS)


@pytest.mark.parametrize("name", [*public.HANDLERS, *public.MOUNTED])
def test_what_is_public_has_a_reason(name: str) -> None:
    assert len({**public.HANDLERS, **public.MOUNTED}[name].split()) > 3


# --- and it would be seen


def test_a_new_route_would_be_seen() -> None:
    router, rest = APIRouter(), build_rest()

    @router.get("/leak/{leak_id}")
    async def leak(leak_id: str) -> None: ...

    rest.include_router(router, prefix="/v1")
    assert matrix.unlisted_routes(rest.routes) == {"GET /v1/leak/{leak_id}"}


def test_a_new_method_on_a_known_path_would_be_seen() -> None:
    rest = build_rest()
    rest.add_api_route("/v1/documents", lambda: None, methods=["DELETE"])
    assert matrix.unlisted_routes(rest.routes) == {"DELETE /v1/documents"}


def test_something_new_beside_it_would_be_seen() -> None:
    assert app._api is not None
    more = [
        Route("/_secret", lambda request: None),
        Mount("/_files", Starlette()),
        Route("/ping", lambda request: None),
    ]
    assert matrix.unlisted_mounts([*app._api.routes, *more]) == {"/_secret", "/_files"}


def test_a_new_handler_would_be_seen() -> None:
    """One that nobody decorated too: any public method can be called."""
    with RegistrationContext.get().fork():

        class Leaking(State):
            secret: str = ""

            @rx.event
            def decorated(self) -> None: ...

            def undecorated(self) -> None: ...

            def _helper(self) -> None: ...

        prefix = Leaking.__module__
        assert matrix.unlisted_handlers(Leaking) == {
            f"{prefix}.{Leaking.__name__}.decorated",
            f"{prefix}.{Leaking.__name__}.undecorated",
        }
        assert any("leaking" in each and each.endswith(".undecorated") for each in entries.registered())
        assert len(matrix.unlisted_handlers()) == 2
    assert not matrix.unlisted_handlers()


def test_a_new_job_would_be_seen(installation: Installation) -> None:
    async def leak(job_id: str) -> None: ...

    installation.queue.handle("leak", leak)
    assert matrix.unlisted_jobs(entries.jobs(installation.queue)) == {"leak"}


def test_a_new_tool_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "agent" / "tools"
    folder.mkdir(parents=True)
    (folder / "mail.py").touch()
    monkeypatch.setattr(entries, "PACKAGE_FOLDER", tmp_path)
    assert matrix.unlisted_tools() == {"agent/tools/mail.py"}

    class Calling:
        async def stream(self, model: str, *, tools: list[str]) -> None: ...

    assert entries.takes_tools(Calling)
