"""Signed-in devices: who sees them, and what ends them."""

import asyncio
from datetime import timedelta

import pytest

from tests.people import PASSWORD, MakeUser, actor_of
from tests.services.test_accounts import actions, change, rows
from youworker_app.access.actor import Actor, ScopeMissing
from youworker_app.accounts.api_keys import ApiKeyService
from youworker_app.accounts.devices import DeviceService
from youworker_app.accounts.schemas import Carrier, Client, CreateApiKey, Credential, SignedIn
from youworker_app.accounts.service import AccountService
from youworker_app.core.clock import now
from youworker_app.core.db import Database
from youworker_app.core.errors import NotFound, Unauthenticated
from youworker_app.core.events import EventBus, user_topic
from youworker_app.core.settings import SecuritySettings
from youworker_app.models.accounts import LoginSession

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


async def elsewhere(accounts: AccountService, name: str = "anna") -> tuple[SignedIn, Actor]:
    """One more browser of somebody's."""
    signed = await accounts.sign_in(name, PASSWORD, Client("192.0.2.7", FIREFOX))
    return signed, await actor_of(accounts, signed)


async def is_in(accounts: AccountService, signed: SignedIn) -> bool:
    try:
        await actor_of(accounts, signed)
    except Unauthenticated:
        return False
    return True


async def test_devices_are_listed_with_this_one_first(
    make_user: MakeUser, accounts: AccountService, devices: DeviceService
) -> None:
    anna = await make_user("anna")
    await make_user("bruno")
    _, other = await elsewhere(accounts)
    mine, there = await devices.list_devices(anna)
    assert (mine.id, mine.is_current, mine.browser) == (anna.credential_id, True, "")
    assert (there.id, there.is_current) == (other.credential_id, False)
    assert (there.browser, there.system, there.address) == ("Firefox", "Linux", "192.0.2.7")
    assert there.last_seen_at <= now() < there.expires_at


@pytest.mark.parametrize("ended", ["by its day", "by lying idle"])
async def test_what_has_run_out_is_not_listed(
    make_user: MakeUser,
    accounts: AccountService,
    devices: DeviceService,
    database: Database,
    security: SecuritySettings,
    ended: str,
) -> None:
    anna = await make_user("anna")
    values = {
        "by its day": {"expires_at": now()},
        "by lying idle": {"last_seen_at": now() - timedelta(hours=security.session_idle_hours)},
    }
    await change(database, LoginSession, **values[ended])
    await elsewhere(accounts)
    [left] = await devices.list_devices(anna)
    assert not left.is_current


async def test_a_device_is_signed_out_from_elsewhere(
    make_user: MakeUser, accounts: AccountService, devices: DeviceService, database: Database
) -> None:
    anna = await make_user("anna")
    signed, other = await elsewhere(accounts)
    await devices.sign_out_device(anna, other.credential_id)
    assert not await is_in(accounts, signed)
    assert [each.is_current for each in await devices.list_devices(anna)] == [True]
    assert (await actions(database))[-1] == "session.ended"
    with pytest.raises(NotFound):
        await devices.sign_out_device(anna, other.credential_id)


async def test_nobody_elses_device_can_be_signed_out(
    make_user: MakeUser, accounts: AccountService, devices: DeviceService
) -> None:
    root, anna = await make_user("root", is_root=True), await make_user("anna")
    for session_id in (anna.credential_id, "nothing", "\0"):
        with pytest.raises(NotFound):
            await devices.sign_out_device(root, session_id)
    assert await devices.sign_out_others(root) == 0
    assert len(await devices.list_devices(anna)) == 1


async def test_everywhere_else_is_everywhere_but_here(
    make_user: MakeUser, accounts: AccountService, devices: DeviceService, database: Database
) -> None:
    anna, bruno = await make_user("anna"), await make_user("bruno")
    others = [(await elsewhere(accounts))[0] for _ in range(3)]
    assert await devices.sign_out_others(anna) == 3
    assert [await is_in(accounts, each) for each in others] == [False] * 3
    left = {row.id for row in await rows(database, LoginSession)}
    assert {anna.credential_id, bruno.credential_id} <= left


async def test_open_pages_are_told(
    make_user: MakeUser, accounts: AccountService, devices: DeviceService, bus: EventBus
) -> None:
    anna = await make_user("anna")
    _, other = await elsewhere(accounts)
    async with bus.subscribe(user_topic(anna.user_id)) as queue:
        await devices.sign_out_device(anna, other.credential_id)
        assert (await asyncio.wait_for(queue.get(), 5)).name == "sessions_changed"
        await devices.sign_out_others(anna)
        assert (await asyncio.wait_for(queue.get(), 5)).name == "sessions_changed"


async def test_a_key_needs_the_admin_scope(
    make_user: MakeUser, accounts: AccountService, devices: DeviceService, api_keys: ApiKeyService
) -> None:
    anna = await make_user("anna")
    made = await api_keys.create_key(anna, CreateApiKey("script", ("chat:read",)))
    script = await accounts.authenticate(Credential(Carrier.KEY, made.key))
    for work in (
        devices.list_devices(script),
        devices.sign_out_device(script, anna.credential_id),
        devices.sign_out_others(script),
    ):
        with pytest.raises(ScopeMissing):
            await work
    assert len(await devices.list_devices(anna)) == 1
