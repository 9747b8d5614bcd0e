"""A browser tab without a browser: speaks the page's own protocol, so that fifty fit on one machine.

What it sends and when was read off the real page: hydrate, the load of a page, the question over the websocket, then the
run's events over HTTP, and, once the answer has ended, a refresh. It draws nothing.
"""

import asyncio
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import aiohttp
import orjson
from reflex_base.utils.format import format_event_handler

from bench.client import SSE_TOKEN, Answer, follow
from bench.people import Person
from youworker_app.chat.ui.state import ChatState

_HYDRATE = "reflex___state____state.hydrate_and_load"
_LOAD = "reflex___state____state.reflex___state____on_load_internal_state.on_load_internal"
_ASK = format_event_handler(ChatState.event_handlers["ask"])
_REFRESH = format_event_handler(ChatState.event_handlers["refresh"])
_RUNNING = re.compile(r'"running_rx_state_":"([^"]*)"')
_BEGAN = re.compile(r'"session_rx_state_":"([^"]+)"')
_WHOLE = re.compile(r'"mine":false,"content":"[^"]+","live":false')
_ENDED = "ended"
_LOADED = '"is_hydrated_rx_state_":true'


class Tab:
    """One person's open page. `http` is shared: it keeps connections open, as a browser does."""

    def __init__(self, http: aiohttp.ClientSession, url: str, person: Person) -> None:
        self._http, self._url, self._person = http, url, person
        self._path = "/"
        self._waiting: list[tuple[Callable[[str], Any], asyncio.Future[Any]]] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Connects and loads `/`."""
        address = f"{self._url}/_event/?token={uuid.uuid4()}&EIO=4&transport=websocket"
        headers = {"Cookie": self._person.cookie, "Origin": self._url}
        self._socket = await self._http.ws_connect(address, headers=headers, max_msg_size=0)
        await self._socket.receive_str()
        loaded = self._next(lambda frame: _LOADED in frame)
        self._tasks.append(asyncio.create_task(self._read()))
        hydrate = {"event": self._event(_HYDRATE)}
        await self._socket.send_str(f"40/_event,{orjson.dumps(hydrate).decode()}")
        await loaded

    async def new_chat(self) -> None:
        """Goes to an empty conversation."""
        self._path = "/"
        loaded = self._next(lambda frame: _LOADED in frame)
        await self._send(_LOAD)
        await loaded

    async def ask(self, question: str, *, stamped: bool = False) -> Answer:
        """Asks and follows the answer to its end."""
        answering = self._next(_answering)
        begun = time.perf_counter()
        await self._send(_ASK, question=question)
        run_id = await answering
        if run_id == _ENDED:
            return Answer(time.perf_counter() - begun)
        address = f"{self._url}/v1/chat/runs/{run_id}/events"
        headers = {"Cookie": self._person.cookie, "Accept": "text/event-stream"}
        async with self._http.get(address, headers=headers) as response:
            answer = await follow(response, SSE_TOKEN, begun, stamped=stamped)
        over = self._next(lambda frame: '"running_rx_state_":""' in frame)
        await self._send(_REFRESH)
        await over
        return answer

    async def close(self) -> None:
        """The tab is closed."""
        await self._socket.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _next(self, wanted: Callable[[str], Any]) -> asyncio.Future[Any]:
        """What `wanted` makes of the first frame to come that it does not answer with nothing."""
        found = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, found))
        return found

    async def _read(self) -> None:
        async for message in self._socket:
            frame = message.data
            if frame == "2":
                await self._socket.send_str("3")
                continue
            if began := _BEGAN.search(
                frame
            ):  # the page moves to the conversation's address and loads nothing
                self._path = f"/c/{began[1]}"
            for wanted, found in self._waiting:
                if not found.done() and (taken := wanted(frame)):
                    found.set_result(taken)
            self._waiting = [each for each in self._waiting if not each[1].done()]

    async def _send(self, name: str, **payload: str) -> None:
        event = {**self._event(name), "payload": payload}
        await self._socket.send_str(f'42/_event,["event",{orjson.dumps(event).decode()}]')

    def _event(self, name: str) -> dict[str, Any]:
        session = self._path.removeprefix("/c/")
        query = {"query": {"session_id": session}} if session != self._path else {}
        return {"name": name, "router_data": {"pathname": self._path, "asPath": self._path, **query}}


def _answering(frame: str) -> str:
    """The run that begins to answer; _ENDED where the answer is there already, whole."""
    if (found := _RUNNING.search(frame)) and found[1]:
        return found[1]
    return _ENDED if _WHOLE.search(frame) else ""
