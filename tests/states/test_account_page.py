"""One's own account and the page of people, as tabs hold them."""

import asyncio

import pytest

from tests.house import PASSWORD, House
from tests.states.conftest import SignIn, cookie_of
from tests.states.tab import OpenTab
from youworker_app.access.actor import Actor
from youworker_app.accounts.schemas import ChangeUser, Client
from youworker_app.accounts.ui.account_state import AccountPageState, DevicesState
from youworker_app.accounts.ui.keys_state import KeysState
from youworker_app.accounts.ui.state import AccountState, EntranceState
from youworker_app.accounts.ui.users_state import UsersState
from youworker_app.chat.ui.live import LiveState
from youworker_app.ui.errors import ToastState

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Safari/604.1"


async def texts(tab: object) -> list[str]:
    return [toast.text for toast in (await tab.state(ToastState)).toasts]  # type: ignore[attr-defined]


async def test_devices_are_shown_and_signed_out(sign_in: SignIn, house: House) -> None:
    _, tab = await sign_in("anna")
    await house.installation.accounts.sign_in("anna", PASSWORD, Client("192.0.2.1", PHONE))
    await tab.do(DevicesState.refresh)
    devices = (await tab.state(DevicesState)).devices
    assert [each.is_current for each in devices].count(True) == 1
    [phone] = [each for each in devices if each.is_phone]
    assert (phone.name, phone.address) == ("Safari · iPhone", "192.0.2.1")
    await tab.do(DevicesState.sign_out, login_id=phone.id)
    left = (await tab.state(DevicesState)).devices
    assert phone.id not in {each.id for each in left}
    await tab.do(DevicesState.ask_others)
    assert (await tab.state(DevicesState)).asks
    await tab.do(DevicesState.sign_out_others)
    state = await tab.state(DevicesState)
    assert ([each.is_current for each in state.devices], state.asks) == ([True], False)


@pytest.mark.parametrize(
    ("path", "done", "problem"),
    [
        ("/account?done=password", "password", ""),
        ("/account?error=PASSWORD_TOO_SHORT&min_length=10", "", "The password needs at least 10 characters."),
        ("/account?error=MADE_UP", "", ""),
    ],
)
async def test_the_page_says_how_the_form_ended(sign_in: SignIn, path: str, done: str, problem: str) -> None:
    _, tab = await sign_in("anna", path=path)
    await tab.do(AccountPageState.open)
    state = await tab.state(AccountPageState)
    assert (state.done, state.problem) == (done, problem)


async def test_a_key_is_shown_once_and_deleted(sign_in: SignIn) -> None:
    _, tab = await sign_in("anna")
    await tab.do(KeysState.refresh)
    form = {"key_name": "backup", "days": "30", "documents:read": "on", "chat:write": ""}
    await tab.do(KeysState.create, form=form)
    state = await tab.state(KeysState)
    [key] = state.keys
    assert state.secret.startswith(key.prefix)
    assert (key.name, key.scopes, key.used_at) == ("backup", "documents:read", "")
    await tab.do(KeysState.refresh)
    assert (await tab.state(KeysState)).secret == ""
    await tab.do(KeysState.doom, key_id=key.id)
    assert (await tab.state(KeysState)).doomed == key
    await tab.do(KeysState.delete)
    assert (await tab.state(KeysState)).keys == []


@pytest.mark.parametrize("days", ["", "x", "-1", "0", "9999999", "²", "1000"])
async def test_a_life_that_makes_no_sense_is_told(sign_in: SignIn, days: str) -> None:
    _, tab = await sign_in("anna")
    await tab.do(KeysState.refresh)
    await tab.do(KeysState.create, form={"key_name": "x", "days": days, "chat:read": "on"})
    assert await texts(tab) == ["A key can live 1 to 90 days."]
    assert (await tab.state(KeysState)).keys == []


