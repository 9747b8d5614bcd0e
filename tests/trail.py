"""The audit trail as tests read it: past everybody's sight."""

from dataclasses import fields

from sqlalchemy import select

from youworker_app.access.visible import SystemReason, system_scope
from youworker_app.audit.schemas import TrailBlock, TrailEvent
from youworker_app.core.db import Database
from youworker_app.models.audit import AuditBlock, AuditEvent


async def rows_of(database: Database) -> list[AuditEvent]:
    """Every row, in order of time."""
    async with database.read() as unit:
        statement = system_scope(select(AuditEvent).order_by("at", "id"), SystemReason.COUNTS)
        return list((await unit.session.execute(statement)).scalars())


async def events_of(database: Database) -> list[TrailEvent]:
    """The whole trail as it is kept."""
    return [as_recorded(row) for row in await rows_of(database)]


async def blocks_of(database: Database) -> list[TrailBlock]:
    """Every block, in order."""
    async with database.read() as unit:
        statement = system_scope(select(AuditBlock).order_by("seq"), SystemReason.COUNTS)
        found = list((await unit.session.execute(statement)).scalars())
    return [
        TrailBlock(**{field.name: getattr(each, field.name) for field in fields(TrailBlock)})
        for each in found
    ]


def as_recorded(row: AuditEvent) -> TrailEvent:
    """What a row of the trail says."""
    return TrailEvent(**{field.name: getattr(row, field.name) for field in fields(TrailEvent)})
