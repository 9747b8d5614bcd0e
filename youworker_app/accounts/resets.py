"""A new password by a one-time link: root makes it, whoever has it chooses a password once. What follows is a sign-in anew."""

from datetime import timedelta
from functools import partial
from typing import Final

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.access.authenticate import actor_for_user
from youworker_app.access.permissions import Permission, require
from youworker_app.accounts.errors import ResetLinkWrong
from youworker_app.accounts.passwords import Passwords
from youworker_app.accounts.repository import AccountRepository, Entrance
from youworker_app.accounts.schemas import NewReset
from youworker_app.audit.service import AuditService
from youworker_app.core.clock import now
from youworker_app.core.db import Database
from youworker_app.core.endings import Endings
from youworker_app.core.ids import new_token, token_hash
from youworker_app.core.names import is_plain_text
from youworker_app.core.ports import Ports

LINK_LIFE: Final = timedelta(hours=24)


class ResetService:
    """One link a person at a time; the newest counts. Only the hash of its token is kept."""

    def __init__(
        self, db: Database, audit: AuditService, passwords: Passwords, ports: Ports, endings: Endings
    ) -> None:
        self._db, self._audit, self._passwords = db, audit, passwords
        self._ports, self._endings = ports, endings

    async def issue_reset(self, actor: Actor, user_id: str) -> NewReset:
        """A link's token, readable this once, good for a day; the password stays what it is until then. Root only.

        Raises NotFound.
        """
        require_scope(actor, Scope.ADMIN)
        require(actor, Permission.ADMINISTER)
        token, expires_at = new_token(), now() + LINK_LIFE
        async with self._db.write() as unit:
            username = await AccountRepository(unit, actor).set_reset(user_id, token_hash(token), expires_at)
            await self._audit.record(
                unit, actor, "password.reset_issued", resource_type="user", resource_id=user_id
            )
        return NewReset(user_id, username, token, expires_at)

    async def reset_password(self, token: str, password: str) -> str:
        """Takes the new password and ends all that went on in the person's name: sessions, answers, other links. Their name.

        API keys live on. Raises ResetLinkWrong for a link that is unknown, used, run out, or of somebody suspended;
        PasswordTooShort, PasswordTooLong, PasswordTooCommon leave it as it is.
        """
        if not is_plain_text(token):
            raise ResetLinkWrong
        async with self._db.read() as unit:
            known = await Entrance(unit).find_reset(token_hash(token))
        if known is None:
            raise ResetLinkWrong
        self._passwords.check_new(password, known.username)
        hashed = await self._passwords.hash(password)
        async with self._db.write() as unit:
            if await Entrance(unit).find_reset(token_hash(token), holds=True) != known:
                raise ResetLinkWrong
            actor = await actor_for_user(unit, known.user_id)
            repository = AccountRepository(unit, actor)
            await repository.change_own(password_hash=hashed, reset_hash=None, reset_expires_at=None)
            ended = await repository.end_other_sessions()
            await self._audit.record(
                unit,
                actor,
                "password.reset",
                resource_type="user",
                resource_id=known.user_id,
                details={"sessions": len(ended)},
            )
            unit.after_commit(partial(self._endings.end, *ended))
            self._ports.stop_after(unit, known.user_id)
        await self._ports.settle()
        return known.username
