"""All SQL of wrapping data keys anew."""

from collections.abc import Callable

from sqlalchemy import func, select, update
from sqlmodel import col

from youworker_app.access.visible import SystemReason, system_scope
from youworker_app.core.db import UnitOfWork
from youworker_app.models.accounts import EncryptionKey


async def count_keys(unit: UnitOfWork) -> int:
    """How many data keys there are."""
    counted = select(func.count()).select_from(EncryptionKey)
    return (await unit.session.execute(system_scope(counted, SystemReason.KEYS))).scalar_one()


async def rewrap_some(
    unit: UnitOfWork, after: str, limit: int, rewrap: Callable[[bytes], bytes | None]
) -> tuple[str, int, int]:
    """Wraps the next keys by id anew where `rewrap` answers something: (the last id, how many were seen, how many changed)."""
    wanted = (
        select(col(EncryptionKey.id), col(EncryptionKey.wrapped))
        .where(col(EncryptionKey.id) > after)
        .order_by(col(EncryptionKey.id))
        .limit(limit)
        .with_for_update()
    )
    rows = (await unit.session.execute(system_scope(wanted, SystemReason.KEYS))).all()
    changed = 0
    for key_id, wrapped in rows:
        if (anew := rewrap(wrapped)) is not None:
            change = update(EncryptionKey).where(col(EncryptionKey.id) == key_id).values(wrapped=anew)
            await unit.session.execute(
                system_scope(change, SystemReason.KEYS), execution_options={"synchronize_session": False}
            )
            changed += 1
    return (rows[-1][0] if rows else after), len(rows), changed
