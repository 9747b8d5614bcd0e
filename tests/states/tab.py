"""A browser tab for tests: the app's own event processing, guard included, over a state in memory and without a socket."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.token import BaseStateToken
from reflex.state import State
from reflex_base.event import Event
from reflex_base.event.processor import BaseStateEventProcessor
from reflex_base.utils.format import format_event_handler

from youworker_app.ui.base_state import BaseState
from youworker_app.ui.errors import on_error
from youworker_app.youworker_app import app

S = TypeVar("S", bound=BaseState)


@dataclass
class Tab:
    """One tab. `cookie` is what its websocket carried, beside `headers`; `sent` are the events that went to the browser."""

    processor: BaseStateEventProcessor
    manager: StateManagerMemory
    token: str
    cookie: str = ""
    language: str = "en"
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    sent: list[Event] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)
    _watching: set[str] = field(default_factory=set)
    _connected: bool = False

    async def do(self, handler: Any, **payload: Any) -> None:
        """Runs a handler and everything that it sets off, as the browser would."""
        await self.send(format_event_handler(handler), payload)

    async def send(self, name: str, payload: Mapping[str, Any] | None = None) -> None:
        """Sends an event by its name, as anyone with a socket can. What a handler raises is kept in `failures`."""
        await self._connect()
        future = await self.processor.enqueue(self.token, self._event(name, payload))
        done = await asyncio.gather(future.wait_all(), return_exceptions=True)
        self.failures += [each for each in done if isinstance(each, BaseException)]
        while set(self.processor._tasks) - self._watching:
            await asyncio.sleep(0.001)

    async def start(self, handler: Any) -> Any:
        """Starts a background handler; its future can be cancelled, as Reflex does when the tab closes."""
        await self._connect()
        future = await self.processor.enqueue(self.token, self._event(format_event_handler(handler)))
        self._watching.add(future.txid)
        await asyncio.sleep(0.02)
        return future

    async def state(self, kind: type[S]) -> S:
        """A state of this tab as it is now."""
        root = await self.manager.get_state(BaseStateToken(ident=self.token, cls=State))
        return await root.get_state(kind)

    async def _connect(self) -> None:
        """A socket's first event asks for the state; without it Reflex would load the page inside the event after."""
        if not self._connected:
            self._connected = True
            await self.send(format_event_handler(State.event_handlers["hydrate"]))

    def redirects(self) -> list[str]:
        """Where the browser was sent."""
        return [event.payload["path"] for event in self.sent if event.name == "_redirect"]

    def _event(self, name: str, payload: Mapping[str, Any] | None = None) -> Event:
        path, _, query = self.path.partition("?")
        router_data = {
            "pathname": path,
            "asPath": self.path,
            "query": dict(pair.split("=", 1) for pair in query.split("&") if pair),
            "headers": {
                "cookie": self.cookie,
                "accept-language": self.language,
                "host": "127.0.0.1:8000",
                "origin": "http://127.0.0.1:8000",
                **self.headers,
            },
            "token": self.token,
            "sid": f"sid-{self.token}",
            "ip": "127.0.0.1",
        }
        return Event(name=name, payload=dict(payload or {}), router_data=router_data)


OpenTab: TypeAlias = Callable[..., Tab]


@asynccontextmanager
async def open_tabs() -> AsyncIterator[OpenTab]:
    """`opened(token, cookie=…)` opens a tab on one server; the same token twice is the same state."""
    manager = StateManagerMemory()  # type: ignore[abstract]
    processor = BaseStateEventProcessor(middleware=app, backend_exception_handler=on_error)
    processor.configure(state_manager=manager)
    tabs: list[Tab] = []

    async def emit(token: str, *events: Event) -> None:
        for tab in tabs:
            if tab.token == token:
                tab.sent.extend(events)

    def opened(token: str = "tab", **more: Any) -> Tab:
        tabs.append(Tab(processor, manager, token, **more))
        return tabs[-1]

    object.__setattr__(processor._root_context, "emit_event_impl", emit)
    async with processor:
        yield opened
