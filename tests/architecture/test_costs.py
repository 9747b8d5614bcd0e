"""Each route and each handler says what it costs; what says nothing is seen here, and costs as a change does."""

from typing import Final

import pytest
from fastapi import APIRouter
from reflex.state import State
from reflex_base.registry import RegistrationContext
from reflex_base.utils.format import format_event_handler

from tests.isolation import entries
from youworker_app.api import costs as routes
from youworker_app.api.app import create_api
from youworker_app.core.rates import Cost
from youworker_app.rest import build_rest
from youworker_app.ui import costs as handlers
from youworker_app.youworker_app import app

ADVICE: Final = "say what it costs in youworker_app/api/costs.py or youworker_app/ui/costs.py"


def found_handlers() -> set[str]:
    assert app is not None  # the import above brings every state
    return {
        name for name in entries.handlers() if not name.endswith(".setvar") and not name.startswith("tests.")
    }


def test_every_route_says_what_it_costs() -> None:
    found = entries.routes(build_rest().routes)
    assert found - set(routes.COSTS) == set(), ADVICE
    assert set(routes.COSTS) - found == set(), "it is gone"


def test_every_handler_says_what_it_costs() -> None:
    assert found_handlers() - set(handlers.COSTS) == set(), ADVICE
    assert set(handlers.COSTS) - found_handlers() == set(), "it is gone"


def test_typing_and_hydration_are_free() -> None:
    assert all(cost is Cost.FREE for name, cost in handlers.COSTS.items() if name.startswith("reflex."))
    assert handlers.cost_of(format_event_handler(State.event_handlers["hydrate"])) is Cost.FREE


@pytest.mark.parametrize("name", [name for name, cost in handlers.COSTS.items() if cost is not Cost.FREE])
def test_an_event_is_known_by_the_name_that_pages_send(name: str) -> None:
    state, short = entries.handlers()[name]
    assert handlers.cost_of(format_event_handler(state.event_handlers[short])) is handlers.COSTS[name]


def test_a_new_route_costs_as_a_change_does() -> None:
    router = APIRouter()

    @router.get("/leak")
    async def leak() -> None: ...

    prices = create_api([router]).state.prices
    assert prices[leak, "GET"] is Cost.WRITE


def test_a_new_handler_is_seen_and_costs_as_a_change_does() -> None:
    with RegistrationContext.get().fork():

        class Costly(State):
            def spend(self) -> None: ...

        name = f"{Costly.__module__}.{Costly.__name__}.spend"
        assert name in entries.handlers(Costly)
        assert name not in handlers.COSTS
        assert handlers.cost_of(format_event_handler(Costly.event_handlers["spend"])) is Cost.WRITE
