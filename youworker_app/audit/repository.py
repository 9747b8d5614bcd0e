"""All SQL of the trail. Nothing that an event tells is ever changed here: a person can be blanked, and a stretch retired."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final, TypeVar, cast

from sqlalchemy import CursorResult, Executable, bindparam, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, col

from youworker_app.access.visible import SystemReason, insert_rows, system_scope
from youworker_app.audit.forms import blanked, is_erased
from youworker_app.audit.schemas import READING, ActionSum, EventFilter, EventView, TrailBlock, TrailEvent
from youworker_app.core.db import UnitOfWork
from youworker_app.core.errors import ChangedMeanwhile
from youworker_app.core.names import name_key
from youworker_app.models.accounts import User
from youworker_app.models.audit import AuditEvent

S = TypeVar("S", bound=Executable)

_TABLE: Final = SQLModel.metadata.tables["audit_events"]
_BLOCKS: Final = SQLModel.metadata.tables["audit_blocks"]
_EVENT_COLUMNS: Final = (*(_TABLE.c[field.name] for field in fields(TrailEvent)), _TABLE.c.block_seq)
_BLOCK_COLUMNS: Final = tuple(_BLOCKS.c[field.name] for field in fields(TrailBlock))
_ACTORS: Final = SQLModel.metadata.tables[str(User.__tablename__)].alias("actors")
_SUBJECTS: Final = SQLModel.metadata.tables[str(User.__tablename__)].alias("subjects")
_VIEWS: Final = select(
    _TABLE.c.id,
    _TABLE.c.at,
    _TABLE.c.actor_id,
    _ACTORS.c.username,
    _TABLE.c.address,
    _TABLE.c.credential_id,
    _TABLE.c.action,
    _TABLE.c.resource_type,
    _TABLE.c.resource_id,
    _TABLE.c.subject_id,
    _SUBJECTS.c.username,
    _TABLE.c.outcome,
    _TABLE.c.details,
    _TABLE.c.correlation_id,
    _TABLE.c.block_seq,
    _TABLE.c.actor_salt,
).select_from(
    _TABLE.outerjoin(_ACTORS, _ACTORS.c.id == _TABLE.c.actor_id).outerjoin(
        _SUBJECTS, _SUBJECTS.c.id == _TABLE.c.subject_id
    )
)
_SHORTEST_ID: Final = 8
# What of an event its actor gets: not whom it was about.
_OWN: Final = (
    "id",
    "at",
    "action",
    "resource_type",
    "resource_id",
    "outcome",
    "details",
    "address",
    "credential_id",
)
_NAMED: Final = (
    ("actor", AuditEvent.actor_id, {"actor_id": None, "address": "", "credential_id": ""}),
    ("subject", AuditEvent.subject_id, {"subject_id": None}),
)


class SealedMeanwhile(ChangedMeanwhile):
    """Another process of this installation sealed at the same moment; nothing was written, the next turn goes on."""


class AuditRepository:
    """Appends to the trail. It needs no actor: what nobody signed in did is told as well."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._session = unit.session

    async def add(self, events: Sequence[TrailEvent]) -> None:
        """Adds events, in one insert; they are written with the unit that they stand in."""
        rows = [{**vars(event), "details": dict(event.details), "block_seq": None} for event in events]
        await self._session.execute(insert_rows(AuditEvent), rows)

    async def blank(self, key: bytes, user_id: str) -> int:
        """Takes a person out of the events that name them (version 2); answers how many fields of events that were."""
        count = 0
        for which, column, nothing in _NAMED:
            found = select(col(AuditEvent.id)).where(col(column) == user_id, col(AuditEvent.version) == 2)
            scoped = system_scope(found, SystemReason.ERASURE)
            ids = list((await self._session.execute(scoped)).scalars())
            await self._blank(key, which, ids, nothing)
            count += len(ids)
        return count

    async def _blank(self, key: bytes, which: str, ids: Sequence[str], nothing: dict[str, Any]) -> None:
        if not ids:
            return
        salt = f"{which}_salt"
        statement = update(_TABLE).where(_TABLE.c.id == bindparam("row_id"))
        statement = statement.values(**nothing, **{salt: bindparam("marker")})
        rows = [{"row_id": each, "marker": blanked(key, each, which)} for each in ids]
        await self._session.execute(system_scope(statement, SystemReason.ERASURE), rows)


