"""Ports: what a lower layer needs of a higher one. Domains fulfil them, wiring registers them, services are handed `Ports`.

Owns how a person is erased and a group released: every port in one unit, one audit row, and what follows the commit.
Knows no domain: tables are names here.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol, TypeAlias

from youworker_app.core.db import UnitOfWork
from youworker_app.core.errors import AppError, Detail
from youworker_app.core.exports import ExportedFile
from youworker_app.core.telemetry import get_logger

log = get_logger(__name__)

Step: TypeAlias = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Erasure:
    """What was taken away: rows by table, ids of data keys, and the steps that follow the commit (blobs, vectors, telling
    whoever waits)."""

    counts: Mapping[str, int] = field(default_factory=dict)
    afterwards: tuple[Step, ...] = ()
    key_ids: tuple[str, ...] = ()


@dataclass
class Destroyed:
    """What went with a person, for the receipt: rows by table for each port, and ids of data keys.

    `left` counts the steps after the commit that failed: what the next sweep takes.
    """

    by_port: Mapping[str, Mapping[str, int]]
    key_ids: tuple[str, ...]
    left: int = 0


class MoveFirst(Exception):
    """Something has to be moved before the group can go: take the steps outside of the unit, one by one, and ask again."""

    def __init__(self, steps: Sequence[Step]) -> None:
        super().__init__(len(steps))
        self.steps = tuple(steps)


class PersonalData(Protocol):
    """A domain that keeps something of people, in `tables`. An erasure's receipt calls it `name`."""

    @property
    def name(self) -> str: ...

    @property
    def tables(self) -> frozenset[str]: ...

    async def erase(self, unit: UnitOfWork, user_id: str) -> Erasure:
        """Takes everything of this person away, or hands it over; awaits nothing but the unit. Erasing nothing is fine."""
        ...

    def export(self, user_id: str) -> AsyncIterator[ExportedFile]:
        """All that is this person's own, and nothing of others; each file is read to its end before the next.

        Raises Unauthenticated for somebody who may not be here.
        """
        ...


class GroupContents(Protocol):
    """A domain that keeps something of groups, in `tables`."""

    @property
    def tables(self) -> frozenset[str]: ...

    async def release(self, unit: UnitOfWork, group_id: str) -> Erasure:
        """Lets go of the group, whose row the unit holds. Raises MoveFirst while something of it has to be moved outside."""
        ...


class RunningWork(Protocol):
    """Something that goes on in people's names after their request has ended."""

    async def stop(self, user_id: str) -> None:
        """Ends what the person may no longer do, and returns when it has ended; nothing happens when nothing runs."""
        ...


class Identified(Protocol):
    """Whoever acts, as far as the audit trail wants to know."""

    @property
    def user_id(self) -> str: ...

    @property
    def credential_id(self) -> str: ...


class AuditSink(Protocol):
    """Where layers below the audit trail record."""

    async def record(
        self,
        unit: UnitOfWork,
        actor: Identified | None,
        action: str,
        *,
        resource_type: str = "",
        resource_id: str = "",
        outcome: str = "ok",
        details: Mapping[str, Detail] | None = None,
    ) -> None:
        """Adds one event to the unit: ids and counts only."""
        ...


class Ports:
    """Everything that is registered. The order of the lists is the order in which they are asked."""

    def __init__(self, audit: AuditSink) -> None:
        self.audit = audit
        self.personal_data: list[PersonalData] = []
        self.group_contents: list[GroupContents] = []
        self.running_work: list[RunningWork] = []
        self._following: set[asyncio.Task[None]] = set()

    async def erase_person(self, unit: UnitOfWork, by: Identified | None, user_id: str) -> Destroyed:
        """Everything of a person goes in this unit; what follows its commit starts by itself. Audited as user.removed."""
        erased = {port.name: await port.erase(unit, user_id) for port in self.personal_data}
        erasure = _together(erased.values())
        counts = {name: _some(each.counts) for name, each in erased.items()}
        destroyed = Destroyed(counts, erasure.key_ids)
        steps = tuple(partial(_counted, step, destroyed) for step in erasure.afterwards)
        await self._done(unit, by, "user", user_id, replace(erasure, afterwards=steps))
        return destroyed

    async def release_group(self, unit: UnitOfWork, by: Identified | None, group_id: str) -> None:
        """A group goes in this unit, which holds its row. Audited as group.removed. Raises MoveFirst."""
        erasure = _together([await port.release(unit, group_id) for port in self.group_contents])
        await self._done(unit, by, "group", group_id, erasure)

    def stop_after(self, unit: UnitOfWork, user_id: str) -> None:
        """Once the unit has committed, what this person may no longer do ends."""
        self._follow(unit, tuple(partial(port.stop, user_id) for port in self.running_work))

    async def settle(self) -> None:
        """Waits until nothing follows any more. A caller who gives up waiting stops none of it."""
        while self._following:
            await asyncio.wait(set(self._following))

    async def _done(
        self, unit: UnitOfWork, by: Identified | None, kind: str, subject_id: str, erasure: Erasure
    ) -> None:
        await self.audit.record(
            unit,
            by,
            f"{kind}.removed",
            resource_type=kind,
            resource_id=subject_id,
            details=dict(erasure.counts),
        )
        self._follow(unit, erasure.afterwards)

    def _follow(self, unit: UnitOfWork, steps: Sequence[Step]) -> None:
        unit.after_commit(lambda: self._start(steps))

    def _start(self, steps: Sequence[Step]) -> None:
        task = asyncio.create_task(_take(steps))
        self._following.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._following.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("following_failed", exc_info=error)


async def _take(steps: Iterable[Step]) -> None:
    for step in steps:
        try:
            await step()
        except AppError as error:
            # The rows are gone and their keys with them; what is left is noise, and the sweep at the next start takes it.
            log.warning("left_for_the_sweep", code=error.code)


async def _counted(step: Step, destroyed: Destroyed) -> None:
    try:
        await step()
    except AppError:
        destroyed.left += 1
        raise


def _together(erasures: Iterable[Erasure]) -> Erasure:
    counts: Counter[str] = Counter()
    steps: list[Step] = []
    key_ids: list[str] = []
    for erasure in erasures:
        counts.update(erasure.counts)
        steps += erasure.afterwards
        key_ids += erasure.key_ids
    return Erasure(_some(counts), tuple(steps), tuple(key_ids))


def _some(counts: Mapping[str, int]) -> dict[str, int]:
    return {table: count for table, count in counts.items() if count}
