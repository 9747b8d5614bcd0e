"""Tabs over a whole installation with in-memory gateways."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

import pytest

from tests.house import PASSWORD, House
from tests.states.tab import OpenTab, Tab, open_tabs
from youworker_app.access.actor import Actor
from youworker_app.accounts.schemas import Client
from youworker_app.accounts.ui.state import AccountState
from youworker_app.api.cookies import SESSION_COOKIE

SignIn: TypeAlias = Callable[..., Awaitable[tuple[Actor, Tab]]]


@pytest.fixture
async def tabs() -> AsyncIterator[OpenTab]:
    """Opens tabs on one server."""
    async with open_tabs() as opened:
        yield opened


@pytest.fixture
def sign_in(house: House, tabs: OpenTab) -> SignIn:
    """`actor, tab = await sign_in("anna")`: a person, and a tab of theirs that knows its language."""

    async def signed_in(
        name: str, *, path: str = "/", language: str = "en", token: str = ""
    ) -> tuple[Actor, Tab]:
        actor = await house.person(name)
        cookie = await cookie_of(house, name)
        tab = tabs(token or f"tab-{name}", cookie=cookie, path=path, language=language)
        await tab.do(AccountState.open)
        return actor, tab

    return signed_in


async def cookie_of(house: House, name: str) -> str:
    """The Cookie header of a fresh sign-in."""
    signed = await house.installation.accounts.sign_in(name, PASSWORD, Client())
    return f"other=1; {SESSION_COOKIE}={signed.token}"