class SealRepository:
    """Reads and writes the trail and its blocks past everybody's sight: for the sealer, the verifier and root's reader."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._session = unit.session

    async def last_block(self) -> TrailBlock | None:
        """The newest block."""
        found = await self._blocks(select(*_BLOCK_COLUMNS).order_by(_BLOCKS.c.seq.desc()).limit(1))
        return found[0] if found else None

    async def unsealed(self, limit: int, after: str = "") -> list[TrailEvent]:
        """Events in no block yet, whenever they were committed, by id."""
        found = select(*_EVENT_COLUMNS).where(_TABLE.c.block_seq.is_(None), _TABLE.c.id > after)
        return [event for _, event in await self._events(found.order_by(_TABLE.c.id).limit(limit))]

    async def seal(self, block: TrailBlock, ids: Sequence[str]) -> None:
        """Adds the block and puts the events into it. Raises SealedMeanwhile."""
        try:
            await self._session.execute(_scoped(insert(_BLOCKS)), [{**vars(block), "anchored_at": None}])
        except IntegrityError as error:
            raise SealedMeanwhile from error
        put = update(_TABLE).where(_TABLE.c.id.in_(ids), _TABLE.c.block_seq.is_(None))
        result = await self._session.execute(_scoped(put.values(block_seq=block.seq)))
        if cast("CursorResult[Any]", result).rowcount != len(ids):
            raise SealedMeanwhile

    async def unanchored(self, limit: int) -> list[TrailBlock]:
        """Blocks that were told nowhere yet, oldest first."""
        found = select(*_BLOCK_COLUMNS).where(_BLOCKS.c.anchored_at.is_(None))
        return await self._blocks(found.order_by(_BLOCKS.c.seq).limit(limit))

    async def set_anchored(self, last_seq: int, at: datetime) -> None:
        """Marks the blocks up to this one as told."""
        marked = update(_BLOCKS).where(_BLOCKS.c.anchored_at.is_(None), _BLOCKS.c.seq <= last_seq)
        await self._session.execute(_scoped(marked.values(anchored_at=at)))

    async def blocks_after(self, seq: int, limit: int, *, unretired: bool = False) -> list[TrailBlock]:
        """The blocks after this number, in order."""
        found = select(*_BLOCK_COLUMNS).where(_BLOCKS.c.seq > seq)
        if unretired:
            found = found.where(_BLOCKS.c.retired_at.is_(None))
        return await self._blocks(found.order_by(_BLOCKS.c.seq).limit(limit))

    async def find_block(self, seq: int) -> TrailBlock | None:
        """The block of this number."""
        found = await self._blocks(select(*_BLOCK_COLUMNS).where(_BLOCKS.c.seq == seq))
        return found[0] if found else None

    async def first_block_since(self, since: datetime) -> int:
        """The first block with an event of then or later; the one after the last where there is none."""
        found = select(func.min(_BLOCKS.c.seq)).where(_BLOCKS.c.last_at >= since)
        number: int | None = (await self._session.execute(_scoped(found))).scalar_one_or_none()
        return number if number is not None else await self.last_block_before(None) + 1

    async def last_block_before(self, until: datetime | None) -> int:
        """The last block with an event of before then, or of all blocks; 0 where there is none."""
        found = select(func.coalesce(func.max(_BLOCKS.c.seq), 0))
        if until is not None:
            found = found.where(_BLOCKS.c.first_at < until)
        number: int = (await self._session.execute(_scoped(found))).scalar_one()
        return number

    async def events_in(self, seqs: Sequence[int]) -> dict[int, list[TrailEvent]]:
        """The events of some blocks, by block."""
        rows = await self._events(select(*_EVENT_COLUMNS).where(_TABLE.c.block_seq.in_(seqs)))
        found: dict[int, list[TrailEvent]] = {seq: [] for seq in seqs}
        for seq, event in rows:
            found[seq].append(event)
        return found

    async def lost_block(self) -> int | None:
        """The number of a block that events are in and that is not there, beyond the last one that is."""
        last = select(func.coalesce(func.max(_BLOCKS.c.seq), -1)).scalar_subquery()
        found = _scoped(select(func.min(_TABLE.c.block_seq)).where(_TABLE.c.block_seq > last))
        lost: int | None = (await self._session.execute(found)).scalar_one_or_none()
        return lost

    async def retire(self, block: TrailBlock, at: datetime, mac: str) -> None:
        """Takes the events of a block away behind its seal."""
        await self._session.execute(_scoped(delete(_TABLE).where(_TABLE.c.block_seq == block.seq)))
        marked = update(_BLOCKS).where(_BLOCKS.c.seq == block.seq).values(retired_at=at, retirement=mac)
        await self._session.execute(_scoped(marked))

    async def _blocks(self, statement: Any) -> list[TrailBlock]:
        rows: Any = await self._session.execute(_scoped(statement))
        return [TrailBlock(*row) for row in rows]

    async def _events(self, statement: Any) -> list[tuple[int, TrailEvent]]:
        rows = await self._session.execute(_scoped(statement))
        return [(row[-1], TrailEvent(*row[:-1])) for row in rows]


class ReaderRepository:
    """What root reads of the trail: events of everybody, with the names that people have now."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._session = unit.session

    async def list_events(
        self, wanted: EventFilter, position: tuple[datetime, str] | None, limit: int
    ) -> list[EventView]:
        """The newest first, one more than `limit` if there is one."""
        statement = _VIEWS.where(*_conditions(wanted))
        if position is not None:
            statement = statement.where(tuple_(_TABLE.c.at, _TABLE.c.id) < position)
        statement = statement.order_by(_TABLE.c.at.desc(), _TABLE.c.id.desc()).limit(limit + 1)
        rows: Any = await self._session.execute(_scoped(statement))
        return [EventView(*(*row[:-1], is_erased(row[-1]))) for row in rows]

    async def own_events(
        self, user_id: str, position: tuple[datetime, str] | None, limit: int
    ) -> list[dict[str, Any]]:
        """What somebody did, oldest first, as it is kept."""
        columns = [_TABLE.c[name] for name in _OWN]
        statement = select(*columns).where(_TABLE.c.actor_id == user_id).order_by(_TABLE.c.at, _TABLE.c.id)
        if position is not None:
            statement = statement.where(tuple_(_TABLE.c.at, _TABLE.c.id) > position)
        rows: Any = await self._session.execute(_scoped(statement.limit(limit)))
        return [dict(row._mapping) for row in rows]

    async def sums(self, since: datetime, until: datetime) -> tuple[ActionSum, ...]:
        """How often each action of READING happened, by name of the action."""
        statement = (
            select(_TABLE.c.action, func.count())
            .where(_TABLE.c.action.in_(sorted(READING)), _TABLE.c.at >= since, _TABLE.c.at < until)
            .group_by(_TABLE.c.action)
            .order_by(_TABLE.c.action)
        )
        rows: Any = await self._session.execute(_scoped(statement))
        return tuple(ActionSum(*row) for row in rows)


