"""People for tests, made the way that real ones are: the first by setup, the others by root."""

from collections.abc import Awaitable
from dataclasses import replace
from typing import Protocol

import pytest
from argon2 import PasswordHasher

from youworker_app.access.actor import Actor
from youworker_app.access.authenticate import actor_for_user
from youworker_app.accounts.admission import Admission
from youworker_app.accounts.api_keys import ApiKeyService
from youworker_app.accounts.csrf import CsrfTokens
from youworker_app.accounts.devices import DeviceService
from youworker_app.accounts.erasures import Erasures
from youworker_app.accounts.newcomers import Newcomers
from youworker_app.accounts.own_erasure import OwnErasureService
from youworker_app.accounts.own_password import OwnPasswordService
from youworker_app.accounts.passwords import Passwords
from youworker_app.accounts.people import PeopleService
from youworker_app.accounts.ports import AccountData
from youworker_app.accounts.provider_sign_in import ProviderSignIn
from youworker_app.accounts.resets import ResetService
from youworker_app.accounts.schemas import Carrier, Client, CreateUser, Credential, SignedIn
from youworker_app.accounts.service import AccountService
from youworker_app.audit.service import AuditService
from youworker_app.core.db import Database
from youworker_app.core.endings import Endings
from youworker_app.core.events import EventBus
from youworker_app.core.keys import DataKeys
from youworker_app.core.ports import Ports
from youworker_app.core.settings import OidcSettings, SecuritySettings
from youworker_app.gateways.blobs.memory import MemoryBlobStore
from youworker_app.groups.ports import GroupData, MembershipData
from youworker_app.groups.schemas import CreateGroup, GroupView
from youworker_app.groups.service import GroupService

PASSWORD = "correct horse battery staple"
# argon2id with the least work that it allows: the product's own takes 50 ms and 64 MiB.
QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class MakeUser(Protocol):
    """`await make_user("anna")` is a signed-in colleague, `make_user("root", is_root=True)` an administrator."""

    def __call__(self, name: str, *, is_root: bool = False) -> Awaitable[Actor]: ...


class MakeGroup(Protocol):
    """`await make_group("Sales", anna, bruno)` makes a group with anna as admin and bruno as member."""

    def __call__(self, name: str, admin: Actor, *members: Actor) -> Awaitable[GroupView]: ...


@pytest.fixture
def security() -> SecuritySettings:
    """Security settings as they come."""
    return SecuritySettings()


@pytest.fixture
def audit(keys: DataKeys) -> AuditService:
    """The audit trail."""
    return AuditService(keys)


@pytest.fixture
def ports(database: Database, audit: AuditService) -> Ports:
    """What people and groups alone have to do when somebody goes: no documents, no chat."""
    found = Ports(audit)
    exports = MemoryBlobStore()
    found.personal_data += [MembershipData(database, audit), AccountData(database, exports)]
    found.group_contents += [GroupData()]
    return found


@pytest.fixture
def groups(database: Database, audit: AuditService, ports: Ports) -> GroupService:
    """The group service on `database`."""
    return GroupService(database, audit, ports)


@pytest.fixture
def accounts(
    database: Database,
    keys: DataKeys,
    security: SecuritySettings,
    audit: AuditService,
    groups: GroupService,
    passwords: Passwords,
    endings: Endings,
) -> AccountService:
    """The account service on `database`, with a quick hasher."""
    return AccountService(database, keys, security, audit, groups, passwords, endings)


@pytest.fixture
def endings() -> Endings:
    """Who has to go."""
    return Endings()


@pytest.fixture
def passwords(security: SecuritySettings) -> Passwords:
    """Passwords with a quick hasher."""
    return Passwords(min_length=security.min_password_length, hasher=QUICK_HASHER)


@pytest.fixture
def api_keys(
    database: Database, security: SecuritySettings, audit: AuditService, endings: Endings
) -> ApiKeyService:
    """The service of API keys on `database`."""
    return ApiKeyService(database, security, audit, endings)


@pytest.fixture
def bus() -> EventBus:
    """Events inside the process."""
    return EventBus()


