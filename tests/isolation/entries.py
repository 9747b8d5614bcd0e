"""Every way into the product: routes, what Reflex mounts beside them, handlers, jobs and tools, each by a name.

A way in that is not in the matrix nor on a public list fails tests/architecture/test_inventory.py.
"""

import inspect
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from reflex.state import BaseState, State
from reflex_base.registry import RegistrationContext
from starlette.routing import BaseRoute

from youworker_app.api.inventory import entries
from youworker_app.core.jobs import JobQueue

PACKAGE = "youworker_app."
PACKAGE_FOLDER = Path(__file__).resolve().parents[2] / "youworker_app"


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


def registered() -> set[str]:
    """The names by which the event processor finds a handler, wherever it was defined."""
    return set(RegistrationContext.get().event_handlers)


def jobs(queue: JobQueue) -> set[str]:
    """The kinds of work that run in somebody's name."""
    return set(queue.kinds)


def tools() -> set[str]:
    """What a model may call while it answers: modules that define tools, by their path. There are none yet."""
    found = [*PACKAGE_FOLDER.glob("**/tools.py"), *PACKAGE_FOLDER.glob("**/tools/*.py")]
    return {path.relative_to(PACKAGE_FOLDER).as_posix() for path in found}


def takes_tools(model: type) -> bool:
    """Whether a language model can be handed tools at all: then `tools` above has to list each of them."""
    return any("tool" in name for name in inspect.signature(model.stream).parameters)  # type: ignore[attr-defined]
