"""The guard: a state answers only to the session that it was filled for."""

import pytest
from reflex.state import State
from reflex_base.utils.format import format_event_handler

from tests.house import House
from tests.states.conftest import SignIn, cookie_of
from tests.states.tab import OpenTab
from youworker_app.access.actor import Actor
from youworker_app.access.credentials import Authentication, Carrier, Credential
from youworker_app.accounts.devices import DeviceService
from youworker_app.accounts.ui.state import AccountState
from youworker_app.chat.ui.state import ChatState
from youworker_app.core import registry
from youworker_app.core.errors import Unauthenticated
from youworker_app.core.rates import RateLimits
from youworker_app.core.registry import service
from youworker_app.core.settings import LimitSettings
from youworker_app.core.telemetry import client_address
from youworker_app.documents.ui.state import DocumentsState
from youworker_app.ui.base_state import BaseState, session_secret


async def test_a_stolen_token_without_the_cookie_gets_an_empty_state(sign_in: SignIn, tabs: OpenTab) -> None:
    _, tab = await sign_in("anna")
    assert (await tab.state(AccountState)).username == "anna"
    thief = tabs(tab.token)
    await thief.do(State.event_handlers["hydrate"])
    state = await thief.state(AccountState)
    assert (state.username, state.csrf_token, state.language) == ("", "", "")


async def test_another_persons_cookie_does_not_open_the_state(
    house: House, sign_in: SignIn, tabs: OpenTab
) -> None:
    _, tab = await sign_in("anna")
    await house.person("bruno")
    other = tabs(tab.token, cookie=await cookie_of(house, "bruno"))
    await other.do(DocumentsState.refresh)
    assert (await other.state(AccountState)).username == ""


async def test_a_second_sign_in_of_the_same_person_starts_anew(
    house: House, sign_in: SignIn, tabs: OpenTab
) -> None:
    _, tab = await sign_in("anna")
    again = tabs(tab.token, cookie=await cookie_of(house, "anna"))
    await again.do(AccountState.open)
    assert (await again.state(AccountState)).username == "anna"


@pytest.mark.parametrize("event", ["hydrate", "hydrate_and_load"])
async def test_a_page_whose_session_was_ended_is_not_sent_what_it_knew(
    house: House, sign_in: SignIn, tabs: OpenTab, event: str
) -> None:
    """Loaded anew, or come back after its socket was cut."""
    anna, tab = await sign_in("anna")
    cookie = tab.cookie
    await tab.do(State.event_handlers["hydrate"])
    assert (await tab.state(AccountState)).username == "anna"
    await service(DeviceService).sign_out_others(await house.signed_in("anna"))
    again = tabs(tab.token, cookie=cookie, path="/404")  # a page on which nothing is loaded
    again._connected = True
    await again.do(State.event_handlers[event])
    state = await again.state(AccountState)
    assert (state.username, state.csrf_token, state.language) == ("", "", "")
    assert anna.username == "anna"


async def test_the_same_session_keeps_its_state(sign_in: SignIn) -> None:
    _, tab = await sign_in("anna")
    await tab.do(DocumentsState.choose_group, group_id="g")
    await tab.do(DocumentsState.refresh)
    assert (await tab.state(DocumentsState)).group == "g"


async def test_handlers_know_where_an_event_comes_from(sign_in: SignIn) -> None:
    _, tab = await sign_in("anna")
    real, seen = service(Authentication), list[str]()

    async def watched(credential: Credential) -> Actor:
        seen.append(client_address.get())
        return await real.authenticate(credential)

    registry.provide(Authentication, Authentication(watched, real.check_csrf))
    await tab.do(DocumentsState.refresh)
    assert seen == ["127.0.0.1"]


async def test_vars_cannot_be_set_by_name(sign_in: SignIn) -> None:
    _, tab = await sign_in("anna")
    name = format_event_handler(ChatState.event_handlers["setvar"])
    await tab.send(name, {"var_name": "heading", "value": "forged"})
    assert (await tab.state(ChatState)).heading == ""


async def test_nobody_is_sent_to_the_sign_in_and_back_afterwards(tabs: OpenTab) -> None:
    registry.provide(RateLimits, RateLimits(LimitSettings()))
    tab = tabs("stranger", path="/c/some-id")
    await tab.do(ChatState.open)
    assert isinstance(tab.failures[0], Unauthenticated)
    assert tab.redirects() == ["/login?next=%2Fc%2Fsome-id"]


async def test_an_ended_session_is_nobody(house: House, sign_in: SignIn) -> None:
    _, tab = await sign_in("anna")
    actor = await house.installation.accounts.authenticate(
        Credential(Carrier.COOKIE, session_secret(tab.cookie))
    )
    await house.installation.accounts.sign_out(actor)
    await tab.do(DocumentsState.refresh)
    assert tab.redirects() == ["/login"]


def test_the_secret_is_found_among_other_cookies() -> None:
    assert session_secret("a=1; youworker_session=s3; b=2") == "s3"
    assert session_secret("xyouworker_session=no; b") == ""
    assert session_secret("") == ""


async def test_what_binds_a_state_never_goes_to_the_browser(sign_in: SignIn) -> None:
    _, tab = await sign_in("anna")
    state = await tab.state(BaseState)
    assert len(state._bound) == 64
    assert state._bound not in str(state._get_root_state().dict())
