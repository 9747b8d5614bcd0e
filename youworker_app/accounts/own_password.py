"""Changing one's own password: the present one is asked for, and whoever is signed in elsewhere is signed out."""

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.accounts.errors import PresentPasswordWrong
from youworker_app.accounts.passwords import Passwords
from youworker_app.accounts.repository import AccountRepository
from youworker_app.accounts.slowdown import Slowdown
from youworker_app.audit.service import AuditService
from youworker_app.core.db import Database
from youworker_app.core.events import Event, EventBus, user_topic


class OwnPasswordService:
    """The actor's own password. Guessing the present one is slowed down as signing in is, but on its own count."""

    def __init__(self, db: Database, audit: AuditService, passwords: Passwords, bus: EventBus) -> None:
        self._db, self._audit, self._passwords, self._bus = db, audit, passwords, bus
        self._slowdown = Slowdown()

    async def change_password(self, actor: Actor, present: str, new: str) -> None:
        """Takes the new password; every session but the actor's ends. API keys live on: they are listed beside.

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
        hashed = await self._passwords.hash(new)
        async with self._db.write() as unit:
            repository = AccountRepository(unit, actor)
            await repository.change_password(known, hashed)
            ended = await repository.end_other_sessions()
            await self._audit.record(
                unit,
                actor,
                "password.changed",
                resource_type="user",
                resource_id=actor.user_id,
                details={"sessions": ended},
            )
        self._bus.publish(user_topic(actor.user_id), Event("sessions_changed"))
