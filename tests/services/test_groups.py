"""Groups: who sees them, who changes them, and that they are never left without an admin."""

import asyncio
from dataclasses import replace

import pytest

from tests.people import MakeGroup, MakeUser, again
from youworker_app.access.actor import Actor, Scope, ScopeMissing
from youworker_app.core.db import Database
from youworker_app.core.errors import AppError, NotFound
from youworker_app.groups.errors import (
    AlreadyMember,
    GroupAdminOnly,
    GroupDescriptionNotUsable,
    GroupNameNotUsable,
    GroupNameTaken,
    LastAdmin,
    RoleUnknown,
    UserNotFound,
)
from youworker_app.groups.repository import GroupRepository
from youworker_app.groups.schemas import CreateGroup
from youworker_app.groups.service import GroupService


async def test_the_creator_is_admin(make_user: MakeUser, groups: GroupService, database: Database) -> None:
    anna = await make_user("anna")
    view = await groups.create_group(anna, CreateGroup("  Sales  Team ", " who sells "))
    assert (view.name, view.description, view.member_count, view.is_admin) == (
        "Sales Team",
        "who sells",
        1,
        True,
    )
    anna = await again(database, anna)
    assert await groups.list_mine(anna) == (view,)
    assert await groups.get_group(anna, view.id) == view
    [member] = await groups.list_members(anna, view.id)
    assert (member.user_id, member.username, member.role) == (anna.user_id, "anna", "admin")


@pytest.mark.parametrize("other", ["sales", "SALES", "Ｓales", " Sales "])
async def test_names_are_unique_however_written(
    make_user: MakeUser, groups: GroupService, other: str
) -> None:
    anna, bruno = await make_user("anna"), await make_user("bruno")
    await groups.create_group(anna, CreateGroup("Sales"))
    with pytest.raises(GroupNameTaken):
        await groups.create_group(bruno, CreateGroup(other))


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        (CreateGroup(""), GroupNameNotUsable),
        (CreateGroup("a" * 129), GroupNameNotUsable),
        (CreateGroup("a\u202eb"), GroupNameNotUsable),
        (CreateGroup("a", "x" * 501), GroupDescriptionNotUsable),
        (CreateGroup("a", "x\0"), GroupDescriptionNotUsable),
        (CreateGroup("a", "\ud800"), GroupDescriptionNotUsable),
    ],
)
async def test_groups_that_make_no_sense(
    make_user: MakeUser, groups: GroupService, wanted: CreateGroup, error: type[AppError]
) -> None:
    with pytest.raises(error):
        await groups.create_group(await make_user("anna"), wanted)


async def test_a_name_may_use_all_its_room(make_user: MakeUser, groups: GroupService) -> None:
    assert (
        await groups.create_group(await make_user("anna"), CreateGroup("ß" * 128, "x" * 500))
    ).member_count == 1


async def test_adding_people(
    make_user: MakeUser, make_group: MakeGroup, groups: GroupService, database: Database
) -> None:
    anna, bruno = await make_user("Anna"), await make_user("Bruno")
    group = await make_group("Sales", anna)
    anna = await again(database, anna)
    added = await groups.add_member(anna, group.id, "BRUNO")
    assert (added.user_id, added.username, added.role) == (bruno.user_id, "Bruno", "member")
    bruno = await again(database, bruno)
    seen = await groups.get_group(bruno, group.id)
    assert (seen.member_count, seen.is_admin) == (2, False)
    assert [member.username for member in await groups.list_members(bruno, group.id)] == ["Anna", "Bruno"]
    with pytest.raises(AlreadyMember):
        await groups.add_member(anna, group.id, "bruno")
    for name in ("nobody", "", "\0", "\ud800"):
        with pytest.raises(UserNotFound):
            await groups.add_member(anna, group.id, name)
    with pytest.raises(RoleUnknown):
        await groups.add_member(anna, group.id, "nobody", "owner")


async def everything(
    groups: GroupService, actor: Actor, group_id: str, user_id: str
) -> dict[str, type[BaseException] | None]:
    """What each use case answers to the actor: an error's class, or None."""
    calls = {
        "get": groups.get_group(actor, group_id),
        "members": groups.list_members(actor, group_id),
        "add": groups.add_member(actor, group_id, "anna"),
        "add nobody": groups.add_member(actor, group_id, "nobody"),
        "role": groups.change_role(actor, group_id, user_id, "member"),
        "remove": groups.remove_member(actor, group_id, user_id),
    }
    results: dict[str, type[BaseException] | None] = dict.fromkeys(calls)
    for name, call in calls.items():
        try:
            await call
        except AppError as error:
            results[name] = type(error)
    return results


