"""Maintenance over the socket of a whole installation: what it finds, what it mends, and that it tells no content."""

import json
from pathlib import Path
from typing import Any

import httpx

from tests.house import House
from youworker_app.core.local_socket import SERVER_SOCKET, LocalSocket
from youworker_app.local import served_locally
from youworker_app.rest import build_local


async def ask(folder: Path, path: str) -> tuple[list[dict[str, Any]], str]:
    """The lines of an answer, and its text."""
    transport = httpx.AsyncHTTPTransport(uds=str(folder / SERVER_SOCKET))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=20) as client:
        answer = await client.post(path)
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.text.splitlines()], answer.text


async def test_the_index_is_checked_repaired_and_rebuilt(house: House, tmp_path: Path) -> None:
    marta = await house.person("marta")
    item = await house.upload(marta, b"The boiler in the cellar is serviced in March.", "secret-plan.txt")
    assert item.document_id is not None
    index = house.installation.gateways.vectors
    async with served_locally(build_local(house.installation.stopping), LocalSocket(tmp_path)):
        [well], _ = await ask(tmp_path, "/maintenance/vectors/check")
        assert well["report"]["is_clean"] is True
        await index.delete_document(item.document_id)
        [found], text = await ask(tmp_path, "/maintenance/vectors/check")
        assert found["report"]["missing"] == [item.document_id]
        assert found["report"]["repairs"] is None
        [repaired], _ = await ask(tmp_path, "/maintenance/vectors/check?repair=true")
        assert repaired["report"]["repairs"] is not None
        await house.installation.queue.idle()
        [again], _ = await ask(tmp_path, "/maintenance/vectors/check")
        assert again["report"] == well["report"]
        steps, told = await ask(tmp_path, "/maintenance/vectors/reindex")
        assert steps[-1]["progress"]["is_done"] is True
    for content in ("boiler", "secret-plan", "marta"):
        assert content not in text + told


async def test_nothing_new_is_begun_once_the_server_is_on_its_way_out(house: House, tmp_path: Path) -> None:
    async with served_locally(build_local(house.installation.stopping), LocalSocket(tmp_path)):
        house.installation.stopping.begin()
        transport = httpx.AsyncHTTPTransport(uds=str(tmp_path / SERVER_SOCKET))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            answer = await client.post("/maintenance/vectors/reindex")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVER_STOPPING")
