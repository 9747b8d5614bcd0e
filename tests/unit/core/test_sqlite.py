"""What is relied upon of SQLAlchemy's and aiosqlite's private parts, see docs/adr/0009."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from youworker_app.core.sqlite import OneHopDriver, begin_with_next


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """An engine over a file with one table, whose units begin IMMEDIATE."""
    made = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'one.db'}", module=OneHopDriver())

    @event.listens_for(made.sync_engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA busy_timeout=50").close()

    @event.listens_for(made.sync_engine, "begin")
    def on_begin(connection: Any) -> None:
        begin_with_next(connection, "BEGIN IMMEDIATE")

    async with made.begin() as connection:
        await connection.exec_driver_sql("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE)")
    yield made
    await made.dispose()


@pytest.fixture
def hops(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what is handed over to a connection's thread."""
    handed: list[str] = []
    real = aiosqlite.Connection._execute

    async def counted(self: aiosqlite.Connection, function: Any, *arguments: Any, **options: Any) -> Any:
        handed.append(function.__name__)
        return await real(self, function, *arguments, **options)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
    return handed


async def test_a_unit_costs_one_hand_over_a_statement_and_one_to_commit(
    engine: AsyncEngine, hops: list[str]
) -> None:
    async with engine.begin() as connection:
        await connection.exec_driver_sql("INSERT INTO things (name) VALUES (?)", ("a",))
        assert (await connection.exec_driver_sql("SELECT name FROM things")).all() == [("a",)]
    assert hops == ["_execute", "_execute", "commit"]


async def test_a_unit_without_a_statement_costs_nothing(engine: AsyncEngine, hops: list[str]) -> None:
    async with engine.begin():
        pass
    assert hops == []


async def test_what_a_statement_leaves_behind_is_told(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        many = await connection.exec_driver_sql("INSERT INTO things (name) VALUES (?)", [("a",), ("b",)])
        assert many.rowcount == 2
        one = await connection.exec_driver_sql("INSERT INTO things (name) VALUES ('c') RETURNING id, name")
        assert one.all() == [(3, "c")]
        last = await connection.exec_driver_sql("INSERT INTO things (name) VALUES ('d')")
        assert (last.lastrowid, last.rowcount) == (4, 1)
        assert (await connection.exec_driver_sql("SELECT id FROM things WHERE id > 9")).all() == []


async def test_a_unit_that_fails_leaves_nothing_and_its_connection_goes_on(engine: AsyncEngine) -> None:
    async def fails() -> None:
        async with engine.begin() as connection:
            await connection.exec_driver_sql("INSERT INTO things (name) VALUES ('a')")
            await connection.exec_driver_sql("INSERT INTO things (name) VALUES ('a')")

    with pytest.raises(IntegrityError):
        await fails()
    async with engine.begin() as connection:
        assert (await connection.exec_driver_sql("SELECT count(*) FROM things")).scalar_one() == 0


async def test_a_first_statement_that_fails_leaves_no_open_transaction(engine: AsyncEngine) -> None:
    with pytest.raises(OperationalError):
        async with engine.begin() as connection:
            await connection.exec_driver_sql("SELECT nothing FROM nowhere")
    async with engine.begin() as connection:
        await connection.exec_driver_sql("INSERT INTO things (name) VALUES ('a')")


async def test_the_lock_is_taken_by_the_first_statement_and_given_back(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    foreign = sqlite3.connect(tmp_path / "one.db", isolation_level=None, timeout=0)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("SELECT 1 FROM things")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            foreign.execute("BEGIN IMMEDIATE")
    foreign.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"):
        async with engine.begin() as connection:
            await connection.exec_driver_sql("SELECT 1 FROM things")
    foreign.execute("ROLLBACK")
    async with engine.begin() as connection:
        await connection.exec_driver_sql("SELECT 1 FROM things")
    foreign.close()
