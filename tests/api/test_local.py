"""What the socket in the data folder answers: /v1 with a person's rights, maintenance, and nothing to strangers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter, Request
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp

from tests.api.rest import Rest
from youworker_app import local
from youworker_app.api.local import LocalApplication, create_maintenance, in_lines
from youworker_app.api.middleware import CorrelationId
from youworker_app.core.errors import NotFound
from youworker_app.core.local_socket import SERVER_SOCKET, LocalSocket
from youworker_app.local import served_locally


async def _work(
    steps: list[dict[str, object] | Exception | asyncio.Event],
) -> AsyncIterator[dict[str, object]]:
    for step in steps:
        if isinstance(step, Exception):
            raise step
        if isinstance(step, asyncio.Event):
            await step.wait()
        else:
            yield step


def long_work() -> APIRouter:
    """Maintenance that is told as it goes."""
    router = APIRouter()

    @router.post("/whole")
    async def whole(request: Request) -> StreamingResponse:
        return in_lines(request, _work([{"done": 1}, {"done": 2}]))

    @router.post("/failing")
    async def failing(request: Request) -> StreamingResponse:
        return in_lines(request, _work([{"done": 1}, NotFound()]))

    @router.post("/endless")
    async def endless(request: Request) -> StreamingResponse:
        return in_lines(request, _work([{"done": 1}, asyncio.Event()]))

    return router


@asynccontextmanager
async def over_socket(app: ASGIApp, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.AsyncHTTPTransport(uds=str(folder / SERVER_SOCKET))
    async with (
        served_locally(app, LocalSocket(folder)),
        httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=10) as client,
    ):
        yield client


@pytest.fixture
def app(rest: Rest) -> ASGIApp:
    return CorrelationId(LocalApplication(rest.app, create_maintenance([long_work()])))


async def test_it_is_the_same_rest_with_the_same_refusals(rest: Rest, app: ASGIApp, tmp_path: Path) -> None:
    async with over_socket(app, tmp_path) as client:
        nobody = await client.get("/v1/auth/me")
        assert (nobody.status_code, nobody.json()["error"]["code"]) == (401, "UNAUTHENTICATED")
        await rest.browser("marta")
        wrong = await client.post("/v1/auth/login", json={"username": "marta", "password": "no"})
        assert wrong.json()["error"]["code"] == "SIGN_IN_FAILED"


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/openapi.json", "/health", "/maintenance", "/maintenance/x", "/v1x"]
)
async def test_there_is_nothing_else(app: ASGIApp, tmp_path: Path, path: str) -> None:
    async with over_socket(app, tmp_path) as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert answer.headers["x-correlation-id"] == answer.json()["error"]["correlation_id"]


async def test_long_work_is_told_in_lines(app: ASGIApp, tmp_path: Path) -> None:
    async with over_socket(app, tmp_path) as client:
        whole = await client.post("/maintenance/whole")
        failing = await client.post("/maintenance/failing")
    assert whole.text == '{"done": 1}\n{"done": 2}\n'
    assert failing.text.startswith('{"done": 1}\n{"error": {"code": "NOT_FOUND"')


async def test_a_stop_tells_whoever_follows_and_takes_the_name_away(app: ASGIApp, tmp_path: Path) -> None:
    lines: list[str] = []
    seen = asyncio.Event()

    async def follow(client: httpx.AsyncClient) -> None:
        async with client.stream("POST", "/maintenance/endless") as answer:
            async for line in answer.aiter_lines():
                lines.append(line)
                seen.set()

    transport = httpx.AsyncHTTPTransport(uds=str(tmp_path / SERVER_SOCKET))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=10) as client:
        async with served_locally(app, LocalSocket(tmp_path)):
            following = asyncio.create_task(follow(client))
            await seen.wait()
        await following
    assert lines[0] == '{"done": 1}'
    assert "COMMAND_CUT_OFF" in lines[1]
    assert not (tmp_path / SERVER_SOCKET).exists()


async def test_a_program_of_another_user_is_hung_up_on(
    app: ASGIApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "is_own_user", lambda user: False)
    async with over_socket(app, tmp_path) as client:
        with pytest.raises(httpx.TransportError):
            await client.get("/v1/auth/me")
