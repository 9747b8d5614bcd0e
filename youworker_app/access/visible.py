"""`visible()`: the only way to a guarded table. The stamp it leaves is what the query fence looks for."""

from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, TypeVar, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Delete,
    Executable,
    Insert,
    Select,
    Update,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlmodel import SQLModel, col

from youworker_app.access.actor import Actor
from youworker_app.access.policies import POLICIES, covered_tables
from youworker_app.access.rights import Right
from youworker_app.core.db import UnitOfWork
from youworker_app.core.fence import STAMP, guard_tables
from youworker_app.models.accounts import EncryptionKey, User

M = TypeVar("M", bound=SQLModel)
S = TypeVar("S", bound=Executable)


_ALL_TABLES = frozenset(str(model.__tablename__) for model in POLICIES)
guard_tables(_ALL_TABLES)


class SystemReason(StrEnum):
    """Why a statement may look past a person's sight. Each is used in the one place that its comment names."""

    AUTHENTICATE = "authenticate"  # access.authenticate: before there is an actor
    SETUP = "setup"  # accounts: the first account, unique names
    RECOVERY = "recovery"  # ingestion, chat: what a stopped process left unfinished
    INDEX = "index"  # documents: what the search index should hold, for its maintenance; shown to nobody
    DEDUPLICATION = "deduplication"  # documents: the same content within one space
    COUNTS = "counts"  # operations: sums without content
    AUDIT = "audit"  # audit: sealing and verifying, and root's reader
    ERASURE = "erasure"  # the ports: what goes with a person or a group
    RETENTION = "retention"  # chat: what is over its time
    KEYS = "keys"  # accounts: data keys are wrapped anew under another master key


@lru_cache(maxsize=2_048)
def _policy(model: type[SQLModel], actor: Actor, right: Right) -> ColumnElement[bool]:
    """The policy's expression, kept: one actor asks for the same one many times a second, and making it costs more than
    running most statements. An actor is what it is compared by, so another group or role is another expression."""
    return POLICIES[model](actor, right)


def _covered(model: type[SQLModel], actor: Actor) -> frozenset[str]:
    return covered_tables(model, is_narrowed=bool(actor.key_line))


def visible(
    model: type[M], actor: Actor, *, right: Right = Right.VIEW, joined: tuple[type[SQLModel], ...] = ()
) -> Select[M]:
    """Selects the rows of `model` that the actor may see with `right`; `joined` models come under their policies too."""
    models: tuple[type[SQLModel], ...] = (model, *joined)
    clauses = [_policy(each, actor, right) for each in models]
    covered = frozenset[str]().union(*(_covered(each, actor) for each in models))
    return select(model).where(*clauses).execution_options(**{STAMP: covered})


def count_visible(model: type[SQLModel], actor: Actor, *where: Any, right: Right = Right.VIEW) -> Select[int]:
    """Counts the visible rows that satisfy `where`."""
    statement = select(func.count()).select_from(model).where(_policy(model, actor, right), *where)
    return statement.execution_options(**{STAMP: _covered(model, actor)})


def delete_visible(model: type[SQLModel], actor: Actor, *, right: Right = Right.VIEW) -> Delete:
    """Deletes visible rows; the caller adds `where` and has asked `require()`."""
    return (
        delete(model).where(_policy(model, actor, right)).execution_options(**{STAMP: _covered(model, actor)})
    )


def update_visible(model: type[SQLModel], actor: Actor, *, right: Right = Right.VIEW) -> Update:
    """Updates visible rows; the caller adds `where` and `values` and has asked `require()`."""
    return (
        update(model).where(_policy(model, actor, right)).execution_options(**{STAMP: _covered(model, actor)})
    )


@cache
def insert_rows(model: type[SQLModel]) -> Insert:
    """Inserts rows given as mappings of all columns, past the session's bookkeeping, which costs ten times the insert.

    The caller has asked `require()` for what they belong to.
    """
    return insert(SQLModel.metadata.tables[str(model.__tablename__)]).execution_options(
        **{STAMP: covered_tables(model)}
    )


# The first half of the policy of keys, without looking through all documents for the second: every answer asks for it.
_OWN_KEY = (
    select(col(EncryptionKey.wrapped))
    .join(User, col(User.key_id) == col(EncryptionKey.id))
    .where(col(User.id) == bindparam("user_id"))
    .execution_options(**{STAMP: frozenset({"users", "encryption_keys"})})
)


async def own_wrapped_key(unit: UnitOfWork, actor: Actor) -> bytes:
    """The actor's own wrapped data key."""
    return (await unit.session.execute(_OWN_KEY, {"user_id": actor.user_id})).scalar_one()


async def erase_rows(unit: UnitOfWork, model: type[SQLModel], *where: Any) -> int:
    """Deletes the rows that satisfy `where`, whoever may see them, and says how many: for the ports, see core/ports.py."""
    statement = system_scope(delete(model).where(*where), SystemReason.ERASURE)
    result = await unit.session.execute(statement, execution_options={"synchronize_session": False})
    return cast("CursorResult[Any]", result).rowcount


def system_scope(statement: S, reason: SystemReason) -> S:
    """Lets a statement see all rows for a listed reason. tests/architecture lists who may call this."""
    return statement.execution_options(**{STAMP: _ALL_TABLES, "youworker_reason": reason.value})
