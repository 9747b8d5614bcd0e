"""The database: engine, UnitOfWork, and the one place that commits.

A service step is one unit: committed on clean exit, rolled back otherwise. SQLite: a writing unit begins IMMEDIATE and
holds the process's one write lock, so a read never turns into a write. No gateway is awaited inside a unit. What the
driver says when the database cannot work is told by `database_errors`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from sqlalchemy import DateTime, Dialect, Result, ScalarResult, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.types import TypeDecorator
from sqlalchemy.util import immutabledict

from youworker_app.core.database_errors import DatabaseAway, DatabaseBusy, telling
from youworker_app.core.fence import MODE, FencedSession
from youworker_app.core.pool_watch import PoolState, PoolWatch
from youworker_app.core.settings import DatabaseSettings
from youworker_app.core.slow_queries import SlowQueries
from youworker_app.core.sqlite import OneHopDriver, begin_with_next
from youworker_app.core.telemetry import get_logger

T = TypeVar("T")

log = get_logger(__name__)

_SILENCE_S = 5.0


class UTCDateTime(TypeDecorator[datetime]):
    """Timezone-aware on every database: SQLite keeps naive UTC, PostgreSQL `timestamptz`. Refuses naive values."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class UnitOfWork:
    """One transaction. What must happen only if it commits is registered with `after_commit`."""

    def __init__(self, session: AsyncSession, mode: Literal["read", "write"]) -> None:
        self.session = session
        self.mode = mode
        self._after: list[Callable[[], None]] = []

    def after_commit(self, action: Callable[[], None]) -> None:
        """Runs `action` (quick, not awaited) once the transaction is safe."""
        self._after.append(action)

    def committed(self) -> None:
        """Called by Database alone."""
        for action in self._after:
            action()


class WholeSession(AsyncSession):
    """A session whose steps are finished before a cancellation goes on.

    A statement that is abandoned half way leaves its connection in an unknown state, on SQLite with the write lock held.
    Every step is short; what is long (models, files, vectors) is never awaited inside a unit.
    """

    is_committed = False

    async def connection(
        self, bind_arguments: Any = None, execution_options: Any = None, **options: Any
    ) -> AsyncConnection:
        return await _whole(super().connection(bind_arguments, execution_options, **options))

    async def execute(self, *arguments: Any, **options: Any) -> Result[*tuple[Any, ...]]:
        return await _whole(super().execute(*arguments, **options))

    async def scalar(self, *arguments: Any, **options: Any) -> Any:
        return await _whole(super().scalar(*arguments, **options))

    async def scalars(self, *arguments: Any, **options: Any) -> ScalarResult[Any]:
        return await _whole(super().scalars(*arguments, **options))

    async def get(self, *arguments: Any, **options: Any) -> Any:
        return await _whole(super().get(*arguments, **options))

    async def delete(self, instance: object) -> None:
        await _whole(super().delete(instance))

    async def flush(self, objects: Any = None) -> None:
        await _whole(super().flush(objects))

    async def refresh(self, *arguments: Any, **options: Any) -> None:
        await _whole(super().refresh(*arguments, **options))

    async def commit(self) -> None:
        await _whole(self._commit())

    async def _commit(self) -> None:
        await super().commit()
        self.is_committed = True

    async def rollback(self) -> None:
        await _whole(super().rollback())

    async def close(self) -> None:
        await _whole(super().close())


async def _whole(step: Coroutine[Any, Any, T]) -> T:
    """Awaits a step to its end, and only then passes a cancellation on."""
    task = asyncio.create_task(step)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        task.exception()  # told by the cancellation; not left to be warned about
        raise cancelled
    try:
        return task.result()
    except OSError as error:  # the network's own: neither the driver nor SQLAlchemy wraps it
        log.warning("database_trouble", code=DatabaseAway.code, reason=type(error).__name__)
        raise DatabaseAway from error


