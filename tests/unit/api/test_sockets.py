"""What the guard lets a websocket take, with a server and a client that are two queues."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from youworker_app.access.actor import Actor
from youworker_app.access.credentials import Authentication, Credential
from youworker_app.api import sockets
from youworker_app.api.sockets import GuardedSocket, Holder, Places, SocketGuard
from youworker_app.core.endings import Endings
from youworker_app.core.errors import Unauthenticated
from youworker_app.core.registry import provide
from youworker_app.core.settings import ServerSettings

GONE = {"type": "websocket.disconnect", "code": 1008}


def limits(**given: Any) -> ServerSettings:
    return ServerSettings.model_validate({"socket_idle_s": 0.1, "reader_patience_s": 0.1} | given)


class Line:
    """The client's end: what it sends, and whether it takes what it is sent."""

    def __init__(self, *, takes: bool = True) -> None:
        self.sent: asyncio.Queue[Message] = asyncio.Queue()
        self.got: list[Message] = []
        self.takes = asyncio.Event()
        if takes:
            self.takes.set()

    def say(self, text: str | None = None, data: bytes | None = None) -> None:
        self.sent.put_nowait({"type": "websocket.receive", "text": text, "bytes": data})

    async def send(self, message: Message) -> None:
        await self.takes.wait()
        self.got.append(message)

    def guarded(self, *, is_signed_in: bool = True, **given: Any) -> GuardedSocket:
        return GuardedSocket(self.sent.get, self.send, limits(**given), is_signed_in=is_signed_in)


async def test_messages_pass() -> None:
    line = Line()
    socket = line.guarded()
    line.say("40/_event,")
    assert (await socket.receive())["text"] == "40/_event,"
    await socket.send({"type": "websocket.send", "text": "hello"})
    assert line.got == [{"type": "websocket.send", "text": "hello"}]


@pytest.mark.parametrize(
    ("text", "data"), [("4" + "a" * 1_000_000, None), ("[", None), ("", None), ("7", None), (None, b"4a"), (None, b"")]
)  # fmt: skip
async def test_what_is_no_packet_ends_the_socket(text: str | None, data: bytes | None) -> None:
    line = Line()
    socket = line.guarded()
    line.say(text, data)
    line.say("40/_event,")
    assert await socket.receive() == GONE
    assert await socket.receive() == GONE
    with pytest.raises(OSError):  # noqa: PT011 - what engine.io takes for a closed socket
        await socket.send({"type": "websocket.send", "text": "hello"})
    await socket.send({"type": "websocket.close"})
    assert line.got == [{"type": "websocket.close"}]


async def test_a_reader_that_takes_nothing_is_given_up_and_not_listened_to() -> None:
    line = Line(takes=False)
    socket = line.guarded()
    line.say("4a")
    sending = asyncio.create_task(socket.send({"type": "websocket.send", "text": "hello"}))
    await asyncio.sleep(0)
    receiving = asyncio.create_task(socket.receive())
    await asyncio.sleep(0.01)
    assert not receiving.done()
    with pytest.raises(OSError):  # noqa: PT011 - as above
        await sending
    assert await receiving == GONE
    with pytest.raises(OSError):  # noqa: PT011 - a goodbye would wait as long again
        await socket.send({"type": "websocket.close"})


async def test_who_waits_for_a_message_hears_that_the_socket_is_cut() -> None:
    line = Line(takes=False)
    socket = line.guarded()
    receiving = asyncio.create_task(socket.receive())
    await asyncio.sleep(0.01)
    with pytest.raises(OSError):  # noqa: PT011 - as above
        await socket.send({"type": "websocket.send", "text": "hello"})
    async with asyncio.timeout(5):
        assert await receiving == GONE


async def test_nobody_is_let_go_after_a_while_whatever_the_pongs() -> None:
    line = Line()
    socket = line.guarded(is_signed_in=False)
    line.say("40/_event,")
    await socket.receive()

    async def answer_pings() -> None:
        while True:
            line.say("3")
            await asyncio.sleep(0.02)

    pings = asyncio.create_task(answer_pings())
    async with asyncio.timeout(5):
        while (await socket.receive()) != GONE:
            pass
    pings.cancel()


async def test_people_may_do_nothing_for_long() -> None:
    line = Line()
    socket = line.guarded()
    line.say("40/_event,")
    await socket.receive()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await socket.receive()


