"""Statements that take long are logged without what people wrote, with a plan where somebody looks, and nobody waits for it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlmodel import col
from structlog.testing import capture_logs

from youworker_app.access.visible import SystemReason, system_scope
from youworker_app.core.db import Database
from youworker_app.core.settings import DatabaseSettings
from youworker_app.models.accounts import InstallationFact, User

SECRET = "what anna wrote"


@pytest.fixture
async def watched(database_url: str, database: Database) -> AsyncIterator[Database]:
    """Everything is slow here, and plans are shown."""
    settings = DatabaseSettings.model_construct(slow_query_ms=0)
    opened = Database(database_url, settings, explains=True)
    yield opened
    await opened.close()


async def of_secret(database: Database) -> None:
    statement = select(User).where(col(User.username).in_([SECRET, "b"]), func.length(User.id) > 1)
    async with database.read() as unit:
        await unit.session.execute(system_scope(statement, SystemReason.COUNTS))


async def planned(database: Database, events: list[Any]) -> list[Any]:
    """The events, once the plan that is being made is there."""
    async with asyncio.timeout(30):
        while database._slow._planning is None or not database._slow._planning.done():
            await asyncio.sleep(0.01)
    return [event for event in events if event["event"] == "slow_query_plan"]


async def test_a_slow_statement_is_logged_without_its_values(watched: Database) -> None:
    with capture_logs() as events:
        await of_secret(watched)
        plans = await planned(watched, events)
    (slow,) = [
        event for event in events if event["event"] == "slow_query" and "FROM users" in event["statement"]
    ]
    assert slow["ms"] >= 0
    assert slow["log_level"] == "warning"
    assert plans
    assert SECRET not in str(events)


async def test_the_plan_is_that_of_the_statement_and_shows_no_value(watched: Database) -> None:
    with capture_logs() as events:
        await of_secret(watched)
        (event,) = await planned(watched, events)
    assert event["log_level"] == "debug"
    assert "users" in " ".join(event["plan"])
    assert SECRET not in str(event)


async def test_a_write_is_logged_and_neither_planned_nor_repeated(watched: Database) -> None:
    with capture_logs() as events:
        async with watched.write() as unit:
            unit.session.add(InstallationFact(name="mine", value=SECRET))
    logged = [event for event in events if "INSERT INTO installation_facts" in event.get("statement", "")]
    assert [event["event"] for event in logged] == ["slow_query"]
    assert watched._slow._planning is None
    assert SECRET not in str(events)


async def test_a_plan_that_cannot_be_made_is_nobodys_trouble(watched: Database) -> None:
    def misread(sql: str) -> str:
        return sql.replace("users", "nothing_of_this_name")

    with capture_logs() as events:
        watched._slow._planning = asyncio.create_task(watched._slow._plan(misread("SELECT * FROM users"), 0))
        await planned(watched, events)
    assert [event["event"] for event in events] == ["slow_query_without_plan"]


async def test_nothing_is_planned_unless_somebody_looks(database_url: str, database: Database) -> None:
    quiet = Database(database_url, DatabaseSettings.model_construct(slow_query_ms=0))
    with capture_logs() as events:
        await of_secret(quiet)
    assert "slow_query" in {event["event"] for event in events}
    assert quiet._slow._planning is None
    await quiet.close()


async def test_a_quick_statement_is_not_logged(database: Database) -> None:
    with capture_logs() as events:
        async with database.read() as unit:
            await unit.session.execute(text("SELECT 1"))
    assert [event for event in events if event["event"] == "slow_query"] == []


async def test_an_end_while_a_plan_is_made_waits_for_nothing(watched: Database) -> None:
    await of_secret(watched)
    planning = watched._slow._planning
    assert planning is not None
    await watched.close()
    assert planning.done()
