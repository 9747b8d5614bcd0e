"""All SQL of API keys and the groups that they are narrowed to."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from youworker_app.access.repository import Repository
from youworker_app.access.visible import count_visible, delete_visible, visible
from youworker_app.accounts.errors import KeyFromElsewhere, KeyGroupsNotUsable
from youworker_app.accounts.schemas import ApiKeyView, KeyRecord
from youworker_app.core.clock import now
from youworker_app.core.errors import ChangedMeanwhile, NotFound
from youworker_app.core.names import is_plain_text
from youworker_app.models.accounts import ApiKey, ApiKeyGroup

FOREIGN: Final = "authentik"  # the one place that keys come from beside this installation
NEVER: Final = datetime(9999, 12, 31, tzinfo=UTC)

KeyRow = ApiKey  # the name by which the service speaks of a row that it was given


class ApiKeyRepository(Repository):
    """The actor's own keys."""

    async def list_keys(self) -> tuple[ApiKeyView, ...]:
        """All of them, newest first."""
        statement = visible(ApiKey, self._actor).order_by(col(ApiKey.created_at).desc(), col(ApiKey.id))
        rows = (await self._session.execute(statement)).scalars().all()
        groups = await self._groups()
        return tuple(_view(row, groups.get(row.id, ())) for row in rows)

    async def expiring(self, until: datetime) -> int:
        """How many run out by then, have not yet, and have no successor."""
        clauses = (
            col(ApiKey.expires_at) > now(),
            col(ApiKey.expires_at) <= until,
            col(ApiKey.is_replaced).is_(False),
        )
        return (await self._session.execute(count_visible(ApiKey, self._actor, *clauses))).scalar_one()

    async def count_keys(self) -> int:
        """How many there are."""
        return (await self._session.execute(count_visible(ApiKey, self._actor))).scalar_one()

    async def get_locked(self, key_id: str) -> ApiKey:
        """One of them, to be changed: another writer waits. Raises NotFound."""
        if not is_plain_text(key_id):
            raise NotFound
        statement = visible(ApiKey, self._actor).where(col(ApiKey.id) == key_id).with_for_update()
        row = (await self._session.execute(statement)).scalar_one_or_none()
        if row is None:
            raise NotFound
        return row

    async def groups_of(self, key_id: str) -> tuple[str, ...]:
        """The groups that a key is narrowed to, those that its person is still in."""
        return (await self._groups()).get(key_id, ())

    async def add_key(self, new: KeyRecord) -> ApiKeyView:
        """A new key of the actor. Raises KeyGroupsNotUsable for a group that they have left."""
        row = ApiKey(
            owner_id=self._actor.user_id,
            name=new.name,
            prefix=new.prefix,
            key_hash=new.key_hash,
            scopes=list(new.scopes),
            expires_at=new.expires_at,
            is_narrowed=new.group_ids is not None,
            line_id="",
        )
        row.line_id = new.line_id or row.id
        self.add(row)
        await self.flush()  # its groups point at it
        for group_id in new.group_ids or ():
            self.add(ApiKeyGroup(key_id=row.id, group_id=group_id, owner_id=self._actor.user_id))
        try:
            await self.flush()
        except IntegrityError as error:
            raise KeyGroupsNotUsable from error
        return _view(row, new.group_ids or ())

    async def delete_key(self, key_id: str) -> None:
        """Takes a key away. Raises NotFound, KeyFromElsewhere."""
        row = await self._get(ApiKey, key_id)
        if row.origin:
            raise KeyFromElsewhere
        await self._session.delete(row)

    async def follow_foreign_key(
        self, key_hash: str, prefix: str, scopes: Sequence[str]
    ) -> tuple[str, str] | None:
        """Makes the actor's key from elsewhere this one, or none where the hash is empty; (id, what happened) if anything.

        Raises ChangedMeanwhile when the key has become somebody's at the same moment.
        """
        statement = visible(ApiKey, self._actor).where(col(ApiKey.origin) == FOREIGN).with_for_update()
        row = (await self._session.execute(statement)).scalar_one_or_none()
        if row is not None and row.key_hash == key_hash:
            row.scopes = list(scopes)
            return None
        if row is not None and not key_hash:
            await self._session.delete(row)
            return row.id, "deleted"
        if not key_hash:
            return None
        change = "changed" if row else "created"
        if row is None:
            row = ApiKey(
                owner_id=self._actor.user_id,
                name=FOREIGN,
                prefix=prefix,
                key_hash=key_hash,
                scopes=[],
                expires_at=NEVER,
                line_id="",
                origin=FOREIGN,
            )
            row.line_id = row.id
        row.key_hash, row.prefix, row.scopes = key_hash, prefix, list(scopes)
        self.add(row)
        try:
            await self.flush()
        except IntegrityError as error:
            raise ChangedMeanwhile from error
        return row.id, change

    async def forget_replaced(self) -> None:
        """Takes away those that have run out and have a successor: nobody learns anything from them."""
        gone = (col(ApiKey.is_replaced).is_(True), col(ApiKey.expires_at) <= now())
        await self._session.execute(delete_visible(ApiKey, self._actor).where(*gone))

    async def _groups(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        statement = visible(ApiKeyGroup, self._actor).order_by(col(ApiKeyGroup.group_id))
        for row in (await self._session.execute(statement)).scalars():
            found.setdefault(row.key_id, []).append(row.group_id)
        return {key_id: tuple(group_ids) for key_id, group_ids in found.items()}


def _view(row: ApiKey, group_ids: tuple[str, ...]) -> ApiKeyView:
    return ApiKeyView(
        row.id,
        row.name,
        row.prefix,
        tuple(row.scopes),
        row.created_at,
        None if row.origin else row.expires_at,
        row.last_used_at,
        row.last_used_address,
        group_ids if row.is_narrowed else None,
        row.is_replaced,
        row.origin,
    )
