"""Readers that take nothing: the answer ends, whatever was making it."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from youworker_app.api.readers import ConnectionPatience, ReaderPatience, be_patient_for
from youworker_app.chat.schemas import RunEvent
from youworker_app.chat.sse import event_stream
from youworker_app.core.stopping import Stopping

SCOPE: Scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "asgi": {"spec_version": "2.3"}}


class Deaf:
    """A client that takes the head of an answer and its first piece, and never leaves."""

    def __init__(self) -> None:
        self.taken: list[Message] = []

    async def receive(self) -> Message:
        if not self.taken:
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: Message) -> None:
        if len(self.taken) == 2:
            await asyncio.Event().wait()
        self.taken.append(message)


async def test_events_that_nobody_takes_are_no_longer_made() -> None:
    made, is_closed = 0, False

    async def events() -> AsyncIterator[list[RunEvent]]:
        nonlocal made, is_closed
        try:
            while True:
                made += 1
                yield [RunEvent(made, "token", {"text": "word " * 200})]
                await asyncio.sleep(0)
        finally:
            is_closed = True

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (await event_stream(events(), Stopping()))(scope, receive, send)

    deaf = Deaf()
    async with asyncio.timeout(5):
        await ReaderPatience(app, 0.05)(SCOPE, deaf.receive, deaf.send)
    assert is_closed
    # Two before it took no more, and three in the turns of the loop until the stream hears of it.
    assert made <= 5


async def test_a_reader_that_takes_everything_gets_everything() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            await asyncio.sleep(0.03)  # the answer may take its time
            yield b"piece"

    taken: list[Message] = []

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        taken.append(message)

    await ReaderPatience(StreamingResponse(pieces()), 0.05)(SCOPE, receive, send)
    assert b"".join(message.get("body", b"") for message in taken) == b"piece" * 3


async def test_what_the_client_sends_passes() -> None:
    found: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found.append(await receive())

    await ReaderPatience(app, 0.05)(SCOPE, Deaf().receive, Deaf().send)
    assert found == [{"type": "http.request", "body": b"", "more_body": False}]


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="an option of Linux")
async def test_connections_inherit_the_patience() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        return None

    with socket.create_server(("127.0.0.1", 0)) as listener:
        await ConnectionPatience(app, 7)(SCOPE, Deaf().receive, Deaf().send)
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 7_000
        assert be_patient_for(9) >= 1


def test_looking_for_listeners_leaves_nothing_open(tmp_path: Path) -> None:
    """A copy of a lock's descriptor would keep the lock."""
    with (tmp_path / "lock").open("w"):
        before = sorted(os.listdir("/proc/self/fd"))
        be_patient_for(9)
        assert sorted(os.listdir("/proc/self/fd")) == before
