"""A new password by a one-time link."""

import asyncio
from datetime import timedelta

import pytest

from tests.people import PASSWORD, MakeUser, actor_of
from tests.services.test_accounts import SAFE, actions, change, rows
from youworker_app.access.permissions import RootOnly
from youworker_app.accounts.errors import PasswordTooShort, ResetLinkWrong, SignInFailed
from youworker_app.accounts.own_password import OwnPasswordService
from youworker_app.accounts.people import PeopleService
from youworker_app.accounts.resets import ResetService
from youworker_app.accounts.schemas import Client, CreateUser
from youworker_app.accounts.service import AccountService
from youworker_app.core.clock import now
from youworker_app.core.db import Database
from youworker_app.core.errors import NotFound, Unauthenticated
from youworker_app.core.ports import Ports
from youworker_app.models.accounts import User


class Stopped:
    """Running work that notes whose was ended."""

    def __init__(self) -> None:
        self.people: list[str] = []

    async def stop(self, user_id: str) -> None:
        self.people.append(user_id)


async def test_a_link_opens_once_and_ends_everything(
    make_user: MakeUser, accounts: AccountService, resets: ResetService, database: Database, ports: Ports
) -> None:
    ports.running_work.append(work := Stopped())
    root, anna = await make_user("root", is_root=True), await make_user("anna")
    made = await resets.issue_reset(root, anna.user_id)
    assert (made.user_id, made.username) == (anna.user_id, "anna")
    assert made.expires_at - now() > timedelta(hours=23)
    other = await accounts.sign_in("anna", PASSWORD, Client())  # until it is used, nothing has changed
    await resets.reset_password(made.token, SAFE)
    with pytest.raises(Unauthenticated):
        await actor_of(accounts, other)
    assert work.people == [anna.user_id]
    with pytest.raises(SignInFailed):
        await accounts.sign_in("anna", PASSWORD, Client())
    await accounts.sign_in("anna", SAFE, Client())
    with pytest.raises(ResetLinkWrong):
        await resets.reset_password(made.token, "one more long password")
    assert {"password.reset_issued", "password.reset"} <= set(await actions(database))


async def test_only_a_hash_is_kept(make_user: MakeUser, resets: ResetService, database: Database) -> None:
    root = await make_user("root", is_root=True)
    made = await resets.issue_reset(root, root.user_id)
    assert all(made.token not in str(row.model_dump()) for row in await rows(database, User))


@pytest.mark.parametrize("how", ["newer link", "a day later", "suspended", "password changed", "removed"])
async def test_a_link_that_counts_no_more(
    make_user: MakeUser,
    resets: ResetService,
    people: PeopleService,
    own_password: OwnPasswordService,
    database: Database,
    how: str,
) -> None:
    root, anna = await make_user("root", is_root=True), await make_user("anna")
    made = await resets.issue_reset(root, anna.user_id)
    match how:
        case "newer link":
            await resets.issue_reset(root, anna.user_id)
        case "a day later":
            await change(database, User, reset_expires_at=now())
        case "suspended":
            await people.set_active(root, anna.user_id, is_active=False)
        case "password changed":
            await own_password.change_password(anna, PASSWORD, SAFE)
        case "removed":
            await people.remove_user(root, anna.user_id)
    with pytest.raises(ResetLinkWrong):
        await resets.reset_password(made.token, "one more long password")


@pytest.mark.parametrize("token", ["", "x", "\0", "\ud800", "è" * 5_000])
async def test_a_made_up_token_opens_nothing(make_user: MakeUser, resets: ResetService, token: str) -> None:
    await make_user("anna")
    with pytest.raises(ResetLinkWrong):
        await resets.reset_password(token, SAFE)


async def test_a_weak_password_leaves_the_link(
    make_user: MakeUser, accounts: AccountService, resets: ResetService
) -> None:
    root, anna = await make_user("root", is_root=True), await make_user("anna")
    made = await resets.issue_reset(root, anna.user_id)
    with pytest.raises(PasswordTooShort):
        await resets.reset_password(made.token, "short")
    await resets.reset_password(made.token, SAFE)


async def test_of_two_at_once_one_gets_through(
    make_user: MakeUser, accounts: AccountService, resets: ResetService
) -> None:
    root, anna = await make_user("root", is_root=True), await make_user("anna")
    made = await resets.issue_reset(root, anna.user_id)
    tries = (resets.reset_password(made.token, f"{SAFE} {n}") for n in range(4))
    ends = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(end) for end in ends if end != "anna"] == [ResetLinkWrong] * 3
    await accounts.sign_in("anna", f"{SAFE} {ends.index('anna')}", Client())


async def test_root_alone_makes_links(make_user: MakeUser, resets: ResetService) -> None:
    root, anna = await make_user("root", is_root=True), await make_user("anna")
    with pytest.raises(RootOnly):
        await resets.issue_reset(anna, anna.user_id)
    with pytest.raises(NotFound):
        await resets.issue_reset(root, "nobody")


async def test_somebody_without_a_password_chooses_one(
    make_user: MakeUser, accounts: AccountService, people: PeopleService, resets: ResetService
) -> None:
    root = await make_user("root", is_root=True)
    view = await people.create_user(root, CreateUser("carla"))
    assert not view.has_password
    for guess in ("", "None", PASSWORD):
        with pytest.raises(SignInFailed):
            await accounts.sign_in("carla", guess, Client())
    await resets.reset_password((await resets.issue_reset(root, view.id)).token, SAFE)
    assert (await accounts.sign_in("carla", SAFE, Client())).user.has_password
