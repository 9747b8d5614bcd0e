"""The audit trail: with its transaction, under a MAC that notices every change."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.people import MakeUser
from youworker_app.access.visible import SystemReason, system_scope
from youworker_app.audit.schemas import NewAuditEvent
from youworker_app.audit.service import AuditService
from youworker_app.core.clock import now
from youworker_app.core.crypto import MasterKeys, new_master_key
from youworker_app.core.db import Database
from youworker_app.core.keys import DataKeys
from youworker_app.core.telemetry import correlation_id
from youworker_app.models.audit import AuditEvent


async def events(database: Database) -> list[AuditEvent]:
    """The whole trail."""
    async with database.read() as unit:
        statement = system_scope(select(AuditEvent).order_by("at"), SystemReason.COUNTS)
        return list((await unit.session.execute(statement)).scalars())


def as_recorded(row: AuditEvent) -> NewAuditEvent:
    """What a row of the trail says."""
    return NewAuditEvent(**{field.name: getattr(row, field.name) for field in fields(NewAuditEvent)})


async def test_an_event_says_who_what_and_when(
    make_user: MakeUser, audit: AuditService, database: Database
) -> None:
    anna = await make_user("anna")
    token = correlation_id.set("x" * 99)
    async with database.write() as unit:
        await audit.record(
            unit,
            anna,
            "thing.done",
            resource_type="thing",
            resource_id="7",
            outcome="refused",
            details={"n": 3, "ok": None},
        )
    correlation_id.reset(token)
    row = (await events(database))[-1]
    assert (row.actor_id, row.action, row.resource_type, row.resource_id) == (
        anna.user_id,
        "thing.done",
        "thing",
        "7",
    )
    assert (row.outcome, row.details, row.correlation_id) == ("refused", {"n": 3, "ok": None}, "x" * 64)
    assert row.at.utcoffset() == timedelta(0)


async def test_an_event_lives_and_dies_with_its_transaction(audit: AuditService, database: Database) -> None:
    async def undone() -> None:
        async with database.write() as unit:
            await audit.record(unit, None, "thing.done")
            raise RuntimeError("undone")

    with pytest.raises(RuntimeError, match="undone"):
        await undone()
    assert await events(database) == []
    async with database.write() as unit:
        await audit.record(unit, None, "thing.done")
    assert [row.actor_id for row in await events(database)] == [None]


async def test_every_change_is_noticed(audit: AuditService, database: Database) -> None:
    async with database.write() as unit:
        await audit.record(unit, None, "thing.done", resource_type="thing", resource_id="7", details={"n": 3})
    [row] = await events(database)
    event = as_recorded(row)
    assert audit.mac(event) == row.mac
    changed = [
        replace(event, id="other"),
        replace(event, at=event.at + timedelta(microseconds=1)),
        replace(event, actor_id="anna"),
        replace(event, action="thing.undone"),
        replace(event, resource_type="thin", resource_id="g7"),
        replace(event, resource_id="8"),
        replace(event, outcome="refused"),
        replace(event, details={"n": "3"}),
        replace(event, correlation_id="x"),
    ]
    assert {audit.mac(each) for each in changed}.isdisjoint({row.mac})
    assert len({audit.mac(each) for each in changed}) == len(changed) == len(fields(NewAuditEvent))


async def test_another_key_makes_another_mac(audit: AuditService, database: Database) -> None:
    async with database.write() as unit:
        await audit.record(unit, None, "thing.done")
    [row] = await events(database)
    other = AuditService(DataKeys(MasterKeys([new_master_key()])))
    assert other.mac(as_recorded(row)) != row.mac


def test_the_order_of_details_does_not_matter(audit: AuditService) -> None:
    event = NewAuditEvent("1", now(), None, "thing.done", "", "", "ok", {"a": 1, "b": 2}, "")
    assert audit.mac(event) == audit.mac(replace(event, details={"b": 2, "a": 1}))
