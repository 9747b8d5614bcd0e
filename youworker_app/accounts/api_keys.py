"""API keys: one's own, many, each shown once. What a key may do is decided in `access`."""

import secrets
from datetime import timedelta
from functools import partial
from typing import Final

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.access.credentials import KEY_WARNING
from youworker_app.accounts.errors import (
    KeyFromElsewhere,
    KeyGroupsNotUsable,
    KeyLifeNotUsable,
    KeyNameNotUsable,
    KeyReplaced,
    KeyRunOut,
    KeyTooBroad,
    OverlapNotUsable,
    ScopeUnknown,
    TooManyKeys,
)
from youworker_app.accounts.key_repository import ApiKeyRepository, KeyRow
from youworker_app.accounts.schemas import ApiKeyView, CreateApiKey, KeyRecord, NewApiKey
from youworker_app.audit.service import AuditService
from youworker_app.core.clock import now
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.endings import Endings
from youworker_app.core.ids import new_token, token_hash
from youworker_app.core.names import visible_name
from youworker_app.core.settings import SecuritySettings

LONGEST_KEY_NAME: Final = 64
MOST_KEYS: Final = 100
MOST_OVERLAP_HOURS: Final = 168
OVERLAP_HOURS: Final = 24


class ApiKeyService:
    """A person's keys. A key without the admin scope changes none."""

    def __init__(
        self, db: Database, settings: SecuritySettings, audit: AuditService, endings: Endings
    ) -> None:
        self._db, self._settings, self._audit, self._endings = db, settings, audit, endings

    async def list_keys(self, actor: Actor) -> tuple[ApiKeyView, ...]:
        """The actor's own keys, newest first, without their secrets."""
        require_scope(actor, Scope.ADMIN)
        async with self._db.read() as unit:
            return await ApiKeyRepository(unit, actor).list_keys()

    async def count_expiring(self, actor: Actor) -> int:
        """How many of the actor's keys run out within a week and have no successor."""
        require_scope(actor, Scope.ADMIN)
        async with self._db.read() as unit:
            return await ApiKeyRepository(unit, actor).expiring(now() + KEY_WARNING)

    async def create_key(self, actor: Actor, wanted: CreateApiKey) -> NewApiKey:
        """A new key, readable this once. A key cannot make one that may do more than itself.

        Raises KeyNameNotUsable, ScopeUnknown, KeyLifeNotUsable, KeyGroupsNotUsable, KeyTooBroad, TooManyKeys.
        """
        require_scope(actor, Scope.ADMIN)
        name, scopes = self._checked_name(wanted.name), _checked_scopes(actor, wanted.scopes)
        life = self._checked_life(wanted.expires_in_days)
        group_ids = _checked_groups(actor, wanted.group_ids, scopes)
        prefix, key = _new_key()
        record = KeyRecord(name, scopes, prefix, token_hash(key), now() + life, group_ids)
        async with self._db.write() as unit:
            view = await self._add(unit, actor, record)
            await self._audit.record(unit, actor, "key.created", resource_type="key", resource_id=view.id)
        return NewApiKey(view, key)

    async def rotate_key(self, actor: Actor, key_id: str, overlap_hours: int = OVERLAP_HOURS) -> NewApiKey:
        """A successor of the same name, scopes, groups and life, readable this once; the old key lives on for the overlap.

        Raises NotFound, KeyFromElsewhere, KeyRunOut, KeyReplaced, OverlapNotUsable, TooManyKeys, and ScopeMissing where the
        key to be rotated may do more than the one that asks.
        """
        require_scope(actor, Scope.ADMIN)
        if not 0 <= overlap_hours <= MOST_OVERLAP_HOURS:
            raise OverlapNotUsable(max_hours=MOST_OVERLAP_HOURS)
        prefix, key = _new_key()
        async with self._db.write() as unit:
            repository = ApiKeyRepository(unit, actor)
            old = await repository.get_locked(key_id)
            _require_rotatable(actor, old)
            groups = await repository.groups_of(key_id) if old.is_narrowed else None
            ends = now() + min(old.expires_at - old.created_at, timedelta(days=self._settings.api_key_days))
            record = KeyRecord(
                old.name, tuple(old.scopes), prefix, token_hash(key), ends, groups, old.line_id
            )
            view = await self._add(unit, actor, record)
            old.is_replaced = True
            old.expires_at = min(old.expires_at, now() + timedelta(hours=overlap_hours))
            await self._audit.record(
                unit,
                actor,
                "key.rotated",
                resource_type="key",
                resource_id=key_id,
                details={"successor": view.id, "overlap_hours": overlap_hours},
            )
            if not overlap_hours:
                unit.after_commit(partial(self._endings.end, key_id))
        return NewApiKey(view, key)

    async def delete_key(self, actor: Actor, key_id: str) -> None:
        """Ends one of the actor's own keys at once, with what is being answered to it. Raises NotFound, KeyFromElsewhere."""
        require_scope(actor, Scope.ADMIN)
        async with self._db.write() as unit:
            await ApiKeyRepository(unit, actor).delete_key(key_id)
            await self._audit.record(unit, actor, "key.deleted", resource_type="key", resource_id=key_id)
            unit.after_commit(partial(self._endings.end, key_id))

    async def _add(self, unit: UnitOfWork, actor: Actor, record: KeyRecord) -> ApiKeyView:
        repository = ApiKeyRepository(unit, actor)
        await repository.forget_replaced()
        if await repository.count_keys() >= MOST_KEYS:
            raise TooManyKeys(limit=MOST_KEYS)
        return await repository.add_key(record)

    def _checked_name(self, wanted: str) -> str:
        name = visible_name(wanted)
        if name is None or len(name) > LONGEST_KEY_NAME:
            raise KeyNameNotUsable(max_length=LONGEST_KEY_NAME)
        return name

    def _checked_life(self, wanted: int | None) -> timedelta:
        most = self._settings.api_key_days
        days = most if wanted is None else wanted
        if not 1 <= days <= most:
            raise KeyLifeNotUsable(max_days=most)
        return timedelta(days=days)


def _checked_scopes(actor: Actor, wanted: tuple[str, ...]) -> tuple[str, ...]:
    known = [scope.value for scope in Scope]
    scopes = tuple(scope for scope in known if scope in wanted)
    if not scopes or len(scopes) != len(set(wanted)):
        raise ScopeUnknown(known=", ".join(known))
    for scope in scopes:
        require_scope(actor, Scope(scope))
    return scopes


def _checked_groups(
    actor: Actor, wanted: tuple[str, ...] | None, scopes: tuple[str, ...]
) -> tuple[str, ...] | None:
    if wanted is None:
        return None
    if not wanted or not actor.group_ids.issuperset(wanted):
        raise KeyGroupsNotUsable
    if Scope.ADMIN.value in scopes:
        raise KeyTooBroad
    return tuple(sorted(set(wanted)))


def _require_rotatable(actor: Actor, old: KeyRow) -> None:
    for scope in _known(old.scopes):
        require_scope(actor, scope)
    if old.origin:
        raise KeyFromElsewhere
    if old.is_replaced:
        raise KeyReplaced
    if old.expires_at <= now():
        raise KeyRunOut


def _known(names: list[str]) -> list[Scope]:
    return [scope for scope in Scope if scope.value in names]


def _new_key() -> tuple[str, str]:
    """(visible prefix, key)."""
    prefix = f"yw_{secrets.token_hex(4)}"
    return prefix, f"{prefix}_{new_token()}"
