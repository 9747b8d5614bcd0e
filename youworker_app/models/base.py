"""What every table shares."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from youworker_app.core.clock import now
from youworker_app.core.db import UTCDateTime
from youworker_app.core.ids import new_id

ID_LENGTH = 36

# Every constraint has a name on both databases, so that a later migration can drop or change it.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


def id_field() -> Any:
    """The primary key: a random UUID as text."""
    return Field(default_factory=new_id, primary_key=True, max_length=ID_LENGTH)


def time_field(*, index: bool = False) -> Any:
    """A timezone-aware time, now by default."""
    return Field(default_factory=now, sa_type=UTCDateTime, nullable=False, index=index)


def optional_time_field(*, index: bool = False) -> Any:
    """A timezone-aware time, or nothing."""
    return Field(default=None, sa_type=UTCDateTime, nullable=True, index=index)


def reference(target: str, *, index: bool = True, on_delete: str = "CASCADE") -> Any:
    """A required foreign key to `target` (table.column)."""
    return Field(foreign_key=target, index=index, ondelete=on_delete, max_length=ID_LENGTH)  # type: ignore[call-overload]


def optional_reference(target: str, *, index: bool = True, on_delete: str = "SET NULL") -> Any:
    """A foreign key to `target` that may be empty."""
    return Field(  # type: ignore[call-overload]
        default=None, foreign_key=target, index=index, ondelete=on_delete, max_length=ID_LENGTH, nullable=True
    )


__all__ = [
    "SQLModel",
    "datetime",
    "id_field",
    "optional_reference",
    "optional_time_field",
    "reference",
    "time_field",
]
