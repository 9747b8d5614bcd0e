"""How the handlers' tests drive a tab: events by name, and everything that a tab holds or was sent, as one text."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, Final

from reflex.istate.manager.token import BaseStateToken
from reflex.state import BaseState, State
from reflex_base.utils.format import format_event_handler

from tests.isolation.entries import handlers
from tests.states.tab import Tab

HANDLERS: Final = handlers()
# The guard's own mark and the request are what the browser sent, not what it gets.
_NOT_SHOWN: Final = frozenset({"router", "router_data", "_bound", "_reflex_internal_links"})
_EXAMPLES: Final[Mapping[str, Any]] = {"int": 1, "bool": True, "dict": {}, "list": []}


async def send(tab: Tab, name: str, payload: Mapping[str, Any]) -> None:
    """Sends an event with what its handler takes of the payload, and examples for the rest."""
    state, handler = HANDLERS[name]
    function = state.event_handlers[handler]
    wanted = list(inspect.signature(function.fn).parameters.values())[1:]
    known = {each.name: payload.get(each.name, _example(each.annotation)) for each in wanted}
    await tab.send(format_event_handler(function), known)


def _example(annotation: Any) -> Any:
    kind = str(getattr(annotation, "__name__", annotation)).partition("[")[0]
    return _EXAMPLES.get(kind, "x")


async def shown(tab: Tab) -> str:
    """Everything that the tab's states hold, and all that was sent to it."""
    root = await tab.manager.get_state(BaseStateToken(ident=tab.token, cls=State))
    parts = [f"{event.name} {event.payload}" for event in tab.sent]
    return "\n".join([*parts, *sorted(f"{each.get_full_name()} {_held(each)}" for each in _all(root))])


def _all(state: BaseState) -> Iterable[BaseState]:
    yield state
    for each in state.substates.values():
        yield from _all(each)


def _held(state: BaseState) -> dict[str, Any]:
    return {name: getattr(state, name) for name in vars_of(type(state))}


def vars_of(state: type[BaseState]) -> list[str]:
    """All vars of a state, those that stay on the server too."""
    return sorted(
        name for name in state.get_fields() if name not in _NOT_SHOWN and not name.startswith("rx_")
    )


def failures(tab: Tab) -> list[str]:
    """The kinds of what went wrong, in order."""
    return [type(each).__name__ for each in tab.failures]
