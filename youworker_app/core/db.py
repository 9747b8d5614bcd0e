"""The database: engine, UnitOfWork, and the one place that commits.

A service step is one unit: committed on clean exit, rolled back otherwise. SQLite: a writing unit begins IMMEDIATE and
holds the process's one write lock, so a read never turns into a write. No gateway is awaited inside a unit.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from sqlalchemy import DateTime, Dialect, Result, ScalarResult, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.types import TypeDecorator
from sqlalchemy.util import immutabledict

from youworker_app.core.errors import ChangedMeanwhile
from youworker_app.core.fence import MODE, FencedSession

T = TypeVar("T")

# PostgreSQL's codes (appendix A) for a reference to a row that is gone, a deadlock, and a failed serialization.
_COLLISIONS = frozenset({"23503", "40P01", "40001"})


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
    return task.result()


class Database:
    """Owns the engine. `read()` and `write()` open units of work."""

    def __init__(self, url: str, *, busy_timeout_ms: int = 5_000, pool_size: int = 10) -> None:
        self.is_sqlite = url.startswith("sqlite")
        pool: dict[str, Any] = {} if self.is_sqlite else {"pool_size": pool_size, "pool_pre_ping": True}
        self.engine: AsyncEngine = create_async_engine(url, hide_parameters=True, **pool)
        self._write_lock = asyncio.Lock()
        if self.is_sqlite:
            _prepare_sqlite(self.engine, busy_timeout_ms)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[UnitOfWork]:
        """A unit that only reads; a write inside raises."""
        async with self._unit("read") as unit:
            yield unit

    @asynccontextmanager
    async def write(self) -> AsyncIterator[UnitOfWork]:
        """A unit that may write; committed on clean exit. Raises ChangedMeanwhile when another one came in its way."""
        async with AsyncExitStack() as stack:
            if self.is_sqlite:
                await stack.enter_async_context(self._write_lock)
            try:
                async with self._unit("write") as unit:
                    yield unit
            except DBAPIError as error:
                if not _is_collision(error):
                    raise
                raise ChangedMeanwhile from error

    @asynccontextmanager
    async def _unit(self, mode: Literal["read", "write"]) -> AsyncIterator[UnitOfWork]:
        session = WholeSession(
            self.engine, sync_session_class=FencedSession, expire_on_commit=False, autoflush=False
        )
        unit = UnitOfWork(session, mode)
        try:
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

    async def close(self) -> None:
        """Closes every connection."""
        await self.engine.dispose()


def _is_collision(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in _COLLISIONS or "FOREIGN KEY constraint" in str(error.orig)


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
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
