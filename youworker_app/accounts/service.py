"""Setup, sign-in, sessions and one's own account: the use cases. Keys: api_keys.py; everybody's accounts: people.py.

Owns the order of checks. A failed sign-in looks the same, and takes the same work, whatever was wrong.
"""

import hmac
from datetime import timedelta
from functools import partial
from typing import Final

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.access.authenticate import actor_for_user, enter_by_key, enter_by_session
from youworker_app.accounts.csrf import CsrfTokens
from youworker_app.accounts.errors import (
    AlreadySetUp,
    PreferenceUnknown,
    SetupTokenWrong,
    SignInFailed,
)
from youworker_app.accounts.known_devices import KnownDevices
from youworker_app.accounts.newcomers import Newcomers
from youworker_app.accounts.passwords import Passwords
from youworker_app.accounts.repository import AccountRepository, Entrance, touch_quietly
from youworker_app.accounts.schemas import (
    CHOICES,
    Carrier,
    Client,
    CreateUser,
    Credential,
    KnownUser,
    MeView,
    Preferences,
    SignedIn,
    UserView,
)
from youworker_app.accounts.slowdown import Slowdown
from youworker_app.audit.service import AuditService
from youworker_app.core.clock import now
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.endings import Endings
from youworker_app.core.ids import new_token, token_hash
from youworker_app.core.keys import DataKeys
from youworker_app.core.names import name_key, visible_name
from youworker_app.core.settings import SecuritySettings
from youworker_app.groups.schemas import GroupView
from youworker_app.groups.service import GroupService

_LONGEST_ATTEMPT: Final = 256
_ROOT_FACT: Final = "root_user"
_SETUP_FACT: Final = "setup_token"


