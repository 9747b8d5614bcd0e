"""Every route of an app and whether it asks who is there. Tests hold it against the public list and the isolation matrix."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute

from youworker_app.api.actor import current_actor
from youworker_app.api.app import nothing_here


@dataclass(frozen=True)
class Entry:
    """One method on one path, and whether its dependencies contain `current_actor`."""

    method: str
    path: str
    is_guarded: bool

    @property
    def name(self) -> str:
        """As the public list writes it."""
        return f"{self.method} {self.path}"


def entries(routes: Sequence[BaseRoute]) -> Iterator[Entry]:
    """The entries of some routes, those of included routers too; HEAD, which Starlette adds by itself, counts as GET."""
    for route in iter_route_contexts(routes):
        if route.path is None or route.endpoint is nothing_here:
            continue
        dependant = getattr(route, "dependant", None)
        is_guarded = isinstance(dependant, Dependant) and _asks_who(dependant)
        for method in sorted(set(route.methods or ()) - {"HEAD"}):
            yield Entry(method, route.path, is_guarded)


def _asks_who(dependant: Dependant) -> bool:
    return dependant.call is current_actor or any(map(_asks_who, dependant.dependencies))