async def test_a_socket_that_never_opens_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "OPENING_SECONDS", 0.05)
    async with asyncio.timeout(5):
        assert await Line().guarded().receive() == GONE


async def test_messages_come_no_faster_than_agreed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "MESSAGES_PER_SECOND", 100)
    monkeypatch.setattr(sockets, "MESSAGES_AT_ONCE", 5)
    line, clock = Line(), asyncio.get_running_loop().time
    socket, begun = line.guarded(), clock()
    for _ in range(25):
        line.say("4a")
        await socket.receive()
    assert clock() - begun >= 0.19  # 20 beyond the first five


async def test_a_flood_ends_the_socket() -> None:
    line = Line()
    socket = line.guarded()
    for _ in range(10_000):
        line.say("4a")
    n = 0
    async with asyncio.timeout(60):
        while await socket.receive() != GONE:
            n += 1
    assert 300 <= n < 600


def test_places_are_taken_and_given_back() -> None:
    places = Places(limits(max_sockets=6, max_sockets_per_session=2))
    mara = Holder("mara", is_signed_in=True)
    assert [places.take(mara) for _ in range(3)] == [True, True, False]
    # Nobody, from however many addresses, gets half of all.
    strangers = [Holder(f"10.0.0.{number}", is_signed_in=False) for number in range(4)]
    assert [places.take(stranger) for stranger in strangers] == [True, True, True, False]
    assert places.take(Holder("piero", is_signed_in=True))
    assert not places.take(Holder("lia", is_signed_in=True))
    places.give_back(mara)
    assert places.take(Holder("lia", is_signed_in=True))
    places.give_back(strangers[0])
    places.give_back(mara)
    assert places.take(strangers[3])


async def _authenticate(credential: Credential) -> Actor:
    if credential.secret != "good":
        raise Unauthenticated
    return Actor("u1", "mara", credential_id="c1")


def _check_csrf(secret: str, presented: str) -> None:
    raise AssertionError


@pytest.mark.parametrize(
    ("cookie", "holder"),
    [
        ("youworker_session=good", Holder("c1", is_signed_in=True)),
        ("a=b; youworker_session=good", Holder("c1", is_signed_in=True)),
        ("youworker_session=made-up", Holder("10.0.0.9", is_signed_in=False)),
        ("", Holder("10.0.0.9", is_signed_in=False)),
    ],
)
async def test_a_made_up_cookie_is_nobodys(cookie: str, holder: Holder) -> None:
    provide(Authentication, Authentication(_authenticate, _check_csrf))
    assert await sockets.holder_of(scope(cookie)) == holder


def scope(cookie: str = "") -> Scope:
    headers = [(b"cookie", cookie.encode())]
    return {"type": "websocket", "path": "/_event/", "headers": headers, "client": ("10.0.0.9", 5)}


async def test_the_guard_refuses_when_there_is_no_place_and_frees_it_at_the_end() -> None:
    ends = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await ends.wait()

    guard = SocketGuard(app, limits(max_sockets_per_session=1))
    line = Line()
    first = asyncio.create_task(guard(scope(), line.sent.get, line.send))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await guard(scope(), line.sent.get, line.send)
    assert line.got == [{"type": "websocket.close", "code": 1008, "reason": "TOO_MANY_SOCKETS"}]
    ends.set()
    await first
    await guard(scope(), line.sent.get, line.send)
    assert len(line.got) == 1


@pytest.mark.parametrize("ended", ["u1", "c1"])
async def test_who_has_to_go_takes_their_sockets_along(ended: str) -> None:
    """And nothing is sent any more, however much was about to be."""
    endings = Endings()
    provide(Endings, endings)
    provide(Authentication, Authentication(_authenticate, _check_csrf))
    heard = list[str]()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        heard.append((await receive())["type"])
        with pytest.raises(OSError, match=r"^$"):
            await send({"type": "websocket.send", "text": "what they may not see"})

    line = Line()
    open_ = asyncio.create_task(
        SocketGuard(app, limits())(scope("youworker_session=good"), line.sent.get, line.send)
    )
    for _ in range(3):
        await asyncio.sleep(0)
    endings.end("somebody else")
    await asyncio.sleep(0)
    assert not open_.done()
    endings.end(ended)
    await asyncio.wait_for(open_, 5)
    assert heard == ["websocket.disconnect"]
    assert line.got == []
