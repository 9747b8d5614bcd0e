"""All SQL of who people are elsewhere, and of the sign-ins that began there."""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, or_, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from youworker_app.access.repository import Repository
from youworker_app.access.visible import SystemReason, system_scope, visible
from youworker_app.accounts.schemas import IdentityView, KnownIdentity, ProviderLogin
from youworker_app.core.db import UnitOfWork
from youworker_app.core.errors import ChangedMeanwhile
from youworker_app.models.accounts import ApiKey, Identity, LoginSession, ProviderSession, User


class Doorway:
    """What is asked before there is an actor: whose identity it is, and what the provider says of them."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._session = unit.session

    async def find_identity(self, issuer: str, subject: str) -> KnownIdentity | None:
        """Whose this is. Nothing else about a person is looked at: names and addresses can be had by others."""
        statement = (
            select(col(Identity.id), col(User.id), col(User.is_active))
            .join(User, col(User.id) == col(Identity.user_id))
            .where(col(Identity.issuer) == issuer, col(Identity.subject) == subject)
        )
        row = (await self._session.execute(system_scope(statement, SystemReason.AUTHENTICATE))).one_or_none()
        return KnownIdentity(*row) if row else None

    async def add_identity(self, user_id: str, issuer: str, subject: str) -> KnownIdentity:
        """Makes an active person known by it. Raises ChangedMeanwhile when it has become somebody's."""
        row = Identity(user_id=user_id, issuer=issuer, subject=subject)
        self._session.add(row)
        try:
            await self._session.flush()
        except IntegrityError as error:
            raise ChangedMeanwhile from error
        return KnownIdentity(row.id, user_id, is_active=True)

    async def with_identities(self, user_ids: Sequence[str]) -> frozenset[str]:
        """Who of these people can sign in at a provider."""
        statement = select(col(Identity.user_id)).where(col(Identity.user_id).in_(user_ids))
        found = await self._session.execute(system_scope(statement, SystemReason.AUTHENTICATE))
        return frozenset(found.scalars())

    async def key_owner(self, key_hash: str) -> str | None:
        """Whose key this is."""
        statement = select(col(ApiKey.owner_id)).where(col(ApiKey.key_hash) == key_hash)
        found = await self._session.execute(system_scope(statement, SystemReason.AUTHENTICATE))
        return found.scalar_one_or_none()

    async def set_root(self, user_id: str, *, is_root: bool) -> bool:
        """Makes an administrator or ends that; whether it changed anything. The last one who can sign in stays."""
        statement = select(User).where(or_(col(User.is_root), col(User.id) == user_id)).order_by(col(User.id))
        held = system_scope(statement.with_for_update(), SystemReason.AUTHENTICATE)
        rows = {row.id: row for row in (await self._session.execute(held)).scalars()}
        row = rows[user_id]
        others = [each for each in rows.values() if each.is_root and each.is_active and each.id != user_id]
        if row.is_root == is_root or not (is_root or others):
            return False
        row.is_root = is_root
        await self._session.flush()
        return True

    async def end_sessions(self, issuer: str, subject: str, provider_session: str) -> Mapping[str, str]:
        """Ends the login sessions that began at the provider in that session there, or in any; whose each was."""
        statement = (
            select(col(ProviderSession.login_session_id), col(Identity.user_id))
            .join(Identity, col(Identity.id) == col(ProviderSession.identity_id))
            .where(col(Identity.issuer) == issuer)
        )
        if subject:
            statement = statement.where(col(Identity.subject) == subject)
        if provider_session:
            statement = statement.where(col(ProviderSession.provider_session) == provider_session)
        found = (await self._session.execute(system_scope(statement, SystemReason.AUTHENTICATE))).all()
        ended = delete(LoginSession).where(col(LoginSession.id).in_([each[0] for each in found]))
        await self._session.execute(system_scope(ended, SystemReason.AUTHENTICATE))
        return {each[0]: each[1] for each in found}


class IdentityRepository(Repository):
    """One's own."""

    async def list_identities(self) -> tuple[IdentityView, ...]:
        """Oldest first."""
        statement = visible(Identity, self._actor).order_by(col(Identity.created_at), col(Identity.id))
        rows = (await self._session.execute(statement)).scalars()
        return tuple(IdentityView(row.id, row.issuer, row.created_at) for row in rows)

    async def find_login(self) -> ProviderLogin | None:
        """What belongs to the session that the actor came with, if that began at a provider."""
        statement = visible(ProviderSession, self._actor, joined=(Identity,)).where(
            col(ProviderSession.login_session_id) == self._actor.credential_id,
            col(Identity.id) == col(ProviderSession.identity_id),
        )
        found = (await self._session.execute(statement.add_columns(col(Identity.issuer)))).one_or_none()
        return ProviderLogin(found[1], found[0].sealed_token) if found else None

    def add_login(
        self, session_id: str, identity_id: str, provider_session: str, sealed_token: bytes
    ) -> None:
        """The session began there."""
        self.add(
            ProviderSession(
                login_session_id=session_id,
                identity_id=identity_id,
                provider_session=provider_session,
                sealed_token=sealed_token,
            )
        )
