"""API keys: narrowed to groups, rotated with an overlap, last used from, and when they say that they end."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.people import MakeGroup, MakeUser, again
from tests.services.test_accounts import actions, change, rows
from youworker_app.access.actor import Actor, Scope, ScopeMissing
from youworker_app.accounts import api_keys as module
from youworker_app.accounts.api_keys import ApiKeyService
from youworker_app.accounts.errors import (
    KeyGroupsNotUsable,
    KeyReplaced,
    KeyRunOut,
    KeyTooBroad,
    OverlapNotUsable,
    TooManyKeys,
)
from youworker_app.accounts.people import PeopleService
from youworker_app.accounts.schemas import Carrier, CreateApiKey, Credential, NewApiKey
from youworker_app.accounts.service import AccountService
from youworker_app.core.db import Database
from youworker_app.core.errors import NotFound, Unauthenticated
from youworker_app.core.telemetry import client_address
from youworker_app.groups.service import GroupService
from youworker_app.models.accounts import ApiKey, ApiKeyGroup

READ = ("documents:read",)


async def opens(accounts: AccountService, new: NewApiKey) -> Actor | None:
    try:
        return await accounts.authenticate(Credential(Carrier.KEY, new.key))
    except Unauthenticated:
        return None


# --- narrowed to groups


async def test_a_key_is_narrowed_to_ones_own_groups(
    make_user: MakeUser,
    make_group: MakeGroup,
    accounts: AccountService,
    api_keys: ApiKeyService,
    database: Database,
) -> None:
    anna, bruno = await make_user("anna"), await make_user("bruno")
    sales, law = await make_group("Sales", anna), await make_group("Law", anna)
    foreign = await make_group("Foreign", bruno)
    anna = await again(database, anna)
    new = await api_keys.create_key(anna, CreateApiKey("one", READ, group_ids=(sales.id, sales.id)))
    assert new.view.group_ids == (sales.id,)
    script = await opens(accounts, new)
    assert script is not None
    assert (script.group_ids, script.admin_group_ids, script.key_line) == (
        {sales.id},
        {sales.id},
        new.view.id,
    )
    plain = await api_keys.create_key(anna, CreateApiKey("all", READ))
    broad = await opens(accounts, plain)
    assert plain.view.group_ids is None
    assert broad is not None
    assert (broad.group_ids, broad.key_line) == ({sales.id, law.id}, "")
    for groups in ((), (foreign.id,), (sales.id, foreign.id), ("no such group",), ("\0",)):
        with pytest.raises(KeyGroupsNotUsable):
            await api_keys.create_key(anna, CreateApiKey("x", READ, group_ids=groups))
    with pytest.raises(KeyTooBroad):
        await api_keys.create_key(anna, CreateApiKey("x", ("admin",), group_ids=(sales.id,)))
    listed = {view.name: view.group_ids for view in await api_keys.list_keys(anna)}
    assert listed == {"one": (sales.id,), "all": None}


async def test_a_group_that_was_left_meanwhile_is_told(
    make_user: MakeUser,
    make_group: MakeGroup,
    api_keys: ApiKeyService,
    groups: GroupService,
    database: Database,
) -> None:
    """Between reading who somebody is and writing their key."""
    anna, bruno = await make_user("anna"), await make_user("bruno")
    sales = await make_group("Sales", anna, bruno)
    bruno = await again(database, bruno)
    await groups.remove_member(bruno, sales.id, bruno.user_id)
    with pytest.raises(KeyGroupsNotUsable):
        await api_keys.create_key(bruno, CreateApiKey("x", READ, group_ids=(sales.id,)))
    assert await rows(database, ApiKey) == []


async def test_leaving_and_removal_take_the_group_from_keys(
    make_user: MakeUser,
    make_group: MakeGroup,
    api_keys: ApiKeyService,
    groups: GroupService,
    people: PeopleService,
    database: Database,
) -> None:
    root, anna, bruno = (
        await make_user("root", is_root=True),
        await make_user("anna"),
        await make_user("bruno"),
    )
    sales, law = await make_group("Sales", anna, bruno), await make_group("Law", anna, bruno)
    bruno, anna = await again(database, bruno), await again(database, anna)
    await api_keys.create_key(bruno, CreateApiKey("x", READ, group_ids=(sales.id, law.id)))
    await api_keys.create_key(anna, CreateApiKey("y", READ, group_ids=(sales.id, law.id)))
    await groups.remove_member(bruno, sales.id, bruno.user_id)
    assert [view.group_ids for view in await api_keys.list_keys(bruno)] == [(law.id,)]
    assert [len(view.group_ids or ()) for view in await api_keys.list_keys(anna)] == [2]
    await groups.delete_group(anna, law.id)
    assert [view.group_ids for view in await api_keys.list_keys(bruno)] == [()]
    await people.remove_user(root, anna.user_id)
    assert await rows(database, ApiKeyGroup) == []


# --- rotation


async def test_the_old_key_lives_on_for_the_overlap(
    make_user: MakeUser, accounts: AccountService, api_keys: ApiKeyService, database: Database
) -> None:
    anna = await make_user("anna")
    old = await api_keys.create_key(anna, CreateApiKey("job", READ, 30))
    new = await api_keys.rotate_key(anna, old.view.id)
    assert (new.view.name, new.view.scopes) == ("job", READ)
    assert new.key != old.key
    life = new.view.expires_at - new.view.created_at
    assert life == pytest.approx(timedelta(days=30), abs=timedelta(seconds=5))
    kept = {view.id: view for view in await api_keys.list_keys(anna)}[old.view.id]
    left = kept.expires_at - datetime.now(UTC)
    assert left == pytest.approx(timedelta(hours=24), abs=timedelta(seconds=60))
    assert (kept.is_replaced, new.view.is_replaced) == (True, False)
    assert await opens(accounts, old)
    assert await opens(accounts, new)
    assert (await actions(database))[-1] == "key.rotated"
    await change(database, ApiKey, expires_at=datetime.now(UTC))
    assert await opens(accounts, old) is None


async def test_without_an_overlap_it_ends_at_once(
    make_user: MakeUser, accounts: AccountService, api_keys: ApiKeyService
) -> None:
    anna = await make_user("anna")
    old = await api_keys.create_key(anna, CreateApiKey("job", READ))
    new = await api_keys.rotate_key(anna, old.view.id, 0)
    assert await opens(accounts, old) is None
    assert await opens(accounts, new)


async def test_an_overlap_never_makes_a_key_live_longer(make_user: MakeUser, api_keys: ApiKeyService) -> None:
    anna = await make_user("anna")
    old = await api_keys.create_key(anna, CreateApiKey("job", READ, 1))
    await api_keys.rotate_key(anna, old.view.id, 168)
    kept = {view.id: view for view in await api_keys.list_keys(anna)}[old.view.id]
    assert kept.expires_at == old.view.expires_at


async def test_what_cannot_be_rotated_is_told(
    make_user: MakeUser, accounts: AccountService, api_keys: ApiKeyService, database: Database
) -> None:
    anna, bruno = await make_user("anna"), await make_user("bruno")
    old = await api_keys.create_key(anna, CreateApiKey("job", READ))
    for actor, key_id in ((bruno, old.view.id), (anna, "none"), (anna, "\0"), (anna, "\ud800")):
        with pytest.raises(NotFound):
            await api_keys.rotate_key(actor, key_id)
    for hours in (-1, 169, 10**30):
        with pytest.raises(OverlapNotUsable):
            await api_keys.rotate_key(anna, old.view.id, hours)
    new = await api_keys.rotate_key(anna, old.view.id)
    with pytest.raises(KeyReplaced):
        await api_keys.rotate_key(anna, old.view.id)
    admin = await opens(accounts, await api_keys.create_key(anna, CreateApiKey("admin", ("admin",))))
    assert admin is not None
    with pytest.raises(ScopeMissing):
        await api_keys.rotate_key(admin, new.view.id)
    with pytest.raises(ScopeMissing):
        await api_keys.rotate_key(replace(admin, scopes=frozenset({Scope.DOCUMENTS_READ})), new.view.id)
    await change(database, ApiKey, expires_at=datetime.now(UTC))
    with pytest.raises(KeyRunOut):
        await api_keys.rotate_key(anna, new.view.id)


async def test_of_two_rotations_at_once_one_is_told(make_user: MakeUser, api_keys: ApiKeyService) -> None:
    anna = await make_user("anna")
    old = await api_keys.create_key(anna, CreateApiKey("job", READ))
    done = await asyncio.gather(
        *(api_keys.rotate_key(anna, old.view.id) for _ in range(4)), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in done) == ["KeyReplaced"] * 3 + ["NewApiKey"]
    assert len(await api_keys.list_keys(anna)) == 2


async def test_rotating_again_and_again_leaves_no_heap(
    make_user: MakeUser, api_keys: ApiKeyService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replaced keys that have run out are forgotten; what still opens counts."""
    monkeypatch.setattr(module, "MOST_KEYS", 5)
    anna = await make_user("anna")
    key = await api_keys.create_key(anna, CreateApiKey("job", READ))
    for _ in range(6):
        key = await api_keys.rotate_key(anna, key.view.id, 0)
    assert len(await api_keys.list_keys(anna)) == 2
    for _ in range(4):
        key = await api_keys.rotate_key(anna, key.view.id, 1)
    with pytest.raises(TooManyKeys):
        await api_keys.rotate_key(anna, key.view.id, 1)


