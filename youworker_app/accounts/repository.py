"""All SQL of people and their sessions. API keys: key_repository.py."""

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, tuple_
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlmodel import col

from youworker_app.access.actor import Actor
from youworker_app.access.authenticate import touch
from youworker_app.access.permissions import RootOnly
from youworker_app.access.repository import Repository
from youworker_app.access.visible import (
    SystemReason,
    delete_visible,
    system_scope,
    update_visible,
    visible,
)
from youworker_app.accounts.browsers import browser_name, system_name
from youworker_app.accounts.errors import AlreadySetUp, LastRoot, UsernameTaken
from youworker_app.accounts.schemas import (
    ChangeUser,
    Client,
    DeviceView,
    KnownReset,
    KnownUser,
    NewUser,
    UserView,
)
from youworker_app.core.clock import now
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.errors import ChangedMeanwhile, DependencyAway, NotFound
from youworker_app.core.names import is_plain_text, name_key
from youworker_app.core.telemetry import get_logger
from youworker_app.models.accounts import (
    EncryptionKey,
    Identity,
    InstallationFact,
    LoginSession,
    ProviderSession,
    User,
)

log = get_logger(__name__)


class Entrance:
    """What is asked before there is an actor: names, the first account, facts about the installation."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._session = unit.session

    async def find_user(self, username: str) -> KnownUser | None:
        """The person of this name, however it is written."""
        statement = select(User).where(col(User.username_key) == name_key(username))
        row = (await self._session.execute(system_scope(statement, SystemReason.SETUP))).scalar_one_or_none()
        return KnownUser(row.id, row.password_hash, row.is_active) if row else None

    async def find_reset(self, reset_hash: str, *, holds: bool = False) -> KnownReset | None:
        """Whose link this is, if it opens still; `holds` keeps it so until the unit ends."""
        statement = select(User).where(
            col(User.reset_hash) == reset_hash,
            col(User.reset_expires_at) > now(),
            col(User.is_active).is_(True),
        )
        if holds:
            statement = statement.with_for_update()
        row = (await self._session.execute(system_scope(statement, SystemReason.SETUP))).scalar_one_or_none()
        return KnownReset(row.id, row.username) if row else None

    async def fact(self, name: str) -> str | None:
        """A fact's value, or None."""
        row = await self._fact(name)
        return row.value if row else None

    async def set_fact(self, name: str, value: str) -> None:
        """Writes a fact, new or changed."""
        row = await self._fact(name)
        if row is None:
            self._session.add(InstallationFact(name=name, value=value))
        else:
            row.value, row.created_at = value, now()

    async def claim_root(self) -> None:
        """Only one transaction ever gets through here. Raises AlreadySetUp in every other."""
        self._session.add(InstallationFact(name="root_user", value=now().isoformat()))
        try:
            await self._session.flush()
        except IntegrityError as error:
            raise AlreadySetUp from error

    async def forget_fact(self, name: str) -> None:
        """Takes a fact away."""
        statement = delete(InstallationFact).where(col(InstallationFact.name) == name)
        await self._session.execute(system_scope(statement, SystemReason.SETUP))

    async def add_user(self, new: NewUser) -> UserView:
        """A new person with a key of their own; the caller has asked `require()`. Raises UsernameTaken."""
        key = EncryptionKey(purpose="user", wrapped=new.wrapped_key)
        self._session.add(key)
        await self._session.flush()
        user = User(
            username=new.username,
            username_key=name_key(new.username),
            password_hash=new.password_hash,
            is_root=new.is_root,
            key_id=key.id,
        )
        self._session.add(user)
        try:
            await self._session.flush()
        except IntegrityError as error:
            raise UsernameTaken from error
        return _user_view(user)

    async def _fact(self, name: str) -> InstallationFact | None:
        statement = select(InstallationFact).where(col(InstallationFact.name) == name)
        return (await self._session.execute(system_scope(statement, SystemReason.SETUP))).scalar_one_or_none()


