"""Signing in at the company's provider. A person is known by issuer and subject alone, never by a name or an address."""

from functools import partial

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.access.authenticate import actor_for_user
from youworker_app.accounts.admission import Admission, DoorRules, Proved
from youworker_app.accounts.errors import AccountSuspended, PersonNotInvited, SetupFirst
from youworker_app.accounts.identity_repository import Doorway, IdentityRepository
from youworker_app.accounts.pending import Pending, PendingSignIns
from youworker_app.accounts.repository import AccountRepository
from youworker_app.accounts.schemas import (
    Arrived,
    Client,
    Doors,
    Leaving,
    SignedIn,
)
from youworker_app.accounts.service import AccountService
from youworker_app.audit.service import AuditService
from youworker_app.core.crypto import DecryptionFailed, open_sealed, seal
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.endings import Endings
from youworker_app.core.errors import AppError, DependencyAway, NotFound
from youworker_app.core.events import Event, EventBus, user_topic
from youworker_app.core.keys import DataKeys
from youworker_app.core.settings import OidcSettings
from youworker_app.core.telemetry import get_logger
from youworker_app.gateways.oidc.protocol import (
    Arrival,
    IdentityProvider,
    Proof,
    ProviderAnswerWrong,
    ProviderRefused,
)

log = get_logger(__name__)


class ProviderSignIn:
    """The door of one provider; without one there is no such door. `proxy_sign_out`: where people of a proxy sign out of it."""

    def __init__(
        self,
        db: Database,
        keys: DataKeys,
        settings: OidcSettings,
        audit: AuditService,
        accounts: AccountService,
        admission: Admission,
        bus: EventBus,
        endings: Endings,
        provider: IdentityProvider | None,
        *,
        proxy_sign_out: str = "",
    ) -> None:
        self._db, self._settings, self._audit, self._accounts = db, settings, audit, accounts
        self._admission, self._provider = admission, provider
        self._bus, self._endings, self._proxy_sign_out = bus, endings, proxy_sign_out
        self._rules = DoorRules(
            settings.username_claim, settings.root_claim, settings.root_value, settings.creates_people
        )
        self._pending = PendingSignIns(keys.derive("provider-sign-in"))
        self._key = keys.derive("id-tokens")

    async def begin(self, redirect_uri: str, next_path: str, invite: str = "") -> Leaving:
        """Where the browser goes to prove who its person is, and the cookie that it comes back with.

        Raises NotFound where there is no provider, SetupFirst, ProviderAway, ProviderAnswerWrong.
        """
        provider = self._door()
        if await self._accounts.needs_setup():
            raise SetupFirst
        departure = await provider.begin(redirect_uri)
        return Leaving(departure.address, self._pending.seal(Pending(departure.journey, next_path, invite)))

    async def arrive(self, cookie: str, arrival: Arrival, client: Client) -> Arrived:
        """Opens a session for whom the provider proves. Each begun sign-in ends here once, however it ends.

        Raises NotFound, ProviderSignInStale, ProviderAway, ProviderAnswerWrong, ProviderRefused, PersonNotInvited,
        AccountSuspended.
        """
        provider = self._door()
        pending = self._pending.redeem(cookie, arrival.state)
        try:
            proof = await provider.finish(pending.journey, arrival)
            signed_in = await self._let_in(proof, pending, client)
        except (ProviderAnswerWrong, ProviderRefused) as error:
            log.warning("provider_sign_in_refused", code=error.code, reason=error.reason)
            self._refused(error)
            raise
        except (PersonNotInvited, AccountSuspended) as error:
            self._refused(error)
            raise
        return Arrived(signed_in, pending.next)

    async def sign_out(self, actor: Actor, return_to: str) -> str:
        """Ends the actor's session, and says where the browser ends that at the provider, or nothing.

        The session here ends whatever the provider does.
        """
        async with self._db.read() as unit:
            login = await IdentityRepository(unit, actor).find_login()
        await self._accounts.sign_out(actor)
        if login is not None and not login.sealed_token:
            return self._proxy_sign_out
        if self._provider is None or login is None or not self._is_of(login.issuer):
            return ""
        try:
            token = open_sealed(self._key, login.sealed_token, login.issuer.encode()).decode()
            return await self._provider.sign_out_address(token, return_to)
        except (DependencyAway, DecryptionFailed, ProviderAnswerWrong) as error:
            log.warning("provider_sign_out_left_out", code=error.code)
            return ""

    async def hear_sign_out(self, logout_token: str) -> None:
        """Ends the sessions of somebody who signed out at the provider. Raises NotFound, ProviderAway, ProviderAnswerWrong."""
        told = await self._door().read_farewell(logout_token)
        async with self._db.write() as unit:
            ended = await Doorway(unit).end_sessions(told.issuer, told.subject, told.session_id)
            unit.after_commit(partial(self._endings.end, *ended))
            people = sorted(set(ended.values()))
            for user_id in people:
                await self._audit.record(
                    unit,
                    None,
                    "sessions.ended",
                    resource_type="user",
                    resource_id=user_id,
                    details={"provider": told.issuer},
                )
        for user_id in people:
            self._bus.publish(user_topic(user_id), Event("sessions_changed"))

    async def list_doors(self, actor: Actor) -> Doors:
        """How the actor can sign in. A key needs the admin scope."""
        require_scope(actor, Scope.ADMIN)
        async with self._db.read() as unit:
            has_password = await AccountRepository(unit, actor).own_password() is not None
            return Doors(has_password, await IdentityRepository(unit, actor).list_identities())

    async def close(self) -> None:
        """Lets go of the connections to the provider."""
        if self._provider is not None:
            await self._provider.close()

    async def _let_in(self, proof: Proof, pending: Pending, client: Client) -> SignedIn:
        who = Proved(proof.issuer, proof.subject, proof.claims)

        async def step(unit: UnitOfWork) -> SignedIn:
            known = await self._admission.recognise(unit, who, self._rules, pending.invite)
            actor = await actor_for_user(unit, known.user_id)
            signed_in = await self._accounts.open_session(unit, actor, client, provider=proof.issuer)
            sealed = seal(self._key, proof.id_token.encode(), proof.issuer.encode())
            logins = IdentityRepository(unit, actor)
            logins.add_login(signed_in.session_id, known.id, proof.session_id, sealed)
            return signed_in

        return await self._admission.repeatedly(step)

    def _door(self) -> IdentityProvider:
        if self._provider is None:
            raise NotFound
        return self._provider

    def _is_of(self, issuer: str) -> bool:
        return issuer.rstrip("/") == self._settings.issuer.rstrip("/")

    def _refused(self, error: AppError) -> None:
        details = {"provider": self._settings.issuer, "code": error.code}
        self._audit.note(None, "session.refused", resource_type="user", outcome="refused", details=details)