# --- last use, and the end


async def test_last_use_is_kept_with_its_address_once_a_minute(
    make_user: MakeUser, accounts: AccountService, api_keys: ApiKeyService, database: Database
) -> None:
    anna = await make_user("anna")
    new = await api_keys.create_key(anna, CreateApiKey("job", READ))
    assert (new.view.last_used_at, new.view.last_used_from) == (None, "")

    async def used(address: str) -> tuple[datetime | None, str]:
        token = client_address.set(address)
        try:
            await opens(accounts, new)
        finally:
            client_address.reset(token)
        [view] = await api_keys.list_keys(anna)
        return view.last_used_at, view.last_used_from

    first, address = await used("192.0.2.7")
    assert first is not None
    assert address == "192.0.2.7"
    assert await used("2001:db8::9") == (first, "192.0.2.7")
    await change(database, ApiKey, last_used_at=first - timedelta(minutes=2))
    second, address = await used("2001:db8::9")
    assert second is not None
    assert second >= first
    assert address == "2001:db8::9"


async def test_keys_that_end_soon_are_counted(make_user: MakeUser, api_keys: ApiKeyService) -> None:
    """Those without a successor, of one's own, that have not ended yet; ninety days is what a key lives by itself."""
    anna, bruno = await make_user("anna"), await make_user("bruno")
    long = await api_keys.create_key(anna, CreateApiKey("long", READ))
    assert long.view.expires_at - long.view.created_at == pytest.approx(
        timedelta(days=90), abs=timedelta(seconds=5)
    )
    await api_keys.create_key(anna, CreateApiKey("eight", READ, 8))
    assert await api_keys.count_expiring(anna) == 0
    soon = await api_keys.create_key(anna, CreateApiKey("seven", READ, 7))
    await api_keys.create_key(bruno, CreateApiKey("his", READ, 1))
    assert await api_keys.count_expiring(anna) == 1
    await api_keys.rotate_key(anna, long.view.id)
    assert await api_keys.count_expiring(anna) == 1
    await api_keys.delete_key(anna, soon.view.id)
    assert await api_keys.count_expiring(anna) == 0