@pytest.fixture
def devices(
    database: Database, security: SecuritySettings, audit: AuditService, bus: EventBus, endings: Endings
) -> DeviceService:
    """The service of signed-in devices on `database`."""
    return DeviceService(database, security, audit, bus, endings)


@pytest.fixture
def own_password(
    database: Database,
    keys: DataKeys,
    audit: AuditService,
    passwords: Passwords,
    bus: EventBus,
    endings: Endings,
) -> OwnPasswordService:
    """The service that changes one's own password on `database`."""
    return OwnPasswordService(database, audit, passwords, bus, CsrfTokens.under(keys), endings)


@pytest.fixture
def resets(
    database: Database, audit: AuditService, passwords: Passwords, ports: Ports, endings: Endings
) -> ResetService:
    """The service of one-time links on `database`."""
    return ResetService(database, audit, passwords, ports, endings)


@pytest.fixture
def provider_sign_in(
    database: Database,
    keys: DataKeys,
    audit: AuditService,
    accounts: AccountService,
    ports: Ports,
    passwords: Passwords,
    bus: EventBus,
    endings: Endings,
) -> ProviderSignIn:
    """The door of a provider on `database`; there is none behind it."""
    admission = Admission(database, audit, Newcomers(passwords, keys), ports, endings)
    return ProviderSignIn(database, keys, OidcSettings(), audit, accounts, admission, bus, endings, None)


@pytest.fixture
def erasures(database: Database, groups: GroupService, ports: Ports, endings: Endings) -> Erasures:
    """How people are erased from `database`."""
    return Erasures(database, groups, ports, endings)


@pytest.fixture
def own_erasure(
    database: Database, audit: AuditService, passwords: Passwords, erasures: Erasures
) -> OwnErasureService:
    """The service by which people erase themselves."""
    return OwnErasureService(database, audit, passwords, erasures)


@pytest.fixture
def people(
    database: Database,
    keys: DataKeys,
    audit: AuditService,
    ports: Ports,
    passwords: Passwords,
    endings: Endings,
    erasures: Erasures,
) -> PeopleService:
    """Everybody's accounts on `database`."""
    return PeopleService(database, audit, ports, Newcomers(passwords, keys), endings, erasures)


@pytest.fixture
def make_user(accounts: AccountService, people: PeopleService) -> MakeUser:
    """Makes people and signs them in; the first one asked for brings root about."""
    root: list[Actor] = []

    async def make(name: str, *, is_root: bool = False) -> Actor:
        if not root:
            root.append(await actor_of(accounts, await set_up(accounts, name if is_root else "first root")))
            if is_root:
                return root[0]
        await people.create_user(root[0], CreateUser(name, PASSWORD, is_root=is_root))
        return await actor_of(accounts, await accounts.sign_in(name, PASSWORD, Client()))

    return make


@pytest.fixture
def make_group(database: Database, groups: GroupService) -> MakeGroup:
    """Makes a group. Actors know their groups from when they were made: ask `again` for them as they stand now."""

    async def make(name: str, admin: Actor, *members: Actor) -> GroupView:
        view = await groups.create_group(admin, CreateGroup(name))
        admin = await again(database, admin)
        for member in members:
            await groups.add_member(admin, view.id, member.username, "member")
        return await groups.get_group(admin, view.id)

    return make


async def set_up(accounts: AccountService, name: str = "first root") -> SignedIn:
    """The first account of a new installation."""
    token = await accounts.issue_setup_token()
    assert token is not None
    return await accounts.set_up(token, name, PASSWORD, Client())


async def actor_of(accounts: AccountService, signed_in: SignedIn) -> Actor:
    """The actor of a fresh sign-in."""
    return await accounts.authenticate(Credential(Carrier.COOKIE, signed_in.token))


async def again(database: Database, actor: Actor) -> Actor:
    """The same person and credential with the groups that they are in now."""
    async with database.read() as unit:
        fresh = await actor_for_user(unit, actor.user_id)
    return replace(actor, group_ids=fresh.group_ids, admin_group_ids=fresh.admin_group_ids)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that passwords were compared with: what takes the time of a sign-in."""
    seen: list[str] = []
    verify = PasswordHasher.verify

    def counted(self: PasswordHasher, known: str, password: bytes) -> bool:
        seen.append(known)
        return verify(self, known, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    return seen
