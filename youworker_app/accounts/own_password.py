"""Changing one's own password: the present one is asked for, whoever is signed in elsewhere is signed out."""

from functools import partial

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.accounts.csrf import CsrfTokens
from youworker_app.accounts.errors import PresentPasswordWrong
from youworker_app.accounts.passwords import Passwords
from youworker_app.accounts.repository import AccountRepository
from youworker_app.accounts.schemas import NewSession
from youworker_app.accounts.slowdown import Slowdown
from youworker_app.audit.service import AuditService
from youworker_app.core.db import Database
from youworker_app.core.endings import Endings
from youworker_app.core.events import Event, EventBus, user_topic
from youworker_app.core.ids import new_token, token_hash


class OwnPasswordService:
    """The actor's own password. Guessing the present one is slowed down as signing in is, but on its own count."""

    def __init__(
        self,
        db: Database,
        audit: AuditService,
        passwords: Passwords,
        bus: EventBus,
        csrf: CsrfTokens,
        endings: Endings,
    ) -> None:
        self._db, self._audit, self._passwords, self._bus = db, audit, passwords, bus
        self._csrf, self._endings = csrf, endings
        self._slowdown = Slowdown()

    async def change_password(self, actor: Actor, present: str, new: str) -> NewSession | None:
        """Takes the new password; every other session of the actor's ends, and theirs goes on under another id and token.

        None for who asks with an API key. Keys live on: they are listed beside.

        Raises PresentPasswordWrong, TooManyAttempts, PasswordTooShort, PasswordTooLong, PasswordTooCommon, ChangedMeanwhile.
        """
        require_scope(actor, Scope.ADMIN)
        async with self._db.read() as unit:
            known = await AccountRepository(unit, actor).own_password()
        async with self._slowdown.attempt(actor.user_id, "") as attempt:
            if not await self._passwords.verify(known, present):
                attempt.failed()
                raise PresentPasswordWrong
            attempt.succeeded()
        self._passwords.check_new(new, actor.username)
        hashed, token = await self._passwords.hash(new), new_token()
        async with self._db.write() as unit:
            repository = AccountRepository(unit, actor)
            await repository.change_password(known, hashed)
            ended = await repository.end_other_sessions()
            expires_at = await repository.renew_session(token_hash(token))
            await self._audit.record(
                unit,
                actor,
                "password.changed",
                resource_type="user",
                resource_id=actor.user_id,
                details={"sessions": len(ended)},
            )
            unit.after_commit(partial(self._end, actor, ended, is_renewed=expires_at is not None))
        self._bus.publish(user_topic(actor.user_id), Event("sessions_changed"))
        if expires_at is None:
            return None
        return NewSession(token, self._csrf.for_session(token), expires_at)

    def _end(self, actor: Actor, ended: tuple[str, ...], *, is_renewed: bool) -> None:
        """Other tabs of this browser come again with the new cookie."""
        self._endings.end(*ended, *((actor.credential_id,) if is_renewed else ()))
