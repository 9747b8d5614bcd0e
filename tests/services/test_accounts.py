"""Accounts: setup, sign-in, sessions, keys, users."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update
from sqlmodel import SQLModel

from tests.people import PASSWORD, MakeUser, actor_of, set_up
from youworker_app.access.actor import Actor, Scope, ScopeMissing
from youworker_app.access.permissions import RootOnly
from youworker_app.access.visible import SystemReason, system_scope
from youworker_app.accounts.api_keys import MOST_KEYS, ApiKeyService
from youworker_app.accounts.errors import (
    AlreadySetUp,
    CsrfMismatch,
    KeyLifeNotUsable,
    KeyNameNotUsable,
    PasswordTooCommon,
    PasswordTooLong,
    PasswordTooShort,
    PreferenceUnknown,
    ScopeUnknown,
    SetupTokenWrong,
    SignInFailed,
    TooManyAttempts,
    TooManyKeys,
    UsernameNotUsable,
    UsernameTaken,
)
from youworker_app.accounts.passwords import Passwords
from youworker_app.accounts.people import PeopleService
from youworker_app.accounts.schemas import (
    Carrier,
    Client,
    CreateApiKey,
    CreateUser,
    Credential,
    NewApiKey,
    Preferences,
)
from youworker_app.accounts.service import AccountService
from youworker_app.audit.service import AuditService
from youworker_app.core.db import Database
from youworker_app.core.endings import Endings
from youworker_app.core.errors import Malformed, NotFound, Unauthenticated
from youworker_app.core.ids import token_hash
from youworker_app.core.keys import DataKeys
from youworker_app.core.paging import PageRequest
from youworker_app.core.ports import Ports
from youworker_app.core.settings import SecuritySettings
from youworker_app.groups.schemas import CreateGroup
from youworker_app.groups.service import GroupService
from youworker_app.models.accounts import ApiKey, EncryptionKey, InstallationFact, LoginSession, User
from youworker_app.models.audit import AuditEvent

M = TypeVar("M", bound=SQLModel)
SAFE = "another long password"


async def rows(database: Database, model: type[M]) -> list[M]:
    """Every row of a table, whoever may see it."""
    async with database.read() as unit:
        statement = system_scope(select(model), SystemReason.COUNTS)
        return list((await unit.session.execute(statement)).scalars())


async def change(database: Database, model: type[SQLModel], **values: object) -> None:
    """Sets columns in every row of a table."""
    async with database.write() as unit:
        await unit.session.execute(system_scope(update(model).values(**values), SystemReason.COUNTS))


async def actions(database: Database) -> list[str]:
    """What the audit trail tells, in order."""
    return [event.action for event in sorted(await rows(database, AuditEvent), key=lambda event: event.at)]


# --- setup


async def test_setup_makes_root_and_signs_in(accounts: AccountService, database: Database) -> None:
    assert await accounts.needs_setup()
    signed_in = await set_up(accounts, "Anna")
    assert not await accounts.needs_setup()
    assert signed_in.user.is_root
    assert signed_in.user.username == "Anna"
    actor = await actor_of(accounts, signed_in)
    assert actor.is_root
    assert actor.scopes is None
    assert await actions(database) == ["user.created", "session.created"]


async def test_ten_at_once_make_one_root(accounts: AccountService, database: Database) -> None:
    token = await accounts.issue_setup_token() or ""
    attempts = [accounts.set_up(token, f"person {n}", PASSWORD, Client()) for n in range(10)]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    losers = [result for result in results if isinstance(result, BaseException)]
    assert len(losers) == 9
    assert {type(loser) for loser in losers} <= {AlreadySetUp}
    assert len(await rows(database, User)) == 1
    assert len(await rows(database, EncryptionKey)) == 1
    assert len(await rows(database, LoginSession)) == 1


async def test_the_token_dies_with_setup(accounts: AccountService, database: Database) -> None:
    token = await accounts.issue_setup_token() or ""
    await accounts.set_up(token, "anna", PASSWORD, Client())
    with pytest.raises(AlreadySetUp):
        await accounts.set_up(token, "bruno", PASSWORD, Client())
    assert await accounts.issue_setup_token() is None
    assert [fact.name for fact in await rows(database, InstallationFact)] == ["root_user"]


@pytest.mark.parametrize("wrong", ["", "x", "ünïcode", "\0"])
async def test_a_wrong_token_makes_nobody(accounts: AccountService, database: Database, wrong: str) -> None:
    with pytest.raises(SetupTokenWrong):
        await accounts.set_up(wrong, "anna", PASSWORD, Client())
    await accounts.issue_setup_token()
    with pytest.raises(SetupTokenWrong):
        await accounts.set_up(wrong, "anna", PASSWORD, Client())
    assert await rows(database, User) == []


async def test_without_the_token_nothing_is_told_and_no_work_is_done(
    accounts: AccountService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: PasswordHasher, password: bytes) -> str:
        raise AssertionError("a stranger made us hash")

    await accounts.issue_setup_token()
    monkeypatch.setattr(PasswordHasher, "hash", refuse)
    for name, password in (("anna", PASSWORD), ("", ""), ("anna", "short")):
        with pytest.raises(SetupTokenWrong):
            await accounts.set_up("wrong", name, password, Client())


async def test_only_the_newest_token_counts(accounts: AccountService) -> None:
    first = await accounts.issue_setup_token() or ""
    second = await accounts.issue_setup_token() or ""
    with pytest.raises(SetupTokenWrong):
        await accounts.set_up(first, "anna", PASSWORD, Client())
    assert (await accounts.set_up(second, "anna", PASSWORD, Client())).user.is_root


async def test_a_refused_setup_can_be_tried_again(accounts: AccountService) -> None:
    token = await accounts.issue_setup_token() or ""
    with pytest.raises(PasswordTooShort):
        await accounts.set_up(token, "anna", "short", Client())
    assert (await accounts.set_up(token, "anna", PASSWORD, Client())).user.is_root


# --- names and passwords


@pytest.mark.parametrize("name", ["", "  ", "a" * 65, "a\u202eb", "a\0b", "a\nb", "\ud800", "..."])
async def test_names_that_cannot_be_shown_are_refused(
    make_user: MakeUser, people: PeopleService, name: str
) -> None:
    root = await make_user("root", is_root=True)
    with pytest.raises(UsernameNotUsable):
        await people.create_user(root, CreateUser(name, PASSWORD))


@pytest.mark.parametrize(
    ("taken", "wanted"), [("Anna", "ANNA"), ("straße", "STRASSE"), ("Zoé", "Zoe\u0301"), ("a b", " a  b ")]
)
async def test_names_are_unique_however_written(
    make_user: MakeUser, accounts: AccountService, people: PeopleService, taken: str, wanted: str
) -> None:
    root = await make_user("root", is_root=True)
    await people.create_user(root, CreateUser(taken, PASSWORD))
    with pytest.raises(UsernameTaken):
        await people.create_user(root, CreateUser(wanted, PASSWORD))
    assert (await accounts.sign_in(wanted, PASSWORD, Client())).user.username == taken


async def test_the_longest_name_fits(
    make_user: MakeUser, accounts: AccountService, people: PeopleService
) -> None:
    root = await make_user("root", is_root=True)
    view = await people.create_user(root, CreateUser("ß" * 64, PASSWORD))
    assert (await accounts.sign_in("SS" * 64, PASSWORD, Client())).user.id == view.id


@pytest.mark.parametrize(
    ("password", "error"),
    [
        ("", PasswordTooShort),
        ("123456789", PasswordTooShort),
        ("\u00e9" * 513, PasswordTooLong),
        ("qwertyuiop", PasswordTooCommon),
        ("PASSWORD123", PasswordTooCommon),
        ("aaaaaaaaaaaa", PasswordTooCommon),
        ("Bruno12345!", PasswordTooCommon),
        ("12345bruno", PasswordTooCommon),
    ],
)
async def test_weak_passwords_are_refused(
    make_user: MakeUser, people: PeopleService, password: str, error: type[Exception]
) -> None:
    root = await make_user("root", is_root=True)
    with pytest.raises(error):
        await people.create_user(root, CreateUser("bruno", password))


@pytest.mark.parametrize(
    "password", ["abcd\0efgh\0", "\u00e9\u00e8\u00e0\u00f9" * 128, "  spaces count  ", "密码" * 5 + "abc"]
)
async def test_unusual_passwords_work(
    make_user: MakeUser, accounts: AccountService, people: PeopleService, password: str
) -> None:
    root = await make_user("root", is_root=True)
    await people.create_user(root, CreateUser("bruno", password))
    assert (await accounts.sign_in("bruno", password, Client())).user.username == "bruno"
    with pytest.raises(SignInFailed):
        await accounts.sign_in("bruno", password + " ", Client())


async def test_the_same_keys_are_the_same_password(
    make_user: MakeUser, accounts: AccountService, people: PeopleService
) -> None:
    root = await make_user("root", is_root=True)
    await people.create_user(root, CreateUser("bruno", "Zoe\u0301 und die anderen"))
    assert await accounts.sign_in("bruno", "Zo\u00e9 und die anderen", Client())


# --- signing in


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("nobody", PASSWORD),
        ("anna", SAFE),
        ("anna", ""),
        ("", ""),
        ("\0", "\0"),
        ("anna", "x" * 5_000),
        ("a" * 9_999, "x"),
    ],
)
async def test_whatever_is_wrong_looks_the_same(
    make_user: MakeUser, accounts: AccountService, database: Database, name: str, password: str
) -> None:
    await make_user("anna")
    with pytest.raises(SignInFailed) as refused:
        await accounts.sign_in(name, password, Client())
    assert refused.value.details == {}
    assert (await actions(database))[-1] == "session.refused"


async def test_a_suspended_person_is_refused_like_a_wrong_one(
    make_user: MakeUser, accounts: AccountService, api_keys: ApiKeyService, database: Database
) -> None:
    anna = await make_user("anna")
    signed_in = await accounts.sign_in("anna", PASSWORD, Client())
    key = await api_keys.create_key(anna, CreateApiKey("script", ("chat:read",)))
    await change(database, User, is_active=False)
    with pytest.raises(SignInFailed):
        await accounts.sign_in("anna", PASSWORD, Client())
    for credential in (Credential(Carrier.COOKIE, signed_in.token), Credential(Carrier.KEY, key.key)):
        with pytest.raises(Unauthenticated):
            await accounts.authenticate(credential)


async def test_an_unknown_name_costs_as_much_work(
    make_user: MakeUser, accounts: AccountService, counting: list[str]
) -> None:
    await make_user("anna")
    for name in ("anna", "nobody"):
        counting.clear()
        with pytest.raises(SignInFailed):
            await accounts.sign_in(name, SAFE, Client(address=name))
        assert len(counting) == 1
        assert counting[0].startswith("$argon2id$")


async def test_guessing_is_slowed_down(make_user: MakeUser, accounts: AccountService) -> None:
    await make_user("anna")
    here, there = Client(address="10.0.0.1"), Client(address="10.0.0.2")
    for _ in range(5):
        with pytest.raises(SignInFailed):
            await accounts.sign_in("anna", SAFE, here)
    with pytest.raises(TooManyAttempts) as slowed:
        await accounts.sign_in("ANNA", PASSWORD, here)
    assert slowed.value.details == {"retry_after_s": 30}
    assert await accounts.sign_in("anna", PASSWORD, there)


async def test_many_guesses_at_once_gain_nothing(
    make_user: MakeUser, accounts: AccountService, counting: list[str]
) -> None:
    await make_user("anna")
    counting.clear()
    guesses = [accounts.sign_in("anna", f"{SAFE} {n}", Client()) for n in range(20)]
    results = await asyncio.gather(*guesses, return_exceptions=True)
    assert len(counting) == 5
    assert sum(isinstance(result, TooManyAttempts) for result in results) == 15


async def test_fifty_at_once_are_signed_in(
    make_user: MakeUser, accounts: AccountService, database: Database
) -> None:
    await make_user("anna")
    attempts = [accounts.sign_in("anna", PASSWORD, Client()) for _ in range(50)]
    tokens = {signed_in.token for signed_in in await asyncio.gather(*attempts)}
    assert len(tokens) == 50


async def test_an_older_hash_is_renewed(
    make_user: MakeUser,
    accounts: AccountService,
    database: Database,
    keys: DataKeys,
    audit: AuditService,
    groups: GroupService,
    ports: Ports,
) -> None:
    anna = await make_user("anna")
    stronger = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)
    later = AccountService(
        database,
        keys,
        SecuritySettings(),
        audit,
        groups,
        Passwords(min_length=10, hasher=stronger),
        Endings(),
    )
    await later.sign_in("anna", PASSWORD, Client())
    [row] = [row for row in await rows(database, User) if row.id == anna.user_id]
    assert not stronger.check_needs_rehash(row.password_hash or "")
    assert await later.sign_in("anna", PASSWORD, Client())


# --- sessions


async def test_no_secret_is_kept(
    make_user: MakeUser, accounts: AccountService, api_keys: ApiKeyService, database: Database
) -> None:
    anna = await make_user("anna")
    signed_in = await accounts.sign_in("anna", PASSWORD, Client())
    key = await api_keys.create_key(anna, CreateApiKey("script", ("chat:read",)))
    kept = [
        str(row.model_dump())
        for model in (User, LoginSession, ApiKey, AuditEvent)
        for row in await rows(database, model)
    ]
    for secret in (PASSWORD, signed_in.token, signed_in.csrf_token, key.key):
        assert not [row for row in kept if secret in row]
    for shown in (signed_in, key, CreateUser("anna", PASSWORD), Credential(Carrier.KEY, key.key)):
        assert not [secret for secret in (PASSWORD, signed_in.token, key.key) if secret in repr(shown)]


@pytest.mark.parametrize("secret", ["", "x", "\0", "é" * 1_000])
@pytest.mark.parametrize("carrier", list(Carrier))
async def test_a_foreign_secret_is_nobody(accounts: AccountService, carrier: Carrier, secret: str) -> None:
    with pytest.raises(Unauthenticated):
        await accounts.authenticate(Credential(carrier, secret))


async def test_one_carrier_is_not_the_other(
    make_user: MakeUser, accounts: AccountService, api_keys: ApiKeyService
) -> None:
    anna = await make_user("anna")
    token = (await accounts.sign_in("anna", PASSWORD, Client())).token
    key = (await api_keys.create_key(anna, CreateApiKey("script", ("chat:read",)))).key
    for credential in (Credential(Carrier.KEY, token), Credential(Carrier.COOKIE, key)):
        with pytest.raises(Unauthenticated):
            await accounts.authenticate(credential)


async def test_signing_out_ends_this_session_alone(make_user: MakeUser, accounts: AccountService) -> None:
    await make_user("anna")
    one, other = [await accounts.sign_in("anna", PASSWORD, Client()) for _ in range(2)]
    await accounts.sign_out(await actor_of(accounts, one))
    with pytest.raises(Unauthenticated):
        await actor_of(accounts, one)
    assert (await actor_of(accounts, other)).username == "anna"


@pytest.mark.parametrize("column", ["expires_at", "last_seen_at"])
async def test_a_session_runs_out(
    make_user: MakeUser, accounts: AccountService, database: Database, column: str
) -> None:
    await make_user("anna")
    signed_in = await accounts.sign_in("anna", PASSWORD, Client())
    await actor_of(accounts, signed_in)
    past = datetime.now(UTC) - (timedelta(seconds=1) if column == "expires_at" else timedelta(hours=168))
    await change(database, LoginSession, **{column: past})
    with pytest.raises(Unauthenticated):
        await actor_of(accounts, signed_in)


async def test_ended_sessions_are_cleared_at_the_next_sign_in(
    make_user: MakeUser, accounts: AccountService, database: Database
) -> None:
    anna = await make_user("anna")
    await change(database, LoginSession, expires_at=datetime.now(UTC) - timedelta(days=1))
    await accounts.sign_in("anna", PASSWORD, Client())
    mine = [row for row in await rows(database, LoginSession) if row.user_id == anna.user_id]
    assert len(mine) == 1


async def test_use_is_noted_at_most_once_a_minute(
    make_user: MakeUser, accounts: AccountService, database: Database
) -> None:
    await make_user("anna")
    signed_in = await accounts.sign_in("anna", PASSWORD, Client())
    for age, is_noted in ((timedelta(seconds=50), False), (timedelta(seconds=61), True)):
        before = datetime.now(UTC) - age
        await change(database, LoginSession, last_seen_at=before)
        await actor_of(accounts, signed_in)
        [row] = [
            row for row in await rows(database, LoginSession) if row.token_hash == token_hash(signed_in.token)
        ]
        assert (row.last_seen_at > before) is is_noted


async def test_a_device_is_remembered_in_printable_form(
    make_user: MakeUser, accounts: AccountService, database: Database
) -> None:
    await make_user("anna")
    client = Client(address="::1" + "x" * 99, user_agent="Browser\0\n\ud800" + "y" * 999)
    await accounts.sign_in("anna", PASSWORD, client)
    newest = max(await rows(database, LoginSession), key=lambda row: row.created_at)
    assert newest.user_agent == "Browser" + "y" * 249
    assert len(newest.address) == 64


async def test_csrf_belongs_to_its_session(make_user: MakeUser, accounts: AccountService) -> None:
    await make_user("anna")
    one, other = [await accounts.sign_in("anna", PASSWORD, Client()) for _ in range(2)]
    accounts.check_csrf(one.token, one.csrf_token)
    assert accounts.csrf_token(one.token) == one.csrf_token
    for presented in (other.csrf_token, "", "é", "\ud800", one.token):
        with pytest.raises(CsrfMismatch):
            accounts.check_csrf(one.token, presented)


async def test_the_sign_in_form_is_protected_before_there_is_a_session(accounts: AccountService) -> None:
    cookie, form = accounts.presession_csrf()
    accounts.check_presession(cookie, form)
    assert accounts.presession_csrf(cookie) == (cookie, form)
    for pair in ((cookie, ""), ("", form), ("", ""), (cookie, accounts.csrf_token(cookie)), ("other", form)):
        with pytest.raises(CsrfMismatch):
            accounts.check_presession(*pair)


# --- one's own account


async def test_me(make_user: MakeUser, accounts: AccountService, groups: GroupService) -> None:
    anna = await make_user("anna")
    await groups.create_group(anna, CreateGroup("Sales"))
    signed_in = await accounts.sign_in("anna", PASSWORD, Client())
    me = await accounts.me(await actor_of(accounts, signed_in))
    assert (me.username, me.is_root, [group.name for group in me.groups]) == ("anna", False, ["Sales"])
    narrowed = replace(await actor_of(accounts, signed_in), scopes=frozenset({Scope.CHAT_READ}))
    assert (await accounts.me(narrowed)).groups == ()


async def test_preferences(make_user: MakeUser, accounts: AccountService) -> None:
    anna = await make_user("anna")
    assert (await accounts.set_preferences(anna, Preferences(language="it"))).language == "it"
    after = await accounts.set_preferences(anna, Preferences(theme="dark"))
    assert (after.language, after.theme) == ("it", "dark")
    assert await accounts.set_preferences(anna, Preferences()) == after
    for wrong in (Preferences(language="xx"), Preferences(theme="")):
        with pytest.raises(PreferenceUnknown):
            await accounts.set_preferences(anna, wrong)


# --- keys


async def key_for(
    accounts: AccountService, api_keys: ApiKeyService, actor: Actor, *scopes: str
) -> tuple[NewApiKey, Actor]:
    """A new key and the actor who comes with it."""
    new = await api_keys.create_key(actor, CreateApiKey("script", scopes))
    return new, await accounts.authenticate(Credential(Carrier.KEY, new.key))


async def test_a_key_signs_in_with_its_scopes(
    make_user: MakeUser, accounts: AccountService, api_keys: ApiKeyService, database: Database
) -> None:
    anna = await make_user("anna")
    new, script = await key_for(accounts, api_keys, anna, "documents:read", "chat:read")
    assert script.user_id == anna.user_id
    assert script.scopes == {Scope.DOCUMENTS_READ, Scope.CHAT_READ}
    assert new.key.startswith(new.view.prefix + "_")
    assert len(new.view.prefix) == len("yw_") + 8
    assert (await api_keys.list_keys(anna))[0].last_used_at is not None
    assert (await actions(database))[-1] == "key.created"


async def test_root_by_key_is_root_with_the_admin_scope_only(
    make_user: MakeUser, accounts: AccountService, api_keys: ApiKeyService
) -> None:
    root = await make_user("root", is_root=True)
    assert not (await key_for(accounts, api_keys, root, "chat:read"))[1].is_root
    assert (await key_for(accounts, api_keys, root, "admin"))[1].is_root


async def test_a_key_without_the_admin_scope_changes_no_account(
    make_user: MakeUser, accounts: AccountService, people: PeopleService, api_keys: ApiKeyService
) -> None:
    root = await make_user("root", is_root=True)
    new, script = await key_for(
        accounts, api_keys, root, *(scope.value for scope in Scope if scope is not Scope.ADMIN)
    )
    for forbidden in (
        api_keys.list_keys(script),
        api_keys.create_key(script, CreateApiKey("more", ("chat:read",))),
        api_keys.delete_key(script, new.view.id),
        accounts.set_preferences(script, Preferences()),
        people.create_user(script, CreateUser("bruno", PASSWORD)),
        people.list_users(script, PageRequest()),
    ):
        with pytest.raises(ScopeMissing):
            await forbidden


async def test_a_key_makes_no_stronger_key(
    make_user: MakeUser, accounts: AccountService, api_keys: ApiKeyService
) -> None:
    anna = await make_user("anna")
    _, script = await key_for(accounts, api_keys, anna, "admin", "chat:read")
    assert await api_keys.create_key(script, CreateApiKey("same", ("chat:read",)))
    with pytest.raises(ScopeMissing):
        await api_keys.create_key(script, CreateApiKey("more", ("chat:read", "chat:write")))


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        (CreateApiKey("", ("chat:read",)), KeyNameNotUsable),
        (CreateApiKey("a" * 65, ("chat:read",)), KeyNameNotUsable),
        (CreateApiKey("a\0", ("chat:read",)), KeyNameNotUsable),
        (CreateApiKey("a", ()), ScopeUnknown),
        (CreateApiKey("a", ("chat:read", "everything")), ScopeUnknown),
        (CreateApiKey("a", ("chat:read",), 0), KeyLifeNotUsable),
        (CreateApiKey("a", ("chat:read",), 91), KeyLifeNotUsable),
        (CreateApiKey("a", ("chat:read",), -(10**30)), KeyLifeNotUsable),
    ],
)
async def test_keys_that_make_no_sense(
    make_user: MakeUser, api_keys: ApiKeyService, wanted: CreateApiKey, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await api_keys.create_key(await make_user("anna"), wanted)


async def test_keys_run_out(
    make_user: MakeUser, accounts: AccountService, api_keys: ApiKeyService, database: Database
) -> None:
    anna = await make_user("anna")
    new = await api_keys.create_key(anna, CreateApiKey("a", ("chat:read",), 1))
    assert new.view.expires_at - new.view.created_at == pytest.approx(
        timedelta(days=1), abs=timedelta(seconds=5)
    )
    await change(database, ApiKey, expires_at=datetime.now(UTC))
    with pytest.raises(Unauthenticated):
        await accounts.authenticate(Credential(Carrier.KEY, new.key))


async def test_a_deleted_key_is_nobody_at_once(
    make_user: MakeUser, accounts: AccountService, api_keys: ApiKeyService
) -> None:
    anna, bruno = await make_user("anna"), await make_user("bruno")
    new, _ = await key_for(accounts, api_keys, anna, "chat:read")
    for stranger, key_id in ((bruno, new.view.id), (anna, "no such key"), (anna, "\0"), (anna, "\ud800")):
        with pytest.raises(NotFound):
            await api_keys.delete_key(stranger, key_id)
    assert await api_keys.list_keys(bruno) == ()
    await api_keys.delete_key(anna, new.view.id)
    with pytest.raises(Unauthenticated):
        await accounts.authenticate(Credential(Carrier.KEY, new.key))
    assert await api_keys.list_keys(anna) == ()


async def test_keys_are_bounded(make_user: MakeUser, api_keys: ApiKeyService) -> None:
    anna = await make_user("anna")
    for n in range(MOST_KEYS):
        await api_keys.create_key(anna, CreateApiKey(f"key {n}", ("chat:read",)))
    with pytest.raises(TooManyKeys):
        await api_keys.create_key(anna, CreateApiKey("one more", ("chat:read",)))


# --- everybody's accounts


async def test_only_root_sees_and_makes_people(make_user: MakeUser, people: PeopleService) -> None:
    anna = await make_user("anna")
    for forbidden in (
        people.create_user(anna, CreateUser("bruno", PASSWORD)),
        people.list_users(anna, PageRequest()),
    ):
        with pytest.raises(RootOnly):
            await forbidden


async def test_people_are_listed_in_pages(make_user: MakeUser, people: PeopleService) -> None:
    root = await make_user("root", is_root=True)
    for name in ("anna", "bruno", "carla", "dario"):
        await people.create_user(root, CreateUser(name, PASSWORD))
    seen: list[str] = []
    page = await people.list_users(root, PageRequest(limit=2))
    while True:
        seen += [user.username for user in page.items]
        if page.next_cursor is None:
            break
        page = await people.list_users(root, PageRequest(limit=2, cursor=page.next_cursor))
    assert seen == ["root", "anna", "bruno", "carla", "dario"]
    with pytest.raises(Malformed):
        await people.list_users(root, PageRequest(cursor="foreign"))


async def test_each_person_has_a_key_of_their_own(
    make_user: MakeUser, accounts: AccountService, database: Database, keys: DataKeys
) -> None:
    await make_user("anna")
    wrapped = [row.wrapped for row in await rows(database, EncryptionKey)]
    plain = {keys.unwrap(each) for each in wrapped}
    assert len(plain) == len(wrapped) == 2
