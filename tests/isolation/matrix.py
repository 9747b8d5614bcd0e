"""Every way in that the isolation tests hold, by the names of entries.py, and what is on no list."""

from collections.abc import Collection, Iterable
from typing import Final

from reflex.state import BaseState, State
from starlette.routing import BaseRoute

from tests.isolation import entries, public
from tests.isolation.handler_table import CALLS, CLOSED
from tests.isolation.rest_table import BY_ID, WITHOUT_ID
from tests.isolation.test_jobs import JOBS as JOBS
from youworker_app.api.middleware import CLOSED_SEGMENTS
from youworker_app.api.public import PUBLIC as PUBLIC_ROUTES

ROUTES: Final = frozenset({*BY_ID, *WITHOUT_ID})
HANDLERS: Final = frozenset(CALLS)
# What a model may call, each with its rows: the first tool brings the table with it.
TOOLS: Final[frozenset[str]] = frozenset()


def unlisted_routes(found: Iterable[BaseRoute]) -> set[str]:
    return entries.routes([*found]) - ROUTES - set(PUBLIC_ROUTES)


def unlisted_mounts(found: Iterable[BaseRoute]) -> set[str]:
    """Paths that Reflex serves and that are neither closed by the outer checks nor public."""
    paths = entries.mounted(found) - set(public.MOUNTED)
    return {path for path in paths if path.strip("/").partition("/")[0] not in CLOSED_SEGMENTS}


def unlisted_handlers(root: type[BaseState] = State) -> set[str]:
    found = {name for name in entries.handlers(root) if not name.endswith(f".{CLOSED}")}
    return found - HANDLERS - set(public.HANDLERS)


def unlisted_jobs(kinds: Collection[str]) -> set[str]:
    return set(kinds) - JOBS


def unlisted_tools() -> set[str]:
    return entries.tools() - TOOLS
