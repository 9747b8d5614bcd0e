"""Every way into the product: routes, what Reflex mounts beside them, handlers, jobs and tools, each by a name.

A way in that is not in the matrix nor on a public list fails tests/architecture/test_inventory.py.
"""

from collections.abc import Iterable, Iterator, Sequence

from reflex.state import BaseState, State
from starlette.routing import BaseRoute

from youworker_app.api.inventory import entries
from youworker_app.core.jobs import JobQueue

PACKAGE = "youworker_app."


def states(root: type[BaseState] = State) -> Iterator[type[BaseState]]:
    """A state and all that descend from it, the framework's own too."""
    yield root
    for each in sorted(root.get_substates(), key=handler_prefix):
        yield from states(each)


def handler_prefix(state: type[BaseState]) -> str:
    """How the tables write a state: `chat.ui.state.ChatState`, or `reflex.state.State`."""
    return f"{state.__module__.removeprefix(PACKAGE)}.{state.__name__}"


def handlers(root: type[BaseState] = State) -> dict[str, tuple[type[BaseState], str]]:
    """Everything that a socket can call by name: `{name: (state, handler)}`, what is inherited under each heir."""
    return {f"{handler_prefix(s)}.{name}": (s, name) for s in states(root) for name in s.event_handlers}


def routes(found: Sequence[BaseRoute]) -> set[str]:
    """The REST entries, as `GET /v1/documents`."""
    return {entry.name for entry in entries(found)}


def mounted(found: Iterable[BaseRoute]) -> set[str]:
    """Paths that Reflex serves beside the REST application."""
    return {getattr(route, "path", "") or type(route).__name__ for route in found}


def jobs(queue: JobQueue) -> set[str]:
    """The kinds of work that run in somebody's name."""
    return set(queue.kinds)


def tools() -> set[str]:
    """What a model may call while it answers. There is nothing yet: the first tool is to be listed here."""
    return set()