class Database:
    """Owns the engine. `read()` and `write()` open units of work.

    Both raise DatabaseTrouble (503) while the database cannot work, and need no restart when it can again.
    """

    def __init__(self, url: str, settings: DatabaseSettings | None = None, *, explains: bool = False) -> None:
        """`explains`: log the plan of slow statements too."""
        settings = settings or DatabaseSettings.model_construct()
        self.is_sqlite = url.startswith("sqlite")
        self.engine: AsyncEngine = _engine(url, settings)
        self._write_lock = asyncio.Lock()
        # Whoever is before us may wait for a foreign writer once; more than that is told.
        self._longest_turn_s = settings.pool_timeout_s + settings.busy_timeout_ms / 1_000
        if self.is_sqlite:
            _prepare_sqlite(self.engine, settings.busy_timeout_ms)
        self._pool = PoolWatch(self.engine, slow_ms=settings.pool_slow_ms)
        self._slow = SlowQueries(self.engine, slow_ms=settings.slow_query_ms, explains=explains)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[UnitOfWork]:
        """A unit that only reads; a write inside raises."""
        with telling():
            async with self._unit("read") as unit:
                yield unit

    @asynccontextmanager
    async def write(self) -> AsyncIterator[UnitOfWork]:
        """A unit that may write; committed on clean exit. Raises ChangedMeanwhile when another one came in its way."""
        with telling():
            async with AsyncExitStack() as stack:
                if self.is_sqlite:
                    await self._take_turn()
                    stack.callback(self._write_lock.release)
                unit = await stack.enter_async_context(self._unit("write"))
                yield unit

    async def _take_turn(self) -> None:
        try:
            async with asyncio.timeout(self._longest_turn_s):
                await self._write_lock.acquire()
        except TimeoutError:
            log.warning("database_turn_exhausted", waited_ms=round(self._longest_turn_s * 1_000))
            raise DatabaseBusy from None

    @asynccontextmanager
    async def _unit(self, mode: Literal["read", "write"]) -> AsyncIterator[UnitOfWork]:
        session = WholeSession(
            self.engine, sync_session_class=FencedSession, expire_on_commit=False, autoflush=False
        )
        unit = UnitOfWork(session, mode)
        try:
            with self._pool.waiting():
                await session.connection(execution_options=immutabledict({MODE: mode}))
            yield unit
            try:
                await session.commit()
            finally:
                # A request that was cancelled during the commit has committed all the same.
                if session.is_committed:
                    unit.committed()
        finally:
            await session.close()

    def pool_state(self) -> PoolState:
        """How its connections are used now, and since the start."""
        return self._pool.state()

    async def close(self) -> None:
        """Closes every connection."""
        await self._slow.close()
        await self.engine.dispose()


def _engine(url: str, settings: DatabaseSettings) -> AsyncEngine:
    options: dict[str, Any] = {
        "pool_size": settings.pool_size,
        "max_overflow": settings.pool_overflow,
        "pool_timeout": settings.pool_timeout_s,
        "pool_use_lifo": True,  # so that connections of a busy hour are not kept in use by turns
    }
    if url.startswith("sqlite"):
        options["module"] = OneHopDriver()
    else:
        options |= {
            "pool_recycle": settings.pool_recycle_s,
            "pool_pre_ping": settings.pool_pre_ping,
            "connect_args": _postgres_arguments(settings),
        }
    return create_async_engine(url, hide_parameters=True, **options)


def _postgres_arguments(settings: DatabaseSettings) -> dict[str, Any]:
    limit = settings.statement_timeout_ms
    return {
        "timeout": settings.connect_timeout_s,
        # The server ends a statement itself; only when it has gone silent we do.
        "command_timeout": limit / 1_000 + _SILENCE_S if limit else None,
        "server_settings": {
            "application_name": settings.application_name,
            "statement_timeout": str(limit),
            "jit": "off",  # compiling takes longer than any statement of ours that is not wrong
        },
    }


def _prepare_sqlite(engine: AsyncEngine, busy_timeout_ms: int) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we begin ourselves, see below
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "foreign_keys=ON",
            "synchronous=FULL",
            f"busy_timeout={busy_timeout_ms}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Any) -> None:
        write = connection.get_execution_options().get(MODE) == "write"
        begin_with_next(connection, "BEGIN IMMEDIATE" if write else "BEGIN")
