"""Logs statements that take long: their text and time, never their values; at debug level their plan as well.

A plan is asked for afterwards, on a connection of its own, for reading statements only and without running them; whatever
goes wrong with it, the request that was slow does not notice.
"""

import asyncio
import re
import time
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from youworker_app.core import fence
from youworker_app.core.telemetry import get_logger

log = get_logger(__name__)

_LONGEST_TEXT: Final = 2_000
_PLAN_TIMEOUT_S: Final = 5.0
_READS: Final = re.compile(r"^\s*(select|with)\b", re.IGNORECASE)
_BEGUN: Final = "youworker_begun"


class SlowQueries:
    """Listens to one engine, from its making to `close`."""

    def __init__(self, engine: AsyncEngine, *, slow_ms: int, explains: bool) -> None:
        self._engine, self._slow_ms, self._explains = engine, slow_ms, explains
        self._planning: asyncio.Task[None] | None = None
        event.listen(engine.sync_engine, "before_cursor_execute", self._before)
        event.listen(engine.sync_engine, "after_cursor_execute", self._after)

    async def close(self) -> None:
        """Gives up a plan that is still being made."""
        if self._planning is not None:
            self._planning.cancel()
            await asyncio.wait((self._planning,))

    def _before(self, _conn: Any, _cursor: Any, _sql: str, _values: Any, context: Any, _many: bool) -> None:
        if context is not None:
            setattr(context, _BEGUN, time.monotonic())

    def _after(self, _conn: Any, _cursor: Any, sql: str, values: Any, context: Any, many: bool) -> None:
        begun = getattr(context, _BEGUN, None)
        if begun is None or (ms := (time.monotonic() - begun) * 1_000) < self._slow_ms:
            return
        log.warning("slow_query", ms=round(ms), statement=sql[:_LONGEST_TEXT], many=many)
        # One at a time: a database that is slow is not asked for many plans at once.
        if (
            self._explains
            and _READS.match(sql)
            and not many
            and (not self._planning or self._planning.done())
        ):
            self._planning = asyncio.get_running_loop().create_task(self._plan(sql, len(values or ())))

    async def _plan(self, sql: str, values: int) -> None:
        engine = create_async_engine(self._engine.url, poolclass=NullPool, hide_parameters=True)
        try:
            async with asyncio.timeout(_PLAN_TIMEOUT_S):
                async with engine.connect() as connection:
                    with fence.plans():
                        plan = await _explained(connection, sql, values)
                log.debug("slow_query_plan", statement=sql[:_LONGEST_TEXT], plan=plan)
        except (SQLAlchemyError, OSError) as error:
            log.debug("slow_query_without_plan", reason=type(error).__name__)
        finally:
            await engine.dispose()


async def _explained(connection: AsyncConnection, sql: str, values: int) -> list[str]:
    """The plan for any values: with real ones, the lines would show what people wrote."""
    if connection.dialect.name == "sqlite":
        found = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", (None,) * values)
        return [str(row[-1]) for row in found]
    await connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_generic_plan")
    await connection.exec_driver_sql(f"PREPARE youworker_plan AS {sql}")
    arguments = f"({', '.join(['NULL'] * values)})" if values else ""
    found = await connection.exec_driver_sql(f"EXPLAIN EXECUTE youworker_plan{arguments}")
    return [str(row[0]) for row in found]
