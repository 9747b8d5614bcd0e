"""API keys: one's own, many, each shown once. What a key may do is decided in `access`."""

import secrets
from datetime import timedelta
from typing import Final

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.accounts.errors import KeyLifeNotUsable, KeyNameNotUsable, ScopeUnknown, TooManyKeys
from youworker_app.accounts.repository import AccountRepository
from youworker_app.accounts.schemas import ApiKeyView, CreateApiKey, NewApiKey
from youworker_app.audit.service import AuditService
from youworker_app.core.clock import now
from youworker_app.core.db import Database
from youworker_app.core.ids import new_token, token_hash
from youworker_app.core.names import visible_name
from youworker_app.core.settings import SecuritySettings

LONGEST_KEY_NAME: Final = 64
MOST_KEYS: Final = 100


class ApiKeyService:
    """A person's keys. A key without the admin scope changes none."""

    def __init__(self, db: Database, settings: SecuritySettings, audit: AuditService) -> None:
        self._db, self._settings, self._audit = db, settings, audit

    async def list_keys(self, actor: Actor) -> tuple[ApiKeyView, ...]:
        """The actor's own keys, newest first, without their secrets."""
        require_scope(actor, Scope.ADMIN)
        async with self._db.read() as unit:
            return await AccountRepository(unit, actor).list_keys()

    async def create_key(self, actor: Actor, wanted: CreateApiKey) -> NewApiKey:
        """A new key, readable this once. A key cannot make one that may do more than itself.

        Raises KeyNameNotUsable, ScopeUnknown, KeyLifeNotUsable, TooManyKeys.
        """
        require_scope(actor, Scope.ADMIN)
        new, life = self._checked_key(actor, wanted)
        prefix = f"yw_{secrets.token_hex(4)}"
        key = f"{prefix}_{new_token()}"
        async with self._db.write() as unit:
            repository = AccountRepository(unit, actor)
            if await repository.count_keys() >= MOST_KEYS:
                raise TooManyKeys(limit=MOST_KEYS)
            view = repository.add_key(new, prefix, token_hash(key), now() + life)
            await self._audit.record(unit, actor, "key.created", resource_type="key", resource_id=view.id)
        return NewApiKey(view, key)

    def _checked_key(self, actor: Actor, wanted: CreateApiKey) -> tuple[CreateApiKey, timedelta]:
        name = visible_name(wanted.name)
        if name is None or len(name) > LONGEST_KEY_NAME:
            raise KeyNameNotUsable(max_length=LONGEST_KEY_NAME)
        known = [scope.value for scope in Scope]
        scopes = tuple(scope for scope in known if scope in wanted.scopes)
        if not scopes or len(scopes) != len(set(wanted.scopes)):
            raise ScopeUnknown(known=", ".join(known))
        for scope in scopes:
            require_scope(actor, Scope(scope))
        most = self._settings.api_key_days
        days = most if wanted.expires_in_days is None else wanted.expires_in_days
        if not 1 <= days <= most:
            raise KeyLifeNotUsable(max_days=most)
        return CreateApiKey(name, scopes, days), timedelta(days=days)

    async def delete_key(self, actor: Actor, key_id: str) -> None:
        """Ends one of the actor's own keys at once. Raises NotFound."""
        require_scope(actor, Scope.ADMIN)
        async with self._db.write() as unit:
            await AccountRepository(unit, actor).delete_key(key_id)
            await self._audit.record(unit, actor, "key.deleted", resource_type="key", resource_id=key_id)