class AccountRepository(Repository):
    """One's own account; for root, everybody's."""

    async def own(self) -> UserView:
        """The actor's own account. Raises NotFound when it is gone."""
        return _user_view(await self._get(User, self._actor.user_id))

    async def change_own(self, **values: str | None) -> UserView:
        """Sets columns of the actor's own row."""
        row = await self._get(User, self._actor.user_id)
        for name, value in values.items():
            setattr(row, name, value)
        return _user_view(row)

    async def own_password(self) -> str | None:
        """The hash of the actor's password; None for somebody who has none."""
        return (await self._get(User, self._actor.user_id)).password_hash

    async def still_opens(self, password_hash: str | None) -> bool:
        """Whether this is the actor's password still. Holds it so until the unit ends."""
        statement = visible(User, self._actor).where(col(User.id) == self._actor.user_id)
        row = (await self._session.execute(statement.with_for_update())).scalar_one_or_none()
        return row is not None and row.password_hash == password_hash

    async def change_password(self, known: str | None, password_hash: str) -> None:
        """Sets the actor's password where it is the known one still. Raises ChangedMeanwhile."""
        if not await self.still_opens(known):
            raise ChangedMeanwhile
        await self.change_own(password_hash=password_hash, reset_hash=None, reset_expires_at=None)

    async def set_reset(self, user_id: str, reset_hash: str, expires_at: datetime) -> str:
        """Remembers a link's hash in place of any earlier one; the person's name. Raises NotFound, RootOnly."""
        row = await self._held(user_id, is_leaving=False)
        row.reset_hash, row.reset_expires_at = reset_hash, expires_at
        return row.username

    async def list_users(
        self, after: tuple[datetime, str] | None, limit: int, query: str
    ) -> tuple[UserView, ...]:
        """Those with `query` in their name, oldest first, `limit` + 1 at most."""
        statement = visible(User, self._actor).order_by(col(User.created_at), col(User.id)).limit(limit + 1)
        if query:
            statement = statement.where(col(User.username_key).contains(name_key(query), autoescape=True))
        if after is not None:
            statement = statement.where(tuple_(col(User.created_at), col(User.id)) > after)
        return tuple(_user_view(row) for row in (await self._session.execute(statement)).scalars())

    async def change_user(self, user_id: str, wanted: ChangeUser) -> UserView:
        """Suspends, restores, makes an administrator or ends that, holds or releases. Raises as `lock` does."""
        row = await self._held(user_id, is_leaving=False in (wanted.is_active, wanted.is_root))
        if wanted.is_active is not None:
            row.is_active = wanted.is_active
        if wanted.is_root is not None:
            row.is_root = wanted.is_root
        if wanted.is_held is not None:
            row.held_at = (row.held_at or now()) if wanted.is_held else None
        return _user_view(row)

    async def lock(self, user_id: str) -> None:
        """Keeps a person who is about to go, so that nothing new is written in their name until the unit ends.

        Raises NotFound, LastRoot, and RootOnly when the actor has been no administrator for a moment.
        """
        await self._held(user_id, is_leaving=True)

    async def lock_own(self) -> None:
        """The same for the actor's own account. Raises NotFound, LastRoot."""
        rows = await self._with_roots(self._actor.user_id)
        if self._actor.user_id not in rows:
            raise NotFound
        _require_another_root(rows, self._actor.user_id)

    async def is_freshly_signed_in(self, within: timedelta) -> bool:
        """Whether the session that the actor came with began so short a time ago."""
        statement = visible(LoginSession, self._actor).where(
            col(LoginSession.id) == self._actor.credential_id, col(LoginSession.created_at) > now() - within
        )
        return (await self._session.execute(statement)).scalar_one_or_none() is not None

    async def _held(self, user_id: str, *, is_leaving: bool) -> User:
        if not is_plain_text(user_id):
            raise NotFound
        rows = await self._with_roots(user_id)
        if self._actor.user_id not in _roots(rows):
            raise RootOnly
        if user_id not in rows:
            raise NotFound
        if is_leaving:
            _require_another_root(rows, user_id)
        return rows[user_id]

    async def _with_roots(self, user_id: str) -> dict[str, User]:
        """The person and the administrators, kept: two who remove each other at once come one after the other."""
        statement = visible(User, self._actor).where(or_(col(User.is_root), col(User.id) == user_id))
        found = await self._session.execute(statement.order_by(col(User.id)).with_for_update())
        return {row.id: row for row in found.scalars()}

    def add_session(self, token_hash: str, client: Client, expires_at: datetime) -> str:
        """A new signed-in browser; its id."""
        row = LoginSession(
            token_hash=token_hash,
            user_id=self._actor.user_id,
            user_agent=_printable(client.user_agent)[:256],
            address=_printable(client.address)[:64],
            expires_at=expires_at,
        )
        self.add(row)
        return row.id

    async def delete_session(self, session_id: str) -> None:
        """Ends one of the actor's own sessions, if it is there."""
        await self._session.execute(
            delete_visible(LoginSession, self._actor).where(col(LoginSession.id) == session_id)
        )

    async def list_sessions(self, idle: timedelta) -> tuple[DeviceView, ...]:
        """The actor's sessions that open something still, last seen first."""
        moment = now()
        statement = (
            visible(LoginSession, self._actor)
            .where(col(LoginSession.expires_at) > moment, col(LoginSession.last_seen_at) > moment - idle)
            .order_by(col(LoginSession.last_seen_at).desc(), col(LoginSession.id))
        )
        found = (await self._session.execute(statement)).scalars()
        return tuple(_device_view(row, self._actor.credential_id) for row in found)

    async def list_identities(self) -> tuple[dict[str, object], ...]:
        """By which providers the actor signs in, and who they are there."""
        statement = visible(Identity, self._actor).order_by(col(Identity.created_at))
        found = (await self._session.execute(statement)).scalars()
        return tuple(
            {"issuer": row.issuer, "subject": row.subject, "created_at": row.created_at} for row in found
        )

    async def list_all_sessions(self) -> tuple[DeviceView, ...]:
        """All of the actor's sessions, oldest first."""
        statement = visible(LoginSession, self._actor).order_by(col(LoginSession.created_at))
        found = (await self._session.execute(statement)).scalars()
        return tuple(_device_view(row, self._actor.credential_id) for row in found)

    async def end_session(self, session_id: str) -> None:
        """Ends one of the actor's sessions. Raises NotFound."""
        await self._session.delete(await self._get(LoginSession, session_id))

    async def end_other_sessions(self) -> tuple[str, ...]:
        """Ends the actor's sessions but the one that they came with; their ids."""
        others = col(LoginSession.id) != self._actor.credential_id
        statement = visible(LoginSession, self._actor).where(others).order_by(col(LoginSession.id))
        ended = tuple(row.id for row in (await self._session.execute(statement.with_for_update())).scalars())
        await self._session.execute(
            delete_visible(LoginSession, self._actor).where(col(LoginSession.id).in_(ended))
        )
        return ended

    async def renew_session(self, token_hash: str) -> datetime | None:
        """The session that the actor came with under another id and token; until when. None for who came with a key."""
        old = await self._find(LoginSession, self._actor.credential_id)
        if old is None:
            return None
        kept = old.model_dump(include={"user_id", "user_agent", "address", "created_at", "expires_at"})
        new = LoginSession(token_hash=token_hash, **kept)
        self.add(new)
        await self.flush()
        # One that began at a provider has to end there too.
        began_there = col(ProviderSession.login_session_id) == old.id
        moved = update_visible(ProviderSession, self._actor).where(began_there)
        await self._session.execute(moved.values(login_session_id=new.id))
        await self._session.delete(old)
        return old.expires_at

    async def delete_ended_sessions(self) -> None:
        """Takes away those of the actor's sessions that have run out."""
        statement = delete_visible(LoginSession, self._actor).where(col(LoginSession.expires_at) <= now())
        await self._session.execute(statement)


async def touch_quietly(database: Database, actor: Actor) -> None:
    """Writes when a credential was last used; a database that cannot take it now fails no request."""
    try:
        async with database.write() as unit:
            await touch(unit, actor)
    except (DependencyAway, SQLAlchemyError):
        log.warning("touch_failed", credential_id=actor.credential_id, exc_info=True)


def _roots(rows: dict[str, User]) -> set[str]:
    return {row.id for row in rows.values() if row.is_root and row.is_active}


def _require_another_root(rows: dict[str, User], user_id: str) -> None:
    if _roots(rows) == {user_id}:
        raise LastRoot


def _user_view(row: User) -> UserView:
    return UserView(
        row.id,
        row.username,
        row.is_root,
        row.is_active,
        row.language,
        row.theme,
        row.created_at,
        row.password_hash is not None,
        row.held_at is not None,
    )


def _device_view(row: LoginSession, current_id: str) -> DeviceView:
    return DeviceView(
        row.id,
        browser_name(row.user_agent),
        system_name(row.user_agent),
        row.address,
        row.created_at,
        row.last_seen_at,
        row.expires_at,
        row.id == current_id,
    )


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
