"""Every row of every table, whoever may see it: for tests that look for what must not be left."""

from typing import Any

from sqlalchemy import select
from sqlmodel import SQLModel

from youworker_app.core import fence
from youworker_app.core.db import Database


async def every_row(database: Database) -> dict[str, list[dict[str, Any]]]:
    """All rows by table, as `{column: value}`."""
    found = {}
    with fence.migrations():
        async with database.engine.connect() as connection:
            for table in SQLModel.metadata.sorted_tables:
                rows = await connection.execute(select(table))
                found[table.name] = [dict(row) for row in rows.mappings()]
    return found


def traces(rows: dict[str, list[dict[str, Any]]], *words: str) -> set[tuple[str, str]]:
    """(table, column) wherever one of the words stands, however the column keeps it."""
    return {
        (table, column)
        for table, found in rows.items()
        for row in found
        for column, value in row.items()
        if any(
            word in (value.decode("latin-1") if isinstance(value, bytes) else str(value)) for word in words
        )
    }
