"""The ports: asked in order, counted together, and what follows a commit follows a commit alone."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from structlog.testing import capture_logs

from youworker_app.core.db import UnitOfWork
from youworker_app.core.errors import DependencyAway, Detail
from youworker_app.core.ports import Erasure, Identified, MoveFirst, Ports, Step


@dataclass(frozen=True)
class Somebody:
    user_id: str
    credential_id: str = ""


@dataclass
class Trail:
    """An `AuditSink` that remembers."""

    told: list[tuple[str, str, Mapping[str, Detail]]] = field(default_factory=list)

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
        self.told.append((action, resource_id, details or {}))


@dataclass
class Rows:
    """Fulfils `PersonalData` and `GroupContents`: takes so many rows, and has steps for afterwards."""

    counts: dict[str, int]
    steps: tuple[Step, ...] = ()
    first: tuple[Step, ...] = ()

    @property
    def name(self) -> str:
        return "+".join(self.counts)

    @property
    def tables(self) -> frozenset[str]:
        return frozenset(self.counts)

    async def erase(self, unit: UnitOfWork, user_id: str) -> Erasure:
        return Erasure(self.counts, self.steps)

    async def release(self, unit: UnitOfWork, group_id: str) -> Erasure:
        if self.first:
            raise MoveFirst(self.first)
        return Erasure(self.counts, self.steps)


def a_unit() -> UnitOfWork:
    """A unit that no port here asks anything of."""
    nothing: Any = None
    return UnitOfWork(nothing, "write")


class Steps:
    """Steps that tell when they were taken."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.gate = asyncio.Event()

    def named(self, name: str, *, fails: Exception | None = None, waits: bool = False) -> Step:
        async def step() -> None:
            if waits:
                await self.gate.wait()
            if fails:
                raise fails
            self.taken.append(name)

        return step


async def test_everybody_is_asked_in_one_unit_and_told_in_one_row() -> None:
    trail, steps = Trail(), Steps()
    ports = Ports(trail)
    ports.personal_data += [
        Rows({"a": 1, "b": 2}, (steps.named("1"), steps.named("2"))),
        Rows({"b": 3, "c": 0}, (steps.named("3"),)),
    ]
    unit = a_unit()
    await ports.erase_person(unit, Somebody("root"), "anna")
    assert trail.told == [("user.removed", "anna", {"a": 1, "b": 5})]
    await ports.settle()
    assert steps.taken == []  # nothing before the commit
    unit.committed()
    await ports.settle()
    assert steps.taken == ["1", "2", "3"]


async def test_what_is_away_is_left_and_the_rest_follows() -> None:
    steps = Steps()
    ports = Ports(Trail())
    ports.personal_data.append(Rows({}, (steps.named("1", fails=DependencyAway()), steps.named("2"))))
    unit = a_unit()
    await ports.erase_person(unit, Somebody("root"), "anna")
    with capture_logs() as logs:
        unit.committed()
        await ports.settle()
    assert steps.taken == ["2"]
    assert [each["event"] for each in logs] == ["left_for_the_sweep"]


async def test_a_defect_is_logged_and_holds_nobody_up() -> None:
    ports = Ports(Trail())
    ports.personal_data.append(Rows({}, (Steps().named("1", fails=KeyError("x")),)))
    unit = a_unit()
    await ports.erase_person(unit, Somebody("root"), "anna")
    with capture_logs() as logs:
        unit.committed()
        await ports.settle()
    assert [(each["event"], each["log_level"]) for each in logs] == [("following_failed", "error")]


async def test_who_gives_up_waiting_stops_nothing() -> None:
    steps = Steps()
    ports = Ports(Trail())
    ports.personal_data.append(Rows({}, (steps.named("1", waits=True),)))
    unit = a_unit()
    await ports.erase_person(unit, Somebody("root"), "anna")
    unit.committed()
    waiting = asyncio.create_task(ports.settle())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait((waiting,))
    steps.gate.set()
    await ports.settle()
    assert steps.taken == ["1"]


async def test_a_group_stays_while_something_has_to_move() -> None:
    trail, steps = Trail(), Steps()
    ports = Ports(trail)
    ports.group_contents += [Rows({"a": 1}), Rows({"b": 1}, first=(steps.named("move"),))]
    with pytest.raises(MoveFirst) as raised:
        await ports.release_group(a_unit(), Somebody("anna"), "team")
    assert len(raised.value.steps) == 1
    assert trail.told == []


async def test_work_stops_once_the_unit_has_committed() -> None:
    stopped = []

    class Work:
        async def stop(self, user_id: str) -> None:
            stopped.append(user_id)

    ports = Ports(Trail())
    ports.running_work += [Work(), Work()]
    unit = a_unit()
    ports.stop_after(unit, "anna")
    await ports.settle()
    assert stopped == []
    unit.committed()
    await ports.settle()
    assert stopped == ["anna", "anna"]
