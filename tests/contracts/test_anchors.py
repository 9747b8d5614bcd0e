"""What every place for anchors must do; then what a file and an address do on their own."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import ValidationError

from youworker_app.core.audit_settings import AuditSettings
from youworker_app.gateways.anchors.file import FileAnchors
from youworker_app.gateways.anchors.memory import MemoryAnchors
from youworker_app.gateways.anchors.places import anchor_places
from youworker_app.gateways.anchors.protocol import Anchor, AnchorsAway, AnchorStore
from youworker_app.gateways.anchors.webhook import WebhookAnchors

FIRST, SECOND, THIRD = (Anchor(n, f"{n:064x}", "2026-11-20T12:00:00+00:00") for n in (1, 2, 3))


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> AnchorStore:
    return FileAnchors(tmp_path / "anchors.jsonl") if request.param == "file" else MemoryAnchors()


async def test_what_was_put_last_is_the_newest(store: AnchorStore) -> None:
    assert await store.newest() is None
    await store.put([FIRST, SECOND])
    await store.put([SECOND])
    await store.put([THIRD])
    assert await store.newest() == THIRD
    await store.close()


async def test_a_file_is_appended_to_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "anchors.jsonl"
    for anchor in (FIRST, SECOND):
        await FileAnchors(path).put([anchor])
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == [vars(FIRST), vars(SECOND)]
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_torn_line_costs_itself_alone(tmp_path: Path) -> None:
    path = tmp_path / "anchors.jsonl"
    store = FileAnchors(path)
    await store.put([FIRST])
    with path.open("a") as file:
        file.write('{"seq": 2, "ma')
    assert await store.newest() == FIRST
    await store.put([THIRD])
    assert await store.newest() == THIRD
    assert path.read_text().splitlines()[1] == '{"seq": 2, "ma'


async def test_a_file_that_cannot_be_written_or_read_is_told(tmp_path: Path) -> None:
    store = FileAnchors(tmp_path)
    with pytest.raises(AnchorsAway):
        await store.put([FIRST])
    with pytest.raises(AnchorsAway):
        await store.newest()


@dataclass
class Receiver:
    """An address that takes what is sent to it and answers as it was told; silent while `status` is 0."""

    url: str = ""
    status: int = 204
    asked: list[bytes] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        self.asked.append(head + await reader.readexactly(length))
        if self.status:
            location = f"location: {self.url}/elsewhere\r\n" if self.status // 100 == 3 else ""
            told = f"HTTP/1.1 {self.status} so\r\n{location}content-length: 0\r\nconnection: close\r\n\r\n"
            writer.write(told.encode())
        else:
            await reader.read()
        writer.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    server = await asyncio.start_server(found.answer, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield found
    server.close()
    await server.wait_closed()


async def test_an_address_gets_every_block_with_its_token(receiver: Receiver) -> None:
    store = WebhookAnchors(f"{receiver.url}/anchors", token="t0ken")
    await store.put([FIRST, SECOND])
    assert await store.newest() is None
    await store.close()
    [asked] = receiver.asked
    head, _, body = asked.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /anchors HTTP/1.1")
    assert b"authorization: bearer t0ken" in head.lower()
    assert json.loads(body) == {"blocks": [vars(FIRST), vars(SECOND)]}


@pytest.mark.parametrize("status", [302, 307, 400, 500])
async def test_only_a_yes_is_a_yes_and_no_redirect_is_followed(receiver: Receiver, status: int) -> None:
    receiver.status = status
    store = WebhookAnchors(receiver.url)
    with pytest.raises(AnchorsAway):
        await store.put([FIRST])
    await store.close()
    assert len(receiver.asked) == 1


async def test_an_address_that_is_silent_or_gone_is_told(receiver: Receiver) -> None:
    receiver.status = 0
    for url in (receiver.url, "http://127.0.0.1:9"):
        store = WebhookAnchors(url, timeout_s=0.2)
        async with asyncio.timeout(20):
            with pytest.raises(AnchorsAway):
                await store.put([FIRST])
        await store.close()


async def test_settings_name_the_places(tmp_path: Path) -> None:
    assert anchor_places(AuditSettings()) == ()
    both = anchor_places(AuditSettings(anchor_file=tmp_path / "a", anchor_url="https://anchors.example/x"))
    assert [type(place) for place in both] == [FileAnchors, WebhookAnchors]
    await both[1].close()
    for wrong in ("anchors.example", "ftp://anchors.example", "https://"):
        with pytest.raises(ValidationError):
            AuditSettings(anchor_url=wrong)
