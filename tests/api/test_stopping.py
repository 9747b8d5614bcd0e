"""A server that stops, as its clients meet it: writing is refused, reading goes on, what is open is told to come again."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from tests.rows import every_row
from tests.web import Web, events_of, exchange
from youworker_app.api.connections import Connections
from youworker_app.chat.schemas import AskQuestion, RunEvent
from youworker_app.chat.sse import event_stream
from youworker_app.core.stopping import ServerStopping, Stopping
from youworker_app.gateways.llm.protocol import LanguageModel
from youworker_app.gateways.llm.scripted import Hang, Say, ScriptedModel


@pytest.fixture
def llm() -> LanguageModel:
    """Says two words and no more."""
    return ScriptedModel([Say("Partly "), Say("written"), Hang()])


async def test_writing_is_refused_and_reading_goes_on_until_the_end(web: Web) -> None:
    stopping = Stopping()
    web.app = Connections(web.app, stopping)
    anna = await web.person("anna")
    stopping.begin()
    refused = await anna.http.post("/v1/search", json={"query": "boiler"})
    assert refused.json()["error"]["code"] == "SERVER_STOPPING"
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "3")
    assert (await anna.http.get("/v1/documents")).status_code == 200
    stopping.cut()
    assert (await anna.http.get("/v1/documents")).status_code == 503


async def test_an_upload_that_does_not_end_is_told_to_come_again_and_leaves_nothing(web: Web) -> None:
    anna = await web.person("anna")
    headers = {"authorization": f"Bearer {anna.key}", "content-type": "multipart/form-data; boundary=b"}
    async with exchange(web.app, "POST", "/v1/ingest/upload", headers) as sending:
        head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
        await sending.send(head + b"words " * 2_000)
        stopping = web.house.installation.stopping
        while await stopping.finished(0.01):
            await asyncio.sleep(0.01)
        stopping.cut()
        status, sent = await sending.start()
        assert (status, sent["retry-after"]) == (503, "3")
        assert b"SERVER_STOPPING" in await sending.remaining()
    assert await stopping.finished(1)
    assert (await every_row(web.house.installation.db))["documents"] == []
    assert [each async for each in web.house.installation.gateways.blobs.list_ids()] == []


async def test_followers_hear_the_end_and_then_to_come_again(web: Web) -> None:
    anna = await web.person("anna")
    headers = {"authorization": f"Bearer {anna.key}", "content-type": "application/json"}
    async with exchange(web.app, "POST", "/v1/chat", headers) as asking:
        await asking.send(b'{"message": "When?", "stream": true}', more=False)
        await asking.start()
        got = b""
        while b"written" not in got:
            got += await asking.piece()
        handing_over = asyncio.create_task(web.house.installation.hand_over())
        got += await asking.remaining()
        await handing_over
    events = events_of(got)
    assert [event.name for event in events[-2:]] == ["error", "bye"]
    assert events[-2].data["code"] == "ANSWER_INTERRUPTED"
    assert events[-1].data == {"reason": "restart", "retry_after_s": 3}
    assert b"retry: 3000\nevent: bye" in got
    with pytest.raises(ServerStopping):
        await web.house.chat.ask(anna.actor, AskQuestion("And now?"))


async def test_a_stream_that_outlasts_its_answer_is_let_go_of() -> None:
    stopping = Stopping()

    async def events() -> AsyncIterator[list[RunEvent]]:
        yield [RunEvent(1, "session", {})]
        await asyncio.Event().wait()

    response: Any = await event_stream(events(), stopping)
    sent: list[bytes] = []

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message.get("body", b""))
        if b"session" in sent[-1]:
            asyncio.get_running_loop().call_later(0.01, stopping.cut)

    async with asyncio.timeout(5):
        await response({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send)
    assert [event.name for event in events_of(b"".join(sent))] == ["session", "bye"]


async def test_what_is_being_sent_at_the_cut_arrives_before_the_last_word() -> None:
    stopping = Stopping()

    async def events() -> AsyncIterator[list[RunEvent]]:
        yield [RunEvent(1, "session", {})]
        yield [RunEvent(2, "token", {})]

    response: Any = await event_stream(events(), stopping)
    sent: list[bytes] = []

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        if b"session" in (body := message.get("body", b"")):
            stopping.cut()
            await asyncio.sleep(0.01)
        sent.append(body)

    async with asyncio.timeout(5):
        await response({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, send)
    assert [event.name for event in events_of(b"".join(sent))] == ["session", "bye"]


class Socket:
    """A websocket whose server closes it only when nobody listens, as the one that is served by does."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.is_listening = False

    async def receive(self) -> Message:
        self.is_listening = True
        try:
            await asyncio.Event().wait()
        finally:
            self.is_listening = False
        raise AssertionError

    async def send(self, message: Message) -> None:
        while self.is_listening:
            await asyncio.sleep(0.01)
        self.sent.append(message)


@pytest.mark.parametrize("pause", [0.0, 0.1], ids=["listening", "busy"])
async def test_a_websocket_is_closed_with_come_again(pause: float) -> None:
    heard: list[Message] = []

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(pause)
        heard.append(await receive())

    socket, stopping = Socket(), Stopping()
    connections = Connections(app, stopping)
    serving = asyncio.create_task(connections({"type": "websocket"}, socket.receive, socket.send))
    await asyncio.sleep(0.02)
    stopping.cut()
    await connections.close()
    await asyncio.wait_for(serving, 5)
    assert [message["code"] for message in socket.sent] == [1012]
    assert [message["type"] for message in heard] == ["websocket.disconnect"]


async def test_a_new_websocket_is_refused_while_stopping() -> None:
    async def app(_: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    stopping, socket = Stopping(), Socket()
    stopping.begin()
    await Connections(app, stopping)({"type": "websocket"}, receive, socket.send)
    start, body = socket.sent
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 503)
    assert b"SERVER_STOPPING" in body["body"]


async def test_a_request_that_does_not_end_is_ended() -> None:
    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    connections = Connections(app, Stopping())
    serving = asyncio.create_task(
        connections({"type": "http", "method": "GET"}, Socket().receive, Socket().send)
    )
    await asyncio.sleep(0.01)
    await connections.close()
    await asyncio.wait({serving}, timeout=5)
    assert serving.cancelled()
