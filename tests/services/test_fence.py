"""The query fence on the real databases: what was not built by access never reaches them."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import delete, exists, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased
from sqlmodel import col

from tests.people import MakeGroup, MakeUser
from youworker_app.access.actor import Actor
from youworker_app.access.policies import POLICIES
from youworker_app.access.visible import (
    SystemReason,
    count_visible,
    delete_visible,
    system_scope,
    update_visible,
    visible,
)
from youworker_app.core import fence
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.fence import MODE, STAMP, FencedSession, UnscopedQuery, WriteInReadUnit
from youworker_app.models.accounts import InstallationFact, User
from youworker_app.models.documents import Chunk, Document
from youworker_app.models.groups import Group, Membership
from youworker_app.models.jobs import Job

ANNA = Actor("anna", "anna")

Attempt = Callable[[UnitOfWork], Awaitable[object]]


async def _run_core(unit: UnitOfWork, statement: object) -> object:
    connection = await unit.session.connection()
    return await connection.execute(statement)  # type: ignore[call-overload]


async def _run_driver_sql(unit: UnitOfWork) -> object:
    return await (await unit.session.connection()).exec_driver_sql("SELECT * FROM documents")


async def _stamped_connection(unit: UnitOfWork) -> object:
    # The stamp counts on a statement, never on a connection.
    stamped = await (await unit.session.connection()).execution_options(**{STAMP: frozenset({"documents"})})
    return await stamped.execute(text("SELECT * FROM documents"))


UNSCOPED: dict[str, Attempt] = {
    "a select": lambda unit: unit.session.execute(select(Document)),
    "a select of one column": lambda unit: unit.session.execute(select(col(Document.title))),
    "a get by id": lambda unit: unit.session.get(Document, "1"),
    "a count": lambda unit: unit.session.execute(select(func.count()).select_from(Document)),
    "an alias": lambda unit: unit.session.execute(select(aliased(Document))),
    "a subquery": lambda unit: unit.session.execute(select(exists().where(col(Document.id) == "1"))),
    "a common table expression": lambda unit: unit.session.execute(select(select(Document).cte("other"))),
    "an update": lambda unit: unit.session.execute(update(Document).values(title="x")),
    "a delete": lambda unit: unit.session.execute(delete(Document)),
    "a scalar": lambda unit: unit.session.scalar(select(col(Document.title))),
    "text": lambda unit: unit.session.execute(text("SELECT title FROM documents")),
    "text in capitals": lambda unit: unit.session.execute(text("SELECT TITLE FROM DOCUMENTS")),
    "text in quotes": lambda unit: unit.session.execute(text('SELECT title FROM "documents"')),
    "a connection": lambda unit: _run_core(unit, select(Document)),
    "a connection with text": lambda unit: _run_core(unit, text("DELETE FROM documents")),
    "driver sql": _run_driver_sql,
    "a stamped connection": _stamped_connection,
    "a join to a table that the policy does not cover": lambda unit: unit.session.execute(
        visible(Document, ANNA).join(Membership, col(Membership.group_id) == col(Document.group_id))
    ),
    "an inner select of a table that the policy does not cover": lambda unit: unit.session.execute(
        visible(Group, ANNA).where(col(Group.id).in_(select(col(Job.requester_id))))
    ),
}


@pytest.mark.parametrize("name", UNSCOPED)
async def test_unscoped_statements_are_stopped(database: Database, name: str) -> None:
    async with database.write() as unit:
        with pytest.raises(UnscopedQuery):
            await UNSCOPED[name](unit)


async def test_a_connection_outside_any_unit_is_stopped(database: Database) -> None:
    async with database.engine.connect() as connection:
        with pytest.raises(UnscopedQuery):
            await connection.execute(text("SELECT * FROM messages"))


@pytest.mark.parametrize("model", list(POLICIES), ids=lambda model: model.__tablename__)
async def test_every_table_is_fenced(database: Database, model: type) -> None:
    async with database.read() as unit:
        with pytest.raises(UnscopedQuery):
            await unit.session.execute(select(model))
        assert (await unit.session.execute(visible(model, ANNA))).all() == []
        assert (await unit.session.execute(count_visible(model, ANNA))).scalar_one() == 0


async def test_statements_of_access_pass(make_user: MakeUser, database: Database) -> None:
    anna = await make_user("anna")
    async with database.write() as unit:
        found = (await unit.session.execute(visible(User, anna))).scalars().all()
        assert {user.username for user in found} == {"anna", "first root"}
        await unit.session.execute(
            update_visible(User, anna).where(col(User.id) == anna.user_id).values(theme="dark")
        )
        await unit.session.execute(delete_visible(Chunk, anna))
        await unit.session.execute(system_scope(select(InstallationFact), SystemReason.SETUP))
        await unit.session.execute(text("SELECT 1"))
        joined = visible(Membership, anna, joined=(User,)).join(User, col(User.id) == col(Membership.user_id))
        assert (await unit.session.execute(joined)).all() == []


async def test_nobody_sees_nothing(make_user: MakeUser, make_group: MakeGroup, database: Database) -> None:
    """No actor means no rows, never "no filter"."""
    await make_group("Sales", await make_user("anna"))
    for nobody in (Actor("", ""), Actor("", "", is_root=True, group_ids=frozenset({""}))):
        async with database.read() as unit:
            for model in POLICIES:
                assert (await unit.session.execute(visible(model, nobody))).all() == [], model


async def test_a_flush_passes_and_only_while_it_lasts(database: Database) -> None:
    async with database.write() as unit:
        fact = InstallationFact(name="colour", value="blue")
        unit.session.add(fact)
        await unit.session.flush()
        fact.value = "red"
        await unit.session.flush()
        with pytest.raises(UnscopedQuery):
            await unit.session.execute(select(InstallationFact))
        await unit.session.delete(fact)


async def test_a_failed_flush_leaves_the_fence_closed(database: Database) -> None:
    async with database.write() as unit:
        unit.session.add(Membership(group_id="none", user_id="none"))
        with pytest.raises(IntegrityError):
            await unit.session.flush()
        await unit.session.rollback()
        with pytest.raises(UnscopedQuery):
            await unit.session.execute(select(InstallationFact))


async def test_a_flush_opens_no_other_task(database: Database) -> None:
    """While one task flushes, another one's statement is still stopped."""

    async def write(name: str) -> None:
        async with database.write() as unit:
            unit.session.add(InstallationFact(name=name, value="x"))

    async def peek() -> None:
        async with database.read() as unit:
            with pytest.raises(UnscopedQuery):
                await unit.session.execute(select(InstallationFact))

    await asyncio.gather(
        *(step(f"fact {n}") if step is write else peek() for n in range(10) for step in (write, peek))
    )


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO installation_facts VALUES ('a', 'b', 'c')",
        "  update documents SET title = ''",
        "Delete FROM documents",
    ],
)
async def test_a_read_unit_writes_nothing(database: Database, sql: str) -> None:
    async with database.read() as unit:
        with pytest.raises(WriteInReadUnit):
            await unit.session.execute(text(sql))


