"""The part of the composition root that makes people's services: sign-in, passwords, devices, keys, administration."""

from dataclasses import dataclass, field

from argon2 import PasswordHasher

from youworker_app.access.credentials import Authentication
from youworker_app.access.forwarded import ForwardedKeys
from youworker_app.accounts.admission import Admission
from youworker_app.accounts.api_keys import ApiKeyService
from youworker_app.accounts.csrf import CsrfTokens
from youworker_app.accounts.devices import DeviceService
from youworker_app.accounts.erasures import Erasures
from youworker_app.accounts.forwarded_sign_in import ForwardedSignIn
from youworker_app.accounts.newcomers import Newcomers
from youworker_app.accounts.own_erasure import OwnErasureService
from youworker_app.accounts.own_password import OwnPasswordService
from youworker_app.accounts.passwords import Passwords
from youworker_app.accounts.people import PeopleService
from youworker_app.accounts.provider_sign_in import ProviderSignIn
from youworker_app.accounts.resets import ResetService
from youworker_app.accounts.service import AccountService
from youworker_app.audit.service import AuditService
from youworker_app.core import registry
from youworker_app.core.db import Database
from youworker_app.core.endings import Endings
from youworker_app.core.events import EventBus
from youworker_app.core.keys import DataKeys
from youworker_app.core.ports import Ports
from youworker_app.core.settings import ForwardAuthSettings, OidcSettings, SecuritySettings
from youworker_app.gateways.oidc.protocol import IdentityProvider
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
    oidc: OidcSettings = field(default_factory=OidcSettings)
    forward_auth: ForwardAuthSettings = field(default_factory=ForwardAuthSettings)
    hasher: PasswordHasher | None = None


@dataclass(frozen=True)
class AccountServices:
    """What the rest of the installation asks for by name."""

    groups: GroupService
    accounts: AccountService
    api_keys: ApiKeyService
    people: PeopleService
    resets: ResetService
    provider_sign_in: ProviderSignIn
    erasures: Erasures


def wire_accounts(ground: Ground) -> AccountServices:
    """Makes and registers them all."""
    db, audit, security, endings = ground.db, ground.audit, ground.security, Endings()
    groups = GroupService(db, audit, ground.ports)
    passwords = Passwords(min_length=security.min_password_length, hasher=ground.hasher)
    accounts = AccountService(db, ground.keys, security, audit, groups, passwords, endings)
    api_keys = ApiKeyService(db, security, audit, endings)
    newcomers = Newcomers(passwords, ground.keys)
    erasures = Erasures(db, groups, ground.ports, endings)
    people = PeopleService(db, audit, ground.ports, newcomers, endings, erasures)
    admission = Admission(db, audit, newcomers, ground.ports, endings)
    provider_sign_in = ProviderSignIn(
        db,
        ground.keys,
        ground.oidc,
        audit,
        accounts,
        admission,
        ground.bus,
        endings,
        identity_provider(ground.oidc),
        proxy_sign_out=ground.forward_auth.sign_out_path,
    )
    forwarded = ForwardedSignIn(db, ground.forward_auth, audit, accounts, admission, endings)
    resets = ResetService(db, audit, passwords, ground.ports, endings)
    registry.provide(GroupService, groups)
    registry.provide(AccountService, accounts)
    registry.provide(ApiKeyService, api_keys)
    registry.provide(PeopleService, people)
    registry.provide(ProviderSignIn, provider_sign_in)
    registry.provide(ForwardedSignIn, forwarded)
    registry.provide(ForwardedKeys, ForwardedKeys(forwarded.accept_key))
    csrf = CsrfTokens.under(ground.keys)
    own_password = OwnPasswordService(db, audit, passwords, ground.bus, csrf, endings)
    registry.provide(Endings, endings)
    registry.provide(OwnPasswordService, own_password)
    registry.provide(ResetService, resets)
    registry.provide(Erasures, erasures)
    registry.provide(OwnErasureService, OwnErasureService(db, audit, passwords, erasures))
    registry.provide(DeviceService, DeviceService(db, security, audit, ground.bus, endings))
    registry.provide(Authentication, Authentication(accounts.authenticate, accounts.check_csrf))
    return AccountServices(groups, accounts, api_keys, people, resets, provider_sign_in, erasures)


def identity_provider(settings: OidcSettings) -> IdentityProvider | None:
    """The provider that the settings name, if they name one; nothing is asked of it yet."""
    if not settings.issuer:
        return None
    # Signatures and claims take a fifth of the time of a start: only who has a provider pays.
    from youworker_app.gateways.oidc.provider import OidcProvider, ProviderClient

    needed = {settings.username_claim}
    if settings.root_value:
        needed.add(settings.root_claim)
    client = ProviderClient(
        settings.issuer,
        settings.client_id,
        settings.client_secret.get_secret_value(),
        settings.scopes,
        frozenset(needed),
        settings.timeout_s,
        settings.ca_file,
    )
    return OidcProvider(client)
