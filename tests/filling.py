"""Rows for any schema, made from what the database says of its tables: to see what a migration does to data."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    select,
)

Rows = Mapping[str, Sequence[Mapping[str, Any]]]

_BEGINNING = datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC)


def tables_of(connection: Connection) -> list[Table]:
    """The tables that are there, each after those that it points at."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def fill(connection: Connection, rows: int = 3) -> None:
    """Puts rows into every table; each value is another one, references lead to rows that were put before."""
    for table in tables_of(connection):
        made = [{column.name: _value(connection, column, n) for column in table.columns} for n in range(rows)]
        connection.execute(table.insert(), made)


def rows_of(connection: Connection) -> Rows:
    """All rows by table, in the order of their keys."""
    return {
        table.name: [
            dict(row)
            for row in connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
        ]
        for table in tables_of(connection)
    }


def differences(before: Rows, after: Rows) -> list[str]:
    """Where a value of a table and column that both know is another one, or a row is missing or new."""
    found = []
    for name in before.keys() & after.keys():
        if len(before[name]) != len(after[name]):
            found.append(f"{name}: {len(before[name])} rows, then {len(after[name])}")
            continue
        for old, new in zip(before[name], after[name], strict=True):
            found += [
                f"{name}.{column}: {old[column]!r}, then {new[column]!r}"
                for column in old.keys() & new.keys()
                if old[column] != new[column]
            ]
    return sorted(found)


def _value(connection: Connection, column: Column[Any], n: int) -> Any:
    for key in column.foreign_keys:
        referenced = key.column
        return list(connection.scalars(select(referenced).order_by(referenced)))[n]
    match column.type:
        case Boolean():
            return n % 2 == 0
        case Integer():
            return 1_000 + n
        case Float():
            return n + 0.5
        case DateTime():
            moment = _BEGINNING + timedelta(days=n)
            return moment.replace(tzinfo=None) if connection.dialect.name == "sqlite" else moment
        case LargeBinary():
            return bytes([n, 0, 255]) + column.name.encode()
        case JSON():
            return {"n": n, "è": [None, True, "’"]}
        case String():
            return f"{n}è {column.table.name}.{column.name}"[: column.type.length]
        case other:
            raise AssertionError(f"{column} is of a type that has no values here yet: {other!r}")
