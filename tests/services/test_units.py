"""Units of work under cancellation: whole or not at all, and the next one does not wait."""

import asyncio

import pytest
from sqlalchemy import select
from sqlmodel import col

from youworker_app.access.visible import SystemReason, system_scope
from youworker_app.core.db import Database
from youworker_app.models.accounts import InstallationFact


async def is_there(database: Database, name: str) -> bool:
    """Whether a fact was committed."""
    async with database.read() as unit:
        statement = select(InstallationFact).where(col(InstallationFact.name) == name)
        found = await unit.session.execute(system_scope(statement, SystemReason.SETUP))
        return found.scalar_one_or_none() is not None


@pytest.mark.parametrize("step", range(40))
async def test_a_cancelled_unit_is_whole_or_nothing(database: Database, step: int) -> None:
    """Cancelled after each number of turns of the loop, wherever that is: begin, flush, commit, close."""
    told: list[str] = []

    async def write() -> None:
        async with database.write() as unit:
            unit.session.add(InstallationFact(name="mine", value="x"))
            await unit.session.flush()
            unit.after_commit(lambda: told.append("mine"))

    task = asyncio.create_task(write())
    for _ in range(step):
        await asyncio.sleep(0.0003)
    task.cancel()
    await asyncio.wait((task,))
    async with asyncio.timeout(30):  # against hanging: a lock that was left behind is never given back
        assert await is_there(database, "mine") == bool(told)
        async with database.write() as unit:
            unit.session.add(InstallationFact(name="next", value="x"))
    assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
