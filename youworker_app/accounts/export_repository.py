"""All SQL of exports."""

from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from youworker_app.access.actor import Actor
from youworker_app.access.authenticate import actor_for_user
from youworker_app.access.repository import Repository
from youworker_app.access.visible import SystemReason, own_wrapped_key, system_scope, visible
from youworker_app.accounts.schemas import ExportView
from youworker_app.core.clock import now
from youworker_app.core.db import UnitOfWork
from youworker_app.models.privacy import DataExport

UNFINISHED = ("queued", "running")


class ExportRepository(Repository):
    """The actor's own export, of which there is one at most."""

    async def find(self, *, holds: bool = False) -> ExportView | None:
        """It as it stands; `holds` keeps it so until the unit ends."""
        row = await self._row(holds=holds)
        return _view(row) if row else None

    async def begin(self) -> ExportView:
        """A new one, where there is none."""
        row = DataExport(owner_id=self._actor.user_id)
        self.add(row)
        await self.flush()
        return _view(row)

    async def change(self, export_id: str, **values: object) -> bool:
        """Writes how far it has come. False when it is another one by now, or gone."""
        row = await self._row(holds=True)
        if row is None or row.id != export_id:
            return False
        for name, value in values.items():
            setattr(row, name, value)
        return True

    async def delete(self) -> None:
        """Takes it away."""
        row = await self._row(holds=True)
        if row is not None:
            await self._session.delete(row)
            await self.flush()

    async def wrapped_key(self) -> bytes:
        """The actor's own wrapped data key."""
        return await own_wrapped_key(self._unit, self._actor)

    async def _row(self, *, holds: bool) -> DataExport | None:
        statement = visible(DataExport, self._actor)
        found = await self._session.execute(statement.with_for_update() if holds else statement)
        return found.scalar_one_or_none()


async def export_actor(unit: UnitOfWork, export_id: str) -> Actor | None:
    """In whose name an export is made, as they stand now; None when it is gone. Raises Unauthenticated."""
    wanted = select(col(DataExport.owner_id)).where(col(DataExport.id) == export_id)
    found = await unit.session.execute(system_scope(wanted, SystemReason.RECOVERY))
    user_id = found.scalar_one_or_none()
    return await actor_for_user(unit, user_id) if user_id else None


async def fail_export(unit: UnitOfWork, export_id: str, code: str, message: str) -> str | None:
    """Marks an export as failed, whosever it is: their id."""
    wanted = select(DataExport).where(col(DataExport.id) == export_id).with_for_update()
    row = (await unit.session.execute(system_scope(wanted, SystemReason.RECOVERY))).scalar_one_or_none()
    if row is None:
        return None
    row.state, row.error_code, row.error_details = "failed", code, {"message": message}
    return row.owner_id


async def unfinished_exports(unit: UnitOfWork, user_id: str | None = None) -> list[str]:
    """Ids of what is not finished, of everybody or of one person."""
    wanted = select(col(DataExport.id)).where(col(DataExport.state).in_(UNFINISHED))
    if user_id is not None:
        wanted = wanted.where(col(DataExport.owner_id) == user_id)
    return list((await unit.session.execute(system_scope(wanted, SystemReason.RECOVERY))).scalars())


async def exports_of(unit: UnitOfWork, user_id: str) -> list[str]:
    """Ids of a person's exports."""
    wanted = select(col(DataExport.id)).where(col(DataExport.owner_id) == user_id)
    return list((await unit.session.execute(system_scope(wanted, SystemReason.ERASURE))).scalars())


async def known_exports(unit: UnitOfWork) -> set[str]:
    """Ids of all."""
    wanted = select(col(DataExport.id))
    return set((await unit.session.execute(system_scope(wanted, SystemReason.RECOVERY))).scalars())


async def take_expired(unit: UnitOfWork, at: datetime) -> list[str]:
    """Takes away the rows of what nobody may fetch any more. Returns their ids."""
    wanted = select(DataExport).where(col(DataExport.expires_at) <= at)
    rows = (await unit.session.execute(system_scope(wanted, SystemReason.RECOVERY))).scalars().all()
    for row in rows:
        await unit.session.delete(row)
    return [row.id for row in rows]


def is_fetchable(view: ExportView) -> bool:
    """Whether its bytes may be fetched now."""
    return view.state == "ready" and view.expires_at is not None and view.expires_at > now()


def _view(row: DataExport) -> ExportView:
    return ExportView(
        row.id,
        row.state,
        row.progress,
        row.size_bytes,
        row.files,
        row.error_code,
        str(row.error_details.get("message", "")),
        row.created_at,
        row.expires_at,
    )