class AccountService:
    """Who people are and how they prove it."""

    def __init__(
        self,
        db: Database,
        keys: DataKeys,
        settings: SecuritySettings,
        audit: AuditService,
        groups: GroupService,
        passwords: Passwords,
        endings: Endings,
    ) -> None:
        self._db, self._settings, self._audit, self._groups = db, settings, audit, groups
        self._endings = endings
        self._passwords, self._newcomers = passwords, Newcomers(passwords, keys)
        self._slowdown, self._known = Slowdown(), KnownDevices(keys.derive("devices"))
        self._csrf = CsrfTokens.under(keys)
        self._touching: set[str] = set()

    # --- the first account

    async def needs_setup(self) -> bool:
        """Whether there is no first account yet."""
        async with self._db.read() as unit:
            return await Entrance(unit).fact(_ROOT_FACT) is None

    async def issue_setup_token(self) -> str | None:
        """A new one-time token for the first account, in place of any earlier one; None when there is an account."""
        token = new_token()
        async with self._db.write() as unit:
            entrance = Entrance(unit)
            if await entrance.fact(_ROOT_FACT) is not None:
                return None
            await entrance.set_fact(_SETUP_FACT, token_hash(token))
        return token

    async def set_up(self, setup_token: str, username: str, password: str, client: Client) -> SignedIn:
        """Makes the first account and signs it in. However many ask at once, one wins.

        Raises AlreadySetUp, SetupTokenWrong, UsernameNotUsable, PasswordTooShort, PasswordTooLong, PasswordTooCommon.
        """
        async with self._db.read() as unit:
            await self._check_setup(Entrance(unit), setup_token)
        new = await self._newcomers.prepare(CreateUser(username, password, is_root=True))
        async with self._db.write() as unit:
            entrance = Entrance(unit)
            await entrance.claim_root()
            await self._check_token(entrance, setup_token)
            await entrance.forget_fact(_SETUP_FACT)
            user = await entrance.add_user(new)
            actor = await actor_for_user(unit, user.id)
            await self._audit.record(unit, actor, "user.created", resource_type="user", resource_id=user.id)
            return await self.open_session(unit, actor, client)

    async def _check_setup(self, entrance: Entrance, setup_token: str) -> None:
        # The token goes in the transaction in which root comes: in this order, a winner between the two reads is seen.
        expected = await entrance.fact(_SETUP_FACT)
        if await entrance.fact(_ROOT_FACT) is not None:
            raise AlreadySetUp
        self._compare(expected, setup_token)

    async def _check_token(self, entrance: Entrance, setup_token: str) -> None:
        self._compare(await entrance.fact(_SETUP_FACT), setup_token)

    @staticmethod
    def _compare(expected: str | None, setup_token: str) -> None:
        if not hmac.compare_digest(expected or "", token_hash(setup_token)):
            raise SetupTokenWrong

    # --- signing in and out

    async def sign_in(self, username: str, password: str, client: Client) -> SignedIn:
        """Opens a session. Raises SignInFailed for whatever was wrong, TooManyAttempts after some failures."""
        name = name_key(username[:_LONGEST_ATTEMPT])
        device = self._known.recognise(client.device, name)
        async with self._slowdown.attempt(name, client.address, device) as attempt:
            known = await self._verified(username, password)
            if known is None:
                attempt.failed()
                raise SignInFailed
            attempt.succeeded()
        renewed = await self._passwords.renewed(known.password_hash, password)
        async with self._db.write() as unit:
            actor = await actor_for_user(unit, known.id)
            # Changed since it was compared: who knew the old one must not stay behind with a session.
            if not await AccountRepository(unit, actor).still_opens(known.password_hash):
                raise SignInFailed
            if renewed:
                await AccountRepository(unit, actor).change_own(password_hash=renewed)
            return await self.open_session(unit, actor, client)

    async def _verified(self, username: str, password: str) -> KnownUser | None:
        """The active person whose name and password these are."""
        name = visible_name(username)
        async with self._db.read() as unit:
            known = await Entrance(unit).find_user(name) if name else None
        matches = await self._passwords.verify(known.password_hash if known else None, password)
        if known and matches and known.is_active:
            return known
        async with self._db.write() as unit:
            who = known.id if known else ""
            await self._audit.record(
                unit, None, "session.refused", resource_type="user", resource_id=who, outcome="refused"
            )
        return None

    async def open_session(
        self, unit: UnitOfWork, actor: Actor, client: Client, *, provider: str = ""
    ) -> SignedIn:
        """A session for who has proved who they are, in this unit: here, or at `provider`."""
        token, expires_at = new_token(), now() + timedelta(days=self._settings.session_days)
        repository = AccountRepository(unit, actor)
        await repository.delete_ended_sessions()
        session_id = repository.add_session(token_hash(token), client, expires_at)
        await self._audit.record(
            unit,
            actor,
            "session.created",
            resource_type="session",
            resource_id=session_id,
            details={"provider": provider} if provider else {},
        )
        user = await repository.own()
        device = self.vouch(client.device, user.username)
        return SignedIn(user, token, self._csrf.for_session(token), expires_at, device, session_id)

    def vouch(self, device: str, username: str) -> str:
        """The cookie of a browser from which this person has proved who they are."""
        return self._known.vouch(device, name_key(username))

    async def authenticate(self, credential: Credential) -> Actor:
        """The person behind a cookie's secret or a key, as they stand now. Raises Unauthenticated."""
        async with self._db.read() as unit:
            if credential.carrier is Carrier.COOKIE:
                idle = timedelta(hours=self._settings.session_idle_hours)
                entered = await enter_by_session(unit, credential.secret, idle=idle)
            else:
                entered = await enter_by_key(unit, credential.secret)
        actor = entered.actor
        if entered.is_stale and actor.credential_id not in self._touching:
            self._touching.add(actor.credential_id)
            try:
                await touch_quietly(self._db, actor)
            finally:
                self._touching.discard(actor.credential_id)
        return actor

    async def sign_out(self, actor: Actor) -> None:
        """Ends the session that the actor came with, in all its tabs; an API key has none."""
        if actor.scopes is not None:
            return
        async with self._db.write() as unit:
            await AccountRepository(unit, actor).delete_session(actor.credential_id)
            await self._audit.record(
                unit, actor, "session.ended", resource_type="session", resource_id=actor.credential_id
            )
            unit.after_commit(partial(self._endings.end, actor.credential_id))

    def csrf_token(self, session_secret: str) -> str:
        """The token that writes with this session's cookie must carry."""
        return self._csrf.for_session(session_secret)

    def check_csrf(self, session_secret: str, presented: str) -> None:
        """Raises CsrfMismatch."""
        self._csrf.check_session(session_secret, presented)

    def presession_csrf(self, cookie_value: str | None = None) -> tuple[str, str]:
        """(cookie, form token) for a form before there is a session; keeps a cookie that is there already."""
        return self._csrf.for_form(cookie_value)

    def check_presession(self, cookie_value: str, form_token: str) -> None:
        """Raises CsrfMismatch."""
        self._csrf.check_form(cookie_value, form_token)

    # --- one's own account

    async def me(self, actor: Actor) -> MeView:
        """Who the actor is; their groups only if the key may read groups."""
        async with self._db.read() as unit:
            user = await AccountRepository(unit, actor).own()
        may_read = actor.scopes is None or Scope.GROUPS_READ in actor.scopes
        groups = await self._groups.list_mine(actor) if may_read else ()
        return _me(user, groups)

    async def set_preferences(self, actor: Actor, wanted: Preferences) -> MeView:
        """Changes what is given. Raises PreferenceUnknown."""
        require_scope(actor, Scope.ADMIN)
        given = {"language": wanted.language, "theme": wanted.theme}
        values = {name: value for name, value in given.items() if value is not None}
        for name, value in values.items():
            if value not in CHOICES[name]:
                raise PreferenceUnknown(preference=name)
        async with self._db.write() as unit:
            await AccountRepository(unit, actor).change_own(**values)
            await self._audit.record(
                unit, actor, "account.changed", resource_type="user", resource_id=actor.user_id
            )
        return await self.me(actor)


def _me(user: UserView, groups: tuple[GroupView, ...]) -> MeView:
    return MeView(user.id, user.username, user.is_root, user.language, user.theme, groups, user.has_password)
