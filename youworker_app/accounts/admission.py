"""Letting in who has been proved elsewhere: a provider's person becomes one of ours, with the role that the claims give.

Known by issuer and subject alone, never by a name or an address.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

from youworker_app.access.authenticate import actor_for_user
from youworker_app.accounts.claims import has_value, other_names, suggested_name
from youworker_app.accounts.errors import AccountSuspended, PersonNotInvited, UsernameTaken
from youworker_app.accounts.identity_repository import Doorway
from youworker_app.accounts.newcomers import Newcomers
from youworker_app.accounts.repository import AccountRepository, Entrance
from youworker_app.accounts.schemas import CreateUser, KnownIdentity
from youworker_app.audit.service import AuditService
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.endings import Endings
from youworker_app.core.errors import ChangedMeanwhile
from youworker_app.core.ids import token_hash
from youworker_app.core.names import is_plain_text
from youworker_app.core.ports import Ports

T = TypeVar("T")

# Somebody else may take the same name, or the same person come in twice, between looking and writing.
_ATTEMPTS: Final = 5


@dataclass(frozen=True)
class Proved:
    """Who somebody is elsewhere, and what is told of them there."""

    issuer: str
    subject: str
    claims: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class DoorRules:
    """What a door makes of people. Without a `root_value` it makes and unmakes no administrator."""

    username_claim: str
    root_claim: str
    root_value: str
    creates_people: bool


class Admission:
    """Recognises people, and welcomes new ones."""

    def __init__(
        self, db: Database, audit: AuditService, newcomers: Newcomers, ports: Ports, endings: Endings
    ) -> None:
        self._db, self._audit, self._newcomers = db, audit, newcomers
        self._ports, self._endings = ports, endings

    async def repeatedly(self, step: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """Runs a step in a unit of its own, again where another was quicker. Raises ChangedMeanwhile in the end."""
        for _ in range(_ATTEMPTS):
            try:
                async with self._db.write() as unit:
                    found = await step(unit)
            except (UsernameTaken, ChangedMeanwhile):
                continue
            await self._ports.settle()
            return found
        raise ChangedMeanwhile

    async def recognise(
        self, unit: UnitOfWork, who: Proved, rules: DoorRules, invite: str = ""
    ) -> KnownIdentity:
        """The active person, with the role of now. `invite` is the token of an administrator's link.

        Raises PersonNotInvited, AccountSuspended; UsernameTaken and ChangedMeanwhile where it is to be tried again.
        """
        known = await Doorway(unit).find_identity(who.issuer, who.subject)
        if known is None:
            known = await self._welcome(unit, who, rules, invite)
        if not known.is_active:
            raise AccountSuspended
        await self._apply_role(unit, known.user_id, who, rules)
        return known

    async def _welcome(self, unit: UnitOfWork, who: Proved, rules: DoorRules, invite: str) -> KnownIdentity:
        """Somebody who was never here: whoever an administrator's link is for, else somebody new."""
        user_id = await self._invited(unit, invite)
        if user_id is None:
            if not rules.creates_people:
                raise PersonNotInvited
            user_id = await self._newcomer(unit, suggested_name(who.claims, rules.username_claim))
        known = await Doorway(unit).add_identity(user_id, who.issuer, who.subject)
        actor = await actor_for_user(unit, user_id)
        await self._audit.record(
            unit,
            actor,
            "identity.linked",
            resource_type="user",
            resource_id=user_id,
            details={"provider": who.issuer},
        )
        return known

    async def _invited(self, unit: UnitOfWork, invite: str) -> str | None:
        if not invite or not is_plain_text(invite):
            return None
        link = await Entrance(unit).find_reset(token_hash(invite), holds=True)
        if link is None:
            return None
        actor = await actor_for_user(unit, link.user_id)
        await AccountRepository(unit, actor).change_own(reset_hash=None, reset_expires_at=None)
        return link.user_id

    async def _newcomer(self, unit: UnitOfWork, suggested: str) -> str:
        entrance = Entrance(unit)
        for name in other_names(suggested):
            if await entrance.find_user(name) is None:
                user = await entrance.add_user(await self._newcomers.prepare(CreateUser(name)))
                actor = await actor_for_user(unit, user.id)
                await self._audit.record(
                    unit, actor, "user.created", resource_type="user", resource_id=user.id
                )
                return user.id
        raise UsernameTaken

    async def _apply_role(self, unit: UnitOfWork, user_id: str, who: Proved, rules: DoorRules) -> None:
        if not rules.root_value:
            return
        is_root = has_value(who.claims, rules.root_claim, rules.root_value)
        if not await Doorway(unit).set_root(user_id, is_root=is_root):
            return
        action = "user.promoted" if is_root else "user.demoted"
        details = {"provider": who.issuer}
        await self._audit.record(
            unit, None, action, resource_type="user", resource_id=user_id, details=details
        )
        if not is_root:
            unit.after_commit(partial(self._endings.end, user_id))
            self._ports.stop_after(unit, user_id)
