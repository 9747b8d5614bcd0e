"""The part of the composition root that makes people's services: sign-in, passwords, devices, keys, administration."""

from dataclasses import dataclass

from argon2 import PasswordHasher

from youworker_app.access.credentials import Authentication
from youworker_app.accounts.api_keys import ApiKeyService
from youworker_app.accounts.csrf import CsrfTokens
from youworker_app.accounts.devices import DeviceService
from youworker_app.accounts.newcomers import Newcomers
from youworker_app.accounts.own_password import OwnPasswordService
from youworker_app.accounts.passwords import Passwords
from youworker_app.accounts.people import PeopleService
from youworker_app.accounts.resets import ResetService
from youworker_app.accounts.service import AccountService
from youworker_app.audit.service import AuditService
from youworker_app.core import registry
from youworker_app.core.db import Database
from youworker_app.core.endings import Endings
from youworker_app.core.events import EventBus
from youworker_app.core.keys import DataKeys
from youworker_app.core.ports import Ports
from youworker_app.core.settings import SecuritySettings
from youworker_app.groups.service import GroupService


@dataclass(frozen=True)
class Ground:
    """What people's services stand on. `hasher` is for tests that cannot wait for a slow one."""

    db: Database
    keys: DataKeys
    security: SecuritySettings
    audit: AuditService
    ports: Ports
    bus: EventBus
    hasher: PasswordHasher | None = None


@dataclass(frozen=True)
class AccountServices:
    """What the rest of the installation asks for by name."""

    groups: GroupService
    accounts: AccountService
    api_keys: ApiKeyService
    people: PeopleService
    resets: ResetService


def wire_accounts(ground: Ground) -> AccountServices:
    """Makes and registers them all."""
    db, audit, security, endings = ground.db, ground.audit, ground.security, Endings()
    groups = GroupService(db, audit, ground.ports)
    passwords = Passwords(min_length=security.min_password_length, hasher=ground.hasher)
    accounts = AccountService(db, ground.keys, security, audit, groups, passwords, endings)
    api_keys = ApiKeyService(db, security, audit, endings)
    people = PeopleService(db, audit, groups, ground.ports, Newcomers(passwords, ground.keys), endings)
    resets = ResetService(db, audit, passwords, ground.ports, endings)
    registry.provide(GroupService, groups)
    registry.provide(AccountService, accounts)
    registry.provide(ApiKeyService, api_keys)
    registry.provide(PeopleService, people)
    csrf = CsrfTokens.under(ground.keys)
    own_password = OwnPasswordService(db, audit, passwords, ground.bus, csrf, endings)
    registry.provide(Endings, endings)
    registry.provide(OwnPasswordService, own_password)
    registry.provide(ResetService, resets)
    registry.provide(DeviceService, DeviceService(db, security, audit, ground.bus, endings))
    registry.provide(Authentication, Authentication(accounts.authenticate, accounts.check_csrf))
    return AccountServices(groups, accounts, api_keys, people, resets)
