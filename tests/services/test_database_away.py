"""A PostgreSQL that is away, restarted, full of people or slow: told, and recovered from without a restart of ours."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from tests.databases import Cluster
from tests.house import House, open_house, pieces
from youworker_app.chat.schemas import AskQuestion
from youworker_app.core.database_errors import (
    DatabaseAway,
    DatabaseBusy,
    DatabaseTooSlow,
    StorageReadOnly,
    told_of,
)
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.errors import ConfigurationError
from youworker_app.core.keys import DataKeys
from youworker_app.core.migrations import migrate
from youworker_app.core.settings import DatabaseSettings
from youworker_app.gateways.llm.protocol import ChatMessage, Completion, TextDelta
from youworker_app.gateways.llm.scripted import ScriptedModel
from youworker_app.ingestion.schemas import Upload

NOTE = b"The boiler in the cellar is serviced in March. Its number is K-4711."
Opening: TypeAlias = Callable[[], AbstractAsyncContextManager[UnitOfWork]]
OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = 'tests'"


@pytest.fixture
def database_url(migrated_postgres: str) -> str:
    """PostgreSQL alone."""
    return migrated_postgres


@contextmanager
def stopped(postgres: Cluster, mode: str = "fast") -> Iterator[None]:
    """While it is away."""
    postgres.stop(mode)
    try:
        yield
    finally:
        postgres.start()


@asynccontextmanager
async def opened(url: str, **settings: object) -> AsyncIterator[Database]:
    """The database under these settings."""
    database = Database(url, DatabaseSettings(**settings))  # type: ignore[arg-type]
    try:
        yield database
    finally:
        await database.close()


async def asked(database: Database, sql: str = "SELECT 1") -> object:
    async with database.read() as unit:
        return await unit.session.scalar(text(sql))


async def kill_others(url: str) -> None:
    """Ends every other connection, as an administrator or a failover does."""
    async with opened(url) as other:
        await asked(other, OTHERS)


async def until(events: list[dict[str, object]], name: str) -> None:
    """Waits for a log event."""
    async with asyncio.timeout(30):
        while name not in {event["event"] for event in events}:
            await asyncio.sleep(0.01)


async def test_connections_that_died_between_two_units_are_replaced(database: Database) -> None:
    async with database.read(), database.read():
        pass
    await kill_others(str(database.engine.url))
    assert [await asked(database) for _ in range(3)] == [1, 1, 1]


async def test_a_connection_that_dies_in_a_unit_is_told(database: Database) -> None:
    async def ask_dying(opening: Opening) -> None:
        async with opening() as unit:
            await kill_others(str(database.engine.url))
            await unit.session.scalar(text("SELECT 1"))

    for opening in (database.read, database.write):
        with pytest.raises(DatabaseAway):
            await ask_dying(opening)
    assert await asked(database) == 1
    assert database.pool_state().in_use == 0


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_a_server_that_is_away_is_told_until_it_is_back(
    database: Database, postgres: Cluster, mode: str
) -> None:
    assert await asked(database) == 1
    with stopped(postgres, mode):
        for opening in (database.read, database.write):
            with pytest.raises(DatabaseAway) as told:
                async with opening():
                    pass
            assert (told.value.http_status, told.value.code) == (503, "DATABASE_AWAY")
            assert "127.0.0.1" not in told.value.message
    assert await asked(database) == 1


class GatedModel(ScriptedModel):
    """Says two words, and the rest when it is let."""

    gate: asyncio.Event

    async def stream(
        self,
        model: str,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int | None = None,
        temperature: float | None = None,
    ) -> AsyncGenerator[TextDelta | Completion, None]:
        yield TextDelta("Serviced in")
        await self.gate.wait()
        yield TextDelta(" March.")
        yield Completion(1, 2, "stop")


@pytest.fixture
async def gated(
    database: Database, database_url: str, tmp_path: Path, keys: DataKeys
) -> AsyncIterator[tuple[House, asyncio.Event]]:
    """A house whose model waits for the gate."""
    model = GatedModel()
    model.gate = asyncio.Event()
    house = await open_house(database_url, tmp_path / "data", keys, llm=model)
    yield house, model.gate
    await house.stop()


async def test_an_answer_ends_when_the_database_is_back(
    gated: tuple[House, asyncio.Event], postgres: Cluster
) -> None:
    house, gate = gated
    anna = await house.person("anna")
    started = await house.chat.ask(anna, AskQuestion("When?", use_documents=False))
    while not any(event.name == "token" for event in house.live(started.run_id)):
        await asyncio.sleep(0.005)
    with capture_logs() as events, stopped(postgres):
        gate.set()
        await until(events, "answer_waits")
        assert house.live(started.run_id)[-1].name == "token"
    async with asyncio.timeout(30):
        message = await house.chat.wait(anna, started.run_id)
    assert (message.content, message.state) == ("Serviced in March.", "complete")


async def test_a_server_that_ends_meanwhile_does_not_wait(
    gated: tuple[House, asyncio.Event], postgres: Cluster
) -> None:
    house, gate = gated
    anna = await house.person("anna")
    started = await house.chat.ask(anna, AskQuestion("When?", use_documents=False))
    with capture_logs() as events, stopped(postgres):
        gate.set()
        await until(events, "answer_waits")
        async with asyncio.timeout(30):
            await house.chat.shut_down(0.01)
            while house.running(anna):
                await asyncio.sleep(0.01)
    await house.chat.recover()
    assert (await house.chat.wait(anna, started.run_id)).state == "interrupted"


async def test_a_document_is_read_when_the_database_is_back(house: House, postgres: Cluster) -> None:
    anna = await house.person("anna")
    house.installation.worker._retry_seconds = 0.05
    async with house.installation.queue._slots:  # so that its work begins when the database is away
        async with house.installation.queue._slots:
            item = await house.ingestion.upload(anna, Upload("note.txt"), pieces(NOTE))
            postgres.stop()
        with capture_logs() as events:
            try:
                await until(events, "ingestion_waits")
            finally:
                postgres.start()
    async with asyncio.timeout(60):
        await house.installation.queue.idle()
    assert (await house.ingestion.get_job(anna, item.job_id or "")).state == "done"


async def test_all_connections_in_use_is_told(database_url: str) -> None:
    async with opened(database_url, pool_size=1, pool_overflow=1, pool_timeout_s=0.05) as database:
        with capture_logs() as events:
            async with database.read(), database.read():
                with pytest.raises(DatabaseBusy) as told:
                    await asked(database)
                state = database.pool_state()
        assert (told.value.http_status, told.value.code) == (503, "DATABASE_BUSY")
        assert (state.in_use, state.idle, state.overflow, state.most_in_use, state.exhausted) == (
            2,
            0,
            1,
            2,
            1,
        )
        (event,) = [event for event in events if event["event"] == "database_pool_exhausted"]
        assert (event["size"], event["in_use"]) == (1, 2)
        assert event["waited_ms"] >= 50
        assert await asked(database) == 1
        assert database.pool_state().in_use == 0


async def test_a_long_wait_for_a_connection_is_logged(database_url: str) -> None:
    async with opened(database_url, pool_size=1, pool_overflow=0, pool_slow_ms=20) as database:
        await asked(database)
        before = database.pool_state().long_waits  # a new connection takes its time as well
        with capture_logs() as events:
            async with database.read():
                waiting = asyncio.create_task(asked(database))
                await asyncio.sleep(0.05)
                assert database.pool_state().waiting == 1
            assert await waiting == 1
        event = [event for event in events if event["event"] == "database_pool_waited"][-1]
        assert event["waited_ms"] >= 40
        state = database.pool_state()
        assert state.long_waits > before
        assert state.waiting == 0
        assert state.longest_wait_ms >= event["waited_ms"]


async def test_a_statement_that_takes_too_long_is_ended_and_told(database_url: str) -> None:
    async with opened(database_url, statement_timeout_ms=50) as database:
        with pytest.raises(DatabaseTooSlow) as told:
            await asked(database, "SELECT pg_sleep(60)")
        assert told.value.http_status == 503
        assert await asked(database) == 1


async def test_what_may_only_be_read_is_told(database_url: str) -> None:
    async with opened(database_url) as database:
        async with database.write() as unit:
            await unit.session.execute(text("SET TRANSACTION READ ONLY"))
            with pytest.raises(DBAPIError) as raised:
                await unit.session.execute(text("CREATE TABLE nothing (id int)"))
        assert isinstance(told_of(raised.value), StorageReadOnly)


async def test_the_server_knows_who_connects(database_url: str) -> None:
    async with opened(database_url, application_name="youworker two", statement_timeout_ms=1_234) as database:
        assert await asked(database, "SHOW application_name") == "youworker two"
        assert await asked(database, "SHOW statement_timeout") == "1234ms"


async def test_an_old_connection_is_replaced(database_url: str) -> None:
    async with opened(database_url, pool_recycle_s=1) as database:
        first = await asked(database, "SELECT pg_backend_pid()")
        assert await asked(database, "SELECT pg_backend_pid()") == first
        database.engine.pool._recycle = 0  # type: ignore[attr-defined]
        await asyncio.sleep(0.01)
        assert await asked(database, "SELECT pg_backend_pid()") != first


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("/copy_", "/nowhere_"), "there is no database of this name"),
        (("tests@", "stranger:hunter2@"), "it refuses this user or password"),
        (("tests@127.0.0.1", "tests:hunter2@no-such-host.invalid"), "not known"),
    ],
)
async def test_a_start_that_cannot_be_names_the_database_and_no_password(
    database_url: str, change: tuple[str, str], said: str
) -> None:
    with pytest.raises(ConfigurationError) as told:
        await migrate(database_url.replace(*change))
    assert said in told.value.message
    assert ("127.0.0.1" in told.value.message) or ("no-such-host" in told.value.message)
    assert "hunter2" not in told.value.message
    assert "stranger" not in told.value.message


async def test_a_start_without_its_server_names_it(postgres: Cluster) -> None:
    with (
        stopped(postgres),
        pytest.raises(ConfigurationError, match=r"127\.0\.0\.1:\d+/postgres cannot be used"),
    ):
        await migrate(postgres.url)
