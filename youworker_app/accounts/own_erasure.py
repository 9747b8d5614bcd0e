"""Erasing one's own account: with the password once more, or right after a sign-in."""

from datetime import timedelta
from typing import Final

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.accounts.erasures import Erasures
from youworker_app.accounts.errors import FreshSignInNeeded, NameNotConfirmed, PresentPasswordWrong
from youworker_app.accounts.passwords import Passwords
from youworker_app.accounts.repository import AccountRepository
from youworker_app.accounts.schemas import Erased
from youworker_app.accounts.slowdown import Slowdown
from youworker_app.audit.service import AuditService
from youworker_app.core.db import Database
from youworker_app.core.names import name_key, visible_name

FRESH: Final = timedelta(minutes=10)


def require_confirmed(typed: str, username: str) -> None:
    """Whoever erases themselves in the browser types their own name first. Raises NameNotConfirmed."""
    name = visible_name(typed)
    if name is None or name_key(name) != name_key(username):
        raise NameNotConfirmed


class OwnErasureService:
    """The actor's own end here. Guessing the password is slowed down as signing in is, but on its own count."""

    def __init__(self, db: Database, audit: AuditService, passwords: Passwords, erasures: Erasures) -> None:
        self._db, self._audit, self._passwords, self._erasures = db, audit, passwords, erasures
        self._slowdown = Slowdown()

    async def erase_account(self, actor: Actor, password: str) -> Erased:
        """Erases the actor for good; nothing opens in their name from then on. `password` "": they have just signed in.

        Raises PresentPasswordWrong, TooManyAttempts, FreshSignInNeeded (where there is no password), LastRoot, AccountHeld.
        """
        require_scope(actor, Scope.ADMIN)
        await self._prove(actor, password)
        async with self._db.write() as unit:
            await AccountRepository(unit, actor).lock_own()
            begun = await self._erasures.begin(unit, actor.user_id, is_own=True)
            await self._audit.record(
                unit, actor, "account.erasure_begun", resource_type="user", resource_id=actor.user_id
            )
        return await self._erasures.carry_out(begun, None)

    async def _prove(self, actor: Actor, password: str) -> None:
        async with self._db.read() as unit:
            repository = AccountRepository(unit, actor)
            known = await repository.own_password()
            is_fresh = await repository.is_freshly_signed_in(FRESH)
        if is_fresh and not password:
            return
        if known is None:
            raise FreshSignInNeeded(minutes=int(FRESH.total_seconds()) // 60)
        async with self._slowdown.attempt(actor.user_id, "") as attempt:
            if not await self._passwords.verify(known, password):
                attempt.failed()
                raise PresentPasswordWrong
            attempt.succeeded()