async def test_a_stranger_learns_nothing(
    make_user: MakeUser, make_group: MakeGroup, groups: GroupService
) -> None:
    anna, carla, root = (
        await make_user("anna"),
        await make_user("carla"),
        await make_user("root", is_root=True),
    )
    group = await make_group("Sales", anna)
    for stranger in (carla, root, replace(carla, user_id="", group_ids=frozenset())):
        for group_id in (group.id, "no such group", "\0"):
            for user_id in (anna.user_id, stranger.user_id):
                found = await everything(groups, stranger, group_id, user_id)
                assert set(found.values()) == {NotFound}, (group_id, found)
        assert group not in await groups.list_mine(stranger)


async def test_a_member_changes_nothing(
    make_user: MakeUser, make_group: MakeGroup, groups: GroupService, database: Database
) -> None:
    anna, bruno = await make_user("anna"), await make_user("bruno")
    group = await make_group("Sales", anna, bruno)
    found = await everything(groups, await again(database, bruno), group.id, anna.user_id)
    assert (found.pop("get"), found.pop("members")) == (None, None)
    assert set(found.values()) == {GroupAdminOnly}


async def test_a_removed_member_is_a_stranger(
    make_user: MakeUser, make_group: MakeGroup, groups: GroupService, database: Database
) -> None:
    anna, bruno = await make_user("anna"), await make_user("bruno")
    group = await make_group("Sales", anna, bruno)
    before = await again(database, bruno)
    await groups.remove_member(await again(database, anna), group.id, bruno.user_id)
    after = await everything(groups, await again(database, bruno), group.id, anna.user_id)
    assert set(after.values()) == {NotFound}
    # An actor from before, in a request under way, may not write either.
    with pytest.raises(GroupAdminOnly):
        await groups.add_member(replace(before, admin_group_ids=before.group_ids), group.id, "bruno")


async def test_anyone_may_leave(
    make_user: MakeUser, make_group: MakeGroup, groups: GroupService, database: Database
) -> None:
    anna, bruno = await make_user("anna"), await make_user("bruno")
    group = await make_group("Sales", anna, bruno)
    bruno = await again(database, bruno)
    await groups.remove_member(bruno, group.id, bruno.user_id)
    with pytest.raises(NotFound):
        await groups.remove_member(bruno, group.id, bruno.user_id)
    assert await groups.list_mine(await again(database, bruno)) == ()


async def test_the_last_admin_stays(
    make_user: MakeUser, make_group: MakeGroup, groups: GroupService, database: Database
) -> None:
    anna, bruno = await make_user("anna"), await make_user("bruno")
    group = await make_group("Sales", anna, bruno)
    anna = await again(database, anna)
    with pytest.raises(LastAdmin):
        await groups.remove_member(anna, group.id, anna.user_id)
    with pytest.raises(LastAdmin):
        await groups.change_role(anna, group.id, anna.user_id, "member")
    with pytest.raises(RoleUnknown):
        await groups.change_role(anna, group.id, bruno.user_id, "owner")
    await groups.change_role(anna, group.id, anna.user_id, "admin")
    await groups.change_role(anna, group.id, bruno.user_id, "admin")
    await groups.change_role(anna, group.id, anna.user_id, "member")
    roles = {member.username: member.role for member in await groups.list_members(anna, group.id)}
    assert roles == {"anna": "member", "bruno": "admin"}


async def test_two_admins_who_leave_at_once(
    make_user: MakeUser,
    make_group: MakeGroup,
    groups: GroupService,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    count = GroupRepository.count_admins

    async def slowly(self: GroupRepository, group_id: str) -> int:
        found = await count(self, group_id)
        await asyncio.sleep(0.2)
        return found

    monkeypatch.setattr(GroupRepository, "count_admins", slowly)
    anna, bruno = await make_user("anna"), await make_user("bruno")
    group = await make_group("Sales", anna, bruno)
    await groups.change_role(await again(database, anna), group.id, bruno.user_id, "admin")
    admins = [await again(database, each) for each in (anna, bruno)]
    results = await asyncio.gather(
        *(groups.remove_member(each, group.id, each.user_id) for each in admins), return_exceptions=True
    )
    assert [type(each) for each in results].count(LastAdmin) == 1
    assert results.count(None) == 1


async def test_scopes_are_asked_first(make_user: MakeUser, groups: GroupService) -> None:
    anna = await make_user("anna")
    blind = replace(anna, scopes=frozenset({Scope.CHAT_READ}))
    found = await everything(groups, blind, "no such group", "nobody")
    assert set(found.values()) == {ScopeMissing}
    reader = replace(anna, scopes=frozenset({Scope.GROUPS_READ}))
    found = await everything(groups, reader, "no such group", "nobody")
    assert {name for name, error in found.items() if error is NotFound} == {"get", "members"}
    with pytest.raises(ScopeMissing):
        await groups.create_group(reader, CreateGroup("Sales"))
    with pytest.raises(ScopeMissing):
        await groups.list_mine(blind)
