"""Changing one's own password."""

import pytest

from tests.people import PASSWORD, MakeUser, actor_of
from tests.services.test_accounts import SAFE, actions, rows
from youworker_app.access.actor import ScopeMissing
from youworker_app.accounts.api_keys import ApiKeyService
from youworker_app.accounts.errors import (
    PasswordTooCommon,
    PasswordTooShort,
    PresentPasswordWrong,
    SignInFailed,
    TooManyAttempts,
)
from youworker_app.accounts.own_password import OwnPasswordService
from youworker_app.accounts.passwords import Passwords
from youworker_app.accounts.schemas import Carrier, Client, CreateApiKey, Credential
from youworker_app.accounts.service import AccountService
from youworker_app.accounts.slowdown import Slowdown
from youworker_app.core.db import Database
from youworker_app.core.errors import ChangedMeanwhile, Unauthenticated
from youworker_app.models.accounts import LoginSession


async def test_the_new_one_counts_and_the_others_are_out(
    make_user: MakeUser, accounts: AccountService, own_password: OwnPasswordService, database: Database
) -> None:
    anna, bruno = await make_user("anna"), await make_user("bruno")
    other = await accounts.sign_in("anna", PASSWORD, Client())
    before = {row.id: row for row in await rows(database, LoginSession)}[anna.credential_id]
    renewed = await own_password.change_password(anna, PASSWORD, SAFE)
    with pytest.raises(Unauthenticated):
        await actor_of(accounts, other)
    assert renewed is not None
    # The session goes on, until when it would have, under another id: whoever had got hold of the old one is out.
    here = await accounts.authenticate(Credential(Carrier.COOKIE, renewed.token))
    left = {row.id: row for row in await rows(database, LoginSession) if row.user_id == anna.user_id}
    assert anna.credential_id not in left
    now = left[here.credential_id]
    assert (now.created_at, now.expires_at) == (before.created_at, before.expires_at)
    assert renewed.expires_at == now.expires_at
    assert bruno.credential_id in {row.id for row in await rows(database, LoginSession)}
    accounts.check_csrf(renewed.token, renewed.csrf_token)
    with pytest.raises(SignInFailed):
        await accounts.sign_in("anna", PASSWORD, Client())
    await accounts.sign_in("anna", SAFE, Client())
    assert "password.changed" in await actions(database)


@pytest.mark.parametrize(
    ("present", "new", "error"),
    [
        ("not the present one", SAFE, PresentPasswordWrong),
        ("", SAFE, PresentPasswordWrong),
        (PASSWORD, "short", PasswordTooShort),
        (PASSWORD, "password1234", PasswordTooCommon),
    ],
)
async def test_what_is_refused_changes_nothing(
    make_user: MakeUser,
    accounts: AccountService,
    own_password: OwnPasswordService,
    present: str,
    new: str,
    error: type[Exception],
) -> None:
    anna = await make_user("anna")
    other = await accounts.sign_in("anna", PASSWORD, Client())
    with pytest.raises(error):
        await own_password.change_password(anna, present, new)
    await actor_of(accounts, other)
    await accounts.sign_in("anna", PASSWORD, Client())


async def test_guessing_the_present_one_is_slowed_down(
    make_user: MakeUser, accounts: AccountService, own_password: OwnPasswordService
) -> None:
    """A browser that was left open does not give the password away, and its person can sign in meanwhile."""
    anna, bruno = await make_user("anna"), await make_user("bruno")
    for _ in range(5):
        with pytest.raises(PresentPasswordWrong):
            await own_password.change_password(anna, "a guess", SAFE)
    with pytest.raises(TooManyAttempts):
        await own_password.change_password(anna, PASSWORD, SAFE)
    await accounts.sign_in("anna", PASSWORD, Client())
    await own_password.change_password(bruno, PASSWORD, SAFE)


async def test_a_key_needs_the_admin_scope_and_lives_on(
    make_user: MakeUser,
    accounts: AccountService,
    own_password: OwnPasswordService,
    api_keys: ApiKeyService,
    database: Database,
) -> None:
    anna = await make_user("anna")
    weak = await api_keys.create_key(anna, CreateApiKey("weak", ("chat:read",)))
    strong = await api_keys.create_key(anna, CreateApiKey("strong", ("admin",)))
    with pytest.raises(ScopeMissing):
        await own_password.change_password(
            await accounts.authenticate(Credential(Carrier.KEY, weak.key)), PASSWORD, SAFE
        )
    script = await accounts.authenticate(Credential(Carrier.KEY, strong.key))
    await own_password.change_password(script, PASSWORD, SAFE)
    await accounts.authenticate(Credential(Carrier.KEY, weak.key))
    assert not [row for row in await rows(database, LoginSession) if row.user_id == anna.user_id]


async def test_who_signs_in_with_the_old_one_at_that_moment_is_out(
    make_user: MakeUser,
    accounts: AccountService,
    own_password: OwnPasswordService,
    passwords: Passwords,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The old password was right when it was compared, and is not any more when the session would begin."""
    anna = await make_user("anna")
    compare = passwords.verify
    once = [own_password.change_password(anna, PASSWORD, SAFE)]

    async def overtaken(known: str | None, password: str) -> bool:
        matches = await compare(known, password)
        if once:
            await once.pop()
        return matches

    monkeypatch.setattr(passwords, "verify", overtaken)
    with pytest.raises(SignInFailed):
        await accounts.sign_in("anna", PASSWORD, Client())


async def test_of_two_changes_at_once_one_is_told(
    make_user: MakeUser,
    own_password: OwnPasswordService,
    passwords: Passwords,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    anna = await make_user("anna")
    compare = passwords.verify
    once = [own_password.change_password(anna, PASSWORD, SAFE)]

    async def overtaken(known: str | None, password: str) -> bool:
        matches = await compare(known, password)
        if once:
            other, once[:] = once[0], []
            with monkeypatch.context() as patch:
                patch.setattr(own_password, "_slowdown", Slowdown())
                await other
        return matches

    monkeypatch.setattr(passwords, "verify", overtaken)
    with pytest.raises(ChangedMeanwhile):
        await own_password.change_password(anna, PASSWORD, "one more long password")
