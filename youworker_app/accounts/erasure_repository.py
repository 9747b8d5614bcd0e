"""All SQL of erasures: past what anybody may see, since the person is about to be nobody."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, tuple_, update
from sqlmodel import col

from youworker_app.access.visible import SystemReason, erase_rows, system_scope
from youworker_app.accounts.errors import AccountHeld
from youworker_app.accounts.schemas import ErasureReceipt
from youworker_app.core.clock import now
from youworker_app.core.db import UnitOfWork
from youworker_app.core.errors import NotFound
from youworker_app.core.ids import token_hash
from youworker_app.core.ports import Destroyed
from youworker_app.models.accounts import (
    ApiKey,
    ApiKeyGroup,
    EncryptionKey,
    Identity,
    LoginSession,
    ProviderSession,
    User,
)
from youworker_app.models.privacy import DataExport, ErasureRecord

_ERASURE = SystemReason.ERASURE


class ErasureRecords:
    """The rows that say which erasures are under way, and what the others destroyed."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._session = unit.session

    async def begin(self, user_id: str, token: str, *, is_own: bool) -> str:
        """Suspends the person and remembers that they are to be erased; its id. Asked again, it is the same one.

        Raises AccountHeld, NotFound.
        """
        user = await self._one(select(User).where(col(User.id) == user_id).with_for_update())
        if user is None:
            raise NotFound
        if user.held_at is not None:
            raise AccountHeld
        user.is_active = False
        row = await self._one(select(ErasureRecord).where(col(ErasureRecord.user_id) == user_id))
        if row is None:
            row = ErasureRecord(user_id=user_id, is_own=is_own, token_hash="")
            self._session.add(row)
        row.token_hash = token_hash(token)
        await self._session.flush()
        return str(row.id)

    async def person_of(self, erasure_id: str, *, holds: bool = False) -> str | None:
        """Who is being erased; None once they are. `holds` keeps both rows as they are until the unit ends."""
        wanted = select(ErasureRecord).where(col(ErasureRecord.id) == erasure_id)
        row = await self._one(wanted.with_for_update() if holds else wanted)
        if row is None or row.user_id is None:
            return None
        if holds:
            await self._one(select(User).where(col(User.id) == row.user_id).with_for_update())
        return str(row.user_id)

    async def close(self, erasure_id: str, destroyed: Destroyed) -> None:
        """Writes what was destroyed, in the unit in which it was."""
        receipt: Mapping[str, Any] = {"destroyed": destroyed.by_port, "key_ids": list(destroyed.key_ids)}
        await self._set(erasure_id, user_id=None, state="erased", receipt=receipt, erased_at=now())

    async def finish(self, erasure_id: str) -> None:
        """Bytes and vectors are gone too."""
        await self._set(erasure_id, state="done", finished_at=now())

    async def unfinished(self) -> list[tuple[str, str]]:
        """(id, state) of what is not done, oldest first."""
        wanted = select(ErasureRecord).where(col(ErasureRecord.state) != "done")
        found = await self._session.execute(
            system_scope(wanted.order_by(col(ErasureRecord.started_at)), _ERASURE)
        )
        return [(row.id, row.state) for row in found.scalars()]

    async def receipt(self, erasure_id: str) -> ErasureReceipt:
        """One receipt. Raises NotFound."""
        return _receipt(await self._one(select(ErasureRecord).where(col(ErasureRecord.id) == erasure_id)))

    async def receipt_for(self, token: str) -> ErasureReceipt:
        """The receipt that a token opens. Raises NotFound."""
        wanted = select(ErasureRecord).where(col(ErasureRecord.token_hash) == token_hash(token))
        return _receipt(await self._one(wanted))

    async def list_receipts(self, before: tuple[datetime, str] | None, limit: int) -> list[ErasureReceipt]:
        """The newest first, one more than `limit` if there is one."""
        wanted = select(ErasureRecord)
        if before is not None:
            wanted = wanted.where(tuple_(col(ErasureRecord.started_at), col(ErasureRecord.id)) < before)
        wanted = wanted.order_by(col(ErasureRecord.started_at).desc(), col(ErasureRecord.id).desc())
        found = await self._session.execute(system_scope(wanted.limit(limit + 1), _ERASURE))
        return [_receipt(row) for row in found.scalars()]

    async def _one(self, statement: Select[Any]) -> Any:
        # As the database has it now: another unit may have written since this one read.
        fresh = system_scope(statement, _ERASURE)
        found = await self._session.execute(fresh, execution_options={"populate_existing": True})
        return found.scalar_one_or_none()

    async def _set(self, erasure_id: str, **values: object) -> None:
        change = update(ErasureRecord).where(col(ErasureRecord.id) == erasure_id).values(**values)
        await self._session.execute(
            system_scope(change, _ERASURE), execution_options={"synchronize_session": False}
        )


async def erase_account(unit: UnitOfWork, user_id: str) -> tuple[dict[str, int], str | None]:
    """A person's row, and what opens doors in their name; their data key goes with it.

    Returns how many rows of each table, and the key's id.
    """
    statement = select(col(User.key_id)).where(col(User.id) == user_id)
    key_id = (await unit.session.execute(system_scope(statement, _ERASURE))).scalar_one_or_none()
    logins = select(col(LoginSession.id)).where(col(LoginSession.user_id) == user_id)
    of_theirs = col(ProviderSession.login_session_id).in_(logins)
    counts = {
        "provider_sessions": await erase_rows(unit, ProviderSession, of_theirs),
        "identities": await erase_rows(unit, Identity, col(Identity.user_id) == user_id),
        "login_sessions": await erase_rows(unit, LoginSession, col(LoginSession.user_id) == user_id),
        "api_key_groups": await erase_rows(unit, ApiKeyGroup, col(ApiKeyGroup.owner_id) == user_id),
        "api_keys": await erase_rows(unit, ApiKey, col(ApiKey.owner_id) == user_id),
        "data_exports": await erase_rows(unit, DataExport, col(DataExport.owner_id) == user_id),
        "users": await erase_rows(unit, User, col(User.id) == user_id),
        "encryption_keys": await erase_rows(unit, EncryptionKey, col(EncryptionKey.id) == key_id),
    }
    return counts, key_id


async def forget_person(unit: UnitOfWork, user_id: str) -> None:
    """Takes a person out of the erasures that name them."""
    change = update(ErasureRecord).where(col(ErasureRecord.user_id) == user_id).values(user_id=None)
    await unit.session.execute(
        system_scope(change, _ERASURE), execution_options={"synchronize_session": False}
    )


def _receipt(row: ErasureRecord | None) -> ErasureReceipt:
    if row is None:
        raise NotFound
    return ErasureReceipt(
        row.id,
        row.state,
        row.is_own,
        row.started_at,
        row.erased_at,
        row.finished_at,
        row.receipt.get("destroyed", {}),
        tuple(row.receipt.get("key_ids", ())),
    )