def _conditions(wanted: EventFilter) -> list[Any]:
    found: list[Any] = []
    if not wanted.reason:
        found.append(_TABLE.c.action.not_in(sorted(READING)))
    if wanted.actor:
        found.append(or_(_TABLE.c.actor_id == wanted.actor, _ACTORS.c.username_key == name_key(wanted.actor)))
    if wanted.action:
        kind = _TABLE.c.action.startswith(f"{wanted.action}.", autoescape=True)
        found.append(or_(_TABLE.c.action == wanted.action, kind))
    if wanted.resource:
        found.append(or_(*_places(wanted.resource)))
    if wanted.since is not None:
        found.append(_TABLE.c.at >= wanted.since)
    if wanted.until is not None:
        found.append(_TABLE.c.at < wanted.until)
    return found


def _places(wanted: str) -> list[Any]:
    """A type, or an id of a resource, a person or a credential: whole, or as much of it as a page shows."""
    ids = (_TABLE.c.resource_id, _TABLE.c.subject_id, _TABLE.c.credential_id)
    if len(wanted) < _SHORTEST_ID:
        return [_TABLE.c.resource_type == wanted, *(each == wanted for each in ids)]
    return [_TABLE.c.resource_type == wanted, *(each.startswith(wanted, autoescape=True) for each in ids)]


def _scoped(statement: S) -> S:
    return system_scope(statement, SystemReason.AUDIT)
