"""Who administers: made and ended at once, on what is open too; one always stays."""

import pytest

from tests.people import MakeUser
from tests.services.test_accounts import actions
from tests.services.test_resets import Stopped
from youworker_app.access.actor import Actor
from youworker_app.access.authenticate import actor_for_user
from youworker_app.access.permissions import RootOnly
from youworker_app.accounts.api_keys import ApiKeyService
from youworker_app.accounts.errors import LastRoot
from youworker_app.accounts.people import PeopleService
from youworker_app.accounts.schemas import Carrier, ChangeUser, CreateApiKey, Credential
from youworker_app.accounts.service import AccountService
from youworker_app.core.db import Database
from youworker_app.core.errors import NotFound
from youworker_app.core.paging import PageRequest
from youworker_app.core.ports import Ports

PROMOTE, DEMOTE = ChangeUser(is_root=True), ChangeUser(is_root=False)


async def is_root(database: Database, actor: Actor) -> bool:
    async with database.read() as unit:
        return (await actor_for_user(unit, actor.user_id)).is_root


async def test_a_colleague_becomes_an_administrator_and_one_no_more(
    make_user: MakeUser, people: PeopleService, database: Database, ports: Ports
) -> None:
    ports.running_work.append(work := Stopped())
    root, anna = await make_user("root", is_root=True), await make_user("anna")
    assert (await people.change_user(root, anna.user_id, PROMOTE)).is_root
    assert await is_root(database, anna)
    assert work.people == []
    assert not (await people.change_user(root, anna.user_id, DEMOTE)).is_root
    assert not await is_root(database, anna)
    assert work.people == [anna.user_id]
    told = [name for name in await actions(database) if name in {"user.promoted", "user.demoted"}]
    assert told == ["user.promoted", "user.demoted"]


async def test_a_key_is_demoted_with_its_person(
    make_user: MakeUser, people: PeopleService, accounts: AccountService, api_keys: ApiKeyService
) -> None:
    root, anna = await make_user("root", is_root=True), await make_user("anna")
    await people.change_user(root, anna.user_id, PROMOTE)
    made = await api_keys.create_key(anna, CreateApiKey("script", ("admin",)))
    credential = Credential(Carrier.KEY, made.key)
    await people.list_users(await accounts.authenticate(credential), PageRequest())
    await people.change_user(root, anna.user_id, DEMOTE)
    with pytest.raises(RootOnly):
        await people.list_users(await accounts.authenticate(credential), PageRequest())


async def test_who_has_been_demoted_in_the_middle_does_nothing_more(
    make_user: MakeUser, people: PeopleService
) -> None:
    """The actor was made when they were an administrator still."""
    root, anna = await make_user("root", is_root=True), await make_user("anna", is_root=True)
    await people.change_user(anna, root.user_id, DEMOTE)
    for wanted in (PROMOTE, DEMOTE, ChangeUser(is_active=False)):
        with pytest.raises(RootOnly):
            await people.change_user(root, anna.user_id, wanted)


@pytest.mark.parametrize(
    "wanted", [DEMOTE, ChangeUser(is_active=True, is_root=False), ChangeUser(is_active=False)]
)
async def test_the_last_administrator_stays(
    make_user: MakeUser, people: PeopleService, database: Database, wanted: ChangeUser
) -> None:
    root, anna = await make_user("root", is_root=True), await make_user("anna", is_root=True)
    await people.set_active(root, anna.user_id, is_active=False)  # one who cannot sign in does not count
    with pytest.raises(LastRoot):
        await people.change_user(root, root.user_id, wanted)
    assert await is_root(database, root)
    await people.set_active(root, anna.user_id, is_active=True)
    await people.change_user(root, root.user_id, wanted)


async def test_who_may_not(make_user: MakeUser, people: PeopleService) -> None:
    root, anna = await make_user("root", is_root=True), await make_user("anna")
    with pytest.raises(RootOnly):
        await people.change_user(anna, anna.user_id, PROMOTE)
    with pytest.raises(NotFound):
        await people.change_user(root, "nobody", PROMOTE)


async def test_people_are_found_by_a_part_of_their_name(make_user: MakeUser, people: PeopleService) -> None:
    root = await make_user("root", is_root=True)
    for name in ("Anna Bianchi", "Bruno 50%", "Carla"):
        await make_user(name)
    for query, names in (
        ("bIAN", ["Anna Bianchi"]),
        ("%", ["Bruno 50%"]),
        ("_", []),
        ("a", ["Anna Bianchi", "Carla"]),
    ):
        found = await people.list_users(root, PageRequest(), query)
        assert [user.username for user in found.items] == names