async def test_a_read_unit_flushes_nothing(database: Database) -> None:
    with pytest.raises(WriteInReadUnit):
        async with database.read() as unit:
            unit.session.add(InstallationFact(name="a", value="b"))
    async with database.read() as unit:
        found = await unit.session.execute(system_scope(select(InstallationFact), SystemReason.SETUP))
        assert found.all() == []


async def test_the_mode_does_not_stick_to_the_connection(database: Database) -> None:
    async with database.read():
        pass
    async with database.write() as unit:
        unit.session.add(InstallationFact(name="a", value="b"))
    async with database.engine.connect() as connection:
        assert MODE not in connection.sync_connection.get_execution_options()  # type: ignore[union-attr]


async def test_a_cached_statement_is_asked_again(make_user: MakeUser, database: Database) -> None:
    """The compiled form is cached by shape: a stamped statement must not open the way for its plain twin."""
    await make_user("anna")
    async with database.read() as unit:
        for _ in range(3):
            await unit.session.execute(system_scope(select(User), SystemReason.COUNTS))
            with pytest.raises(UnscopedQuery):
                await unit.session.execute(select(User))


def test_the_private_hook_is_still_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """FencedSession overrides a private method of SQLAlchemy: a release that renames it fails here."""
    assert "_flush" in Session.__dict__
    assert FencedSession._flush is not Session._flush
    assert not fence._flushing.get()