async def test_root_looks_after_people(sign_in: SignIn, house: House, tabs: OpenTab) -> None:
    _, tab = await sign_in("root")
    assert (await tab.state(AccountState)).is_root
    await tab.do(UsersState.create, form={"newcomer": "anna", "is_root": ""})
    state = await tab.state(UsersState)
    assert state.link.startswith("http://127.0.0.1:8000/reset?token=")
    assert state.link_name == "anna"
    anna = state.users[-1]
    assert (anna.name, anna.is_root, anna.is_active, anna.has_password) == ("anna", False, True, False)
    token = state.link.partition("=")[2]
    await house.installation.resets.reset_password(token, PASSWORD)
    for action, is_root, is_active in (
        ("promote", True, True),
        ("demote", False, True),
        ("suspend", False, False),
        ("restore", False, True),
    ):
        await tab.do(UsersState.choose, user_id=anna.id, action=action)
        now = (await tab.state(UsersState)).users[-1]
        assert (now.is_root, now.is_active, now.has_password) == (is_root, is_active, True)
    await tab.do(UsersState.search, query="ann")
    assert [user.name for user in (await tab.state(UsersState)).users] == ["anna"]
    await tab.do(UsersState.choose, user_id=anna.id, action="remove")
    await tab.do(UsersState.remove)
    assert (await tab.state(UsersState)).users == []


async def test_the_page_of_people_shows_others_nothing(sign_in: SignIn, house: House) -> None:
    await house.person("root")
    _, tab = await sign_in("anna")
    assert not (await tab.state(AccountState)).is_root
    await tab.do(UsersState.refresh)
    assert ((await tab.state(UsersState)).users, await texts(tab)) == (
        [],
        ["Only the installation's administrator can do this."],
    )


async def test_who_is_demoted_is_so_in_an_open_page(sign_in: SignIn, house: House, tabs: OpenTab) -> None:
    root, tab = await sign_in("root")
    anna = await house.person("anna")
    await tab.do(UsersState.choose, user_id=anna.user_id, action="promote")
    other = tabs("other", cookie=await cookie_of(house, "anna"))
    await other.do(UsersState.refresh)
    assert {user.name for user in (await other.state(UsersState)).users} == {"root", "anna"}
    await tab.do(UsersState.choose, user_id=anna.user_id, action="demote")
    await other.do(UsersState.choose, user_id=root.user_id, action="suspend")
    assert [type(failure).__name__ for failure in other.failures] == ["RootOnly"]
    assert isinstance(await house.signed_in("root"), Actor)


async def test_an_open_page_learns_by_itself_that_its_person_is_demoted(
    sign_in: SignIn, house: House
) -> None:
    root = await house.person("root")
    anna, tab = await sign_in("anna")
    people = house.installation.people
    await people.change_user(root, anna.user_id, ChangeUser(is_root=True))
    await tab.do(AccountState.open)
    watching = await tab.start(LiveState.watch)
    await people.change_user(root, anna.user_id, ChangeUser(is_root=False))
    async with asyncio.timeout(10):
        while (await tab.state(AccountState)).is_root:
            await asyncio.sleep(0.05)
    watching.cancel()


async def test_the_menu_leads_to_the_pages(sign_in: SignIn) -> None:
    _, tab = await sign_in("anna")
    for choice in ("go:account", "go:users", "go:https://elsewhere.example"):
        await tab.do(AccountState.choose, choice=choice)
    assert tab.redirects() == ["/account", "/users", "/"]


async def test_a_one_time_link_brings_its_token(house: House, tabs: OpenTab) -> None:
    await house.person("root")
    tab = tabs(path="/reset?token=abc&error=RESET_LINK_WRONG", language="it")
    await tab.do(EntranceState.open_reset)
    state = await tab.state(EntranceState)
    assert state.setup_token == "abc"
    assert state.problem == "Questo link non è più valido. Chiedine uno nuovo a un amministratore."
