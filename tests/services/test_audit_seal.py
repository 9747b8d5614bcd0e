"""Blocks over the audit trail: what is sealed, what a verification finds, what is told elsewhere and what is retired."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlmodel import SQLModel

from tests.clock import Clock, clock
from tests.trail import blocks_of, events_of, rows_of
from youworker_app.access.visible import SystemReason, system_scope
from youworker_app.audit.errors import TrailBroken
from youworker_app.audit.forms import root_of
from youworker_app.audit.repository import SealedMeanwhile, SealRepository
from youworker_app.audit.schemas import KINDS, Broken, Span
from youworker_app.audit.sealer import make_block
from youworker_app.audit.service import AuditService
from youworker_app.audit.trail import Trail
from youworker_app.audit.verification import Checker
from youworker_app.core.audit_settings import AuditSettings
from youworker_app.core.clock import now
from youworker_app.core.db import Database
from youworker_app.core.keys import DataKeys
from youworker_app.gateways.anchors.memory import MemoryAnchors
from youworker_app.gateways.anchors.protocol import Anchor, AnchorsAway

__all__ = ["clock"]

EVENTS = SQLModel.metadata.tables["audit_events"]
BLOCKS = SQLModel.metadata.tables["audit_blocks"]


@pytest.fixture
def anchors() -> MemoryAnchors:
    return MemoryAnchors()


@pytest.fixture
def trail(database: Database, keys: DataKeys, audit: AuditService, anchors: MemoryAnchors) -> Trail:
    """Its sealer is not running: tests seal when they want."""
    return Trail.over(database, keys, audit, (anchors,), AuditSettings())


@pytest.fixture
async def sealed(database: Database, audit: AuditService, trail: Trail) -> Trail:
    """Three blocks of three events each, and one event that is not sealed yet."""
    for block in range(3):
        await happen(database, audit, 3, resource_id=str(block))
        assert await trail.sealer.seal() == 1
    await happen(database, audit)
    return trail


async def happen(database: Database, audit: AuditService, times: int = 1, **more: str) -> None:
    async with database.write() as unit:
        for _ in range(times):
            await audit.record(unit, None, "thing.done", resource_type="thing", **more)


async def tamper(database: Database, *statements: Any) -> None:
    """What somebody does who can write to the database and has no key."""
    async with database.write() as unit:
        for statement in statements:
            await unit.session.execute(system_scope(statement, SystemReason.COUNTS))


async def broken(trail: Trail, known: Anchor | None = None) -> Broken | None:
    report = await trail.verifier.verify(known)
    assert report.is_intact == (report.first_broken is None)
    return report.first_broken


async def test_what_is_committed_goes_under_one_block_and_is_told(
    database: Database, sealed: Trail, anchors: MemoryAnchors
) -> None:
    assert [row.block_seq for row in await rows_of(database)] == [1, 1, 1, 2, 2, 2, 3, 3, 3, None]
    blocks = await blocks_of(database)
    assert [(block.seq, block.event_count) for block in blocks] == [(1, 3), (2, 3), (3, 3)]
    assert [block.previous for block in blocks] == ["", blocks[0].mac, blocks[1].mac]
    report = await sealed.verifier.verify()
    assert (report.is_intact, report.events, report.blocks, report.unsealed) == (True, 9, 3, 1)
    assert (report.last_block, report.last_mac, report.anchors) == (3, blocks[2].mac, 0)
    await sealed.sealer.anchor()
    assert [(anchor.seq, anchor.mac) for anchor in anchors.kept] == [(each.seq, each.mac) for each in blocks]
    assert (await sealed.verifier.verify()).anchors == 1


async def test_a_long_trail_is_verified_part_by_part(sealed: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("youworker_app.audit.verification._STRETCH", 1)
    steps = [report async for report in sealed.verifier.steps()]
    assert [(each.next_cursor, each.events, each.unsealed) for each in steps] == [
        ("1", 3, 0),
        ("2", 6, 0),
        ("3", 9, 0),
        (None, 9, 1),
    ]
    assert {each.until_block for each in steps} == {3}
    first = await sealed.verifier.verify(most=8)
    assert (first.next_cursor, first.is_intact) == ("2", True)
    second = await sealed.verifier.verify(None, Span(after=2))
    assert (second.next_cursor, second.events, second.blocks, second.unsealed) == (None, 3, 1, 1)


async def test_a_part_is_held_against_the_block_before_it(database: Database, sealed: Trail) -> None:
    await tamper(database, update(BLOCKS).where(BLOCKS.c.seq == 2).values(previous="0" * 64))
    report = await sealed.verifier.verify(None, Span(after=2))
    assert report.first_broken == Broken("block_changed", 2)
    report = await sealed.verifier.verify(None, Span(after=9))
    assert report.first_broken == Broken("block_missing", 9)


async def test_a_time_is_verified_by_the_blocks_of_it(
    database: Database, audit: AuditService, trail: Trail, clock: Clock
) -> None:
    times = []
    for _ in range(3):
        clock.go_on(timedelta(days=1))
        await happen(database, audit, 2)
        await trail.sealer.seal()
        times.append(now())
    await happen(database, audit)
    hour = timedelta(hours=1)
    middle = await trail.verifier.verify(None, Span(times[1] - hour, times[1] + hour))
    assert (middle.events, middle.blocks, middle.last_block, middle.unsealed) == (2, 1, 2, 0)
    rest = await trail.verifier.verify(None, Span(since=times[1] - hour))
    assert (rest.events, rest.blocks, rest.unsealed) == (4, 2, 1)
    later = await trail.verifier.verify(None, Span(since=times[2] + hour))
    assert (later.events, later.is_intact, later.last_block) == (0, True, 3)
    await tamper(database, update(EVENTS).where(EVENTS.c.block_seq == 1).values(action="thing.else"))
    assert (await trail.verifier.verify(None, Span(times[1] - hour))).is_intact
    assert not (await trail.verifier.verify(None, Span(until=times[0] + hour))).is_intact


async def test_nothing_to_seal_makes_no_block(database: Database, trail: Trail) -> None:
    assert await trail.sealer.seal() == 0
    assert await blocks_of(database) == []
    report = await trail.verifier.verify()
    assert (report.is_intact, report.last_block, report.last_mac) == (True, 0, "")


async def test_many_events_take_several_blocks(
    database: Database, audit: AuditService, trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("youworker_app.audit.sealer.MOST_EVENTS", 4)
    await happen(database, audit, 9)
    assert await trail.sealer.seal() == 3
    assert [block.event_count for block in await blocks_of(database)] == [4, 4, 1]
    assert await broken(trail) is None


async def test_an_event_that_commits_late_is_in_a_later_block(
    database: Database, audit: AuditService, trail: Trail
) -> None:
    if database.is_sqlite:
        pytest.skip("one writer at a time")
    async with database.write() as unit:
        await audit.record(unit, None, "thing.late")
        await happen(database, audit)
        assert await trail.sealer.seal() == 1
    assert await trail.sealer.seal() == 1
    assert {row.action: row.block_seq for row in await rows_of(database)} == {
        "thing.late": 2,
        "thing.done": 1,
    }
    assert await broken(trail) is None


async def test_two_that_seal_at_once_put_each_event_into_one_block(
    database: Database, audit: AuditService, keys: DataKeys, trail: Trail
) -> None:
    other = Trail.over(database, keys, audit, (), AuditSettings())
    for _ in range(5):
        await happen(database, audit, 5)
        await asyncio.gather(trail.sealer.seal(), other.sealer.seal(), return_exceptions=True)
    await trail.sealer.seal()
    assert sum(block.event_count for block in await blocks_of(database)) == 25
    assert await broken(trail) is None


async def test_who_comes_second_writes_nothing(
    database: Database, audit: AuditService, keys: DataKeys, sealed: Trail
) -> None:
    [event] = [event for event, row in zip(await events_of(database), await rows_of(database), strict=True)
               if row.block_seq is None]  # fmt: skip
    blocks = await blocks_of(database)
    for last in (blocks[1], blocks[2]):
        block = make_block(keys.derive("audit-blocks"), last, [event], now())
        ids = [event.id] if last is blocks[1] else [event.id, "sealed by another"]
        with pytest.raises(SealedMeanwhile):
            async with database.write() as unit:
                await SealRepository(unit).seal(block, ids)
    assert await blocks_of(database) == blocks


def event_of(seq: int) -> Any:
    from_block = [EVENTS.c.block_seq == seq]
    return EVENTS.c.id.in_(
        system_scope(
            EVENTS.select().with_only_columns(EVENTS.c.id).where(*from_block).limit(1), SystemReason.COUNTS
        )
    )


TAMPERINGS: dict[str, tuple[Callable[[], list[Any]], str, int | None]] = {
    "an event is changed": (
        lambda: [update(EVENTS).where(EVENTS.c.block_seq == 2).values(action="thing.undone")],
        "event_changed",
        2,
    ),
    "an event that is not sealed is changed": (
        lambda: [update(EVENTS).where(EVENTS.c.block_seq.is_(None)).values(outcome="refused")],
        "event_changed",
        None,
    ),
    "a person is blanked": (
        lambda: [update(EVENTS).where(EVENTS.c.block_seq == 3).values(actor_salt="erased:")],
        "event_changed",
        3,
    ),
    "an event is deleted": (lambda: [delete(EVENTS).where(event_of(2))], "events_missing", 2),
    "an event is moved": (
        lambda: [update(EVENTS).where(event_of(1)).values(block_seq=2)],
        "events_missing",
        1,
    ),
    "an event is taken out to be sealed again": (
        lambda: [update(EVENTS).where(event_of(3)).values(block_seq=None)],
        "events_missing",
        3,
    ),
    "an event is put in": (
        lambda: [update(EVENTS).where(EVENTS.c.block_seq.is_(None)).values(block_seq=1)],
        "events_surplus",
        1,
    ),
    "two events are exchanged": (
        lambda: [
            delete(EVENTS).where(event_of(1)),
            update(EVENTS).where(EVENTS.c.block_seq.is_(None)).values(block_seq=1),
        ],
        "events_exchanged",
        1,
    ),
    "a block is changed": (
        lambda: [update(BLOCKS).where(BLOCKS.c.seq == 2).values(event_count=2)],
        "block_changed",
        2,
    ),
    "a block and its events are deleted": (
        lambda: [delete(BLOCKS).where(BLOCKS.c.seq == 2), delete(EVENTS).where(EVENTS.c.block_seq == 2)],
        "block_missing",
        2,
    ),
    "the beginning is deleted": (
        lambda: [delete(BLOCKS).where(BLOCKS.c.seq == 1), delete(EVENTS).where(EVENTS.c.block_seq == 1)],
        "block_missing",
        1,
    ),
    "a deletion is called a retirement": (
        lambda: [
            delete(EVENTS).where(EVENTS.c.block_seq == 1),
            update(BLOCKS).where(BLOCKS.c.seq == 1).values(retired_at=now(), retirement="0" * 64),
        ],
        "retirement_forged",
        1,
    ),
    "the last block is deleted, its events stay": (
        lambda: [delete(BLOCKS).where(BLOCKS.c.seq == 3)],
        "tail_cut",
        3,
    ),
    "the tail is cut": (
        lambda: [
            delete(BLOCKS).where(BLOCKS.c.seq == 3),
            delete(EVENTS).where(EVENTS.c.block_seq == 3),
            delete(EVENTS).where(EVENTS.c.block_seq.is_(None)),
        ],
        "tail_cut",
        3,
    ),
    "everything is deleted": (lambda: [delete(BLOCKS), delete(EVENTS)], "tail_cut", 3),
}


@pytest.mark.parametrize("what", TAMPERINGS)
async def test_a_verification_names_the_first_thing_broken(
    database: Database, sealed: Trail, what: str
) -> None:
    await sealed.sealer.anchor()
    assert await broken(sealed) is None
    make, kind, block = TAMPERINGS[what]
    await tamper(database, *make())
    found = await broken(sealed)
    assert found is not None
    assert (found.kind, found.block) == (kind, block)
    assert (found.event_id is not None) == (kind == "event_changed")
    assert kind in KINDS


async def test_events_without_their_last_block_are_seen_without_an_anchor(
    database: Database, sealed: Trail
) -> None:
    await tamper(database, delete(BLOCKS).where(BLOCKS.c.seq == 3))
    assert await broken(sealed) == Broken("tail_cut", 3)


def test_a_block_of_another_history_is_seen(keys: DataKeys, audit: AuditService) -> None:
    """Put back from an older copy of the database, under the same key."""
    checker = Checker(keys.derive("audit"), keys.derive("audit-blocks"))
    events = [audit.event(None, "thing.done", "thing", str(n), "ok", {}) for n in range(3)]
    first = make_block(checker.block_key, None, events[:1], now())
    second = make_block(checker.block_key, first, events[1:2], now())
    other = make_block(checker.block_key, None, events[2:], now())
    assert checker.blocks(None, [first, second], {1: events[:1], 2: events[1:2]}) is None
    found = checker.blocks(None, [other, second], {1: events[2:], 2: events[1:2]})
    assert found == Broken("chain_broken", 2)


async def test_a_changed_event_is_named(database: Database, sealed: Trail) -> None:
    rows = await rows_of(database)
    for row in (rows[7], rows[4]):
        await tamper(database, update(EVENTS).where(EVENTS.c.id == row.id).values(resource_id="9"))
        assert await broken(sealed) == Broken("event_changed", row.block_seq, row.id)


async def test_who_has_the_key_is_betrayed_by_an_anchor(
    database: Database, keys: DataKeys, sealed: Trail, anchors: MemoryAnchors
) -> None:
    await sealed.sealer.anchor()
    blocks = await blocks_of(database)
    rows = [row for row, event in zip(await rows_of(database), await events_of(database), strict=True)
            if row.block_seq == 3]  # fmt: skip
    kept = [event for event in await events_of(database) if event.id in {row.id for row in rows[:2]}]
    forged = make_block(keys.derive("audit-blocks"), blocks[1], kept, now())
    await tamper(
        database,
        delete(EVENTS).where(EVENTS.c.id == rows[2].id),
        update(BLOCKS).where(BLOCKS.c.seq == 3).values(
            root=forged.root, event_count=2, mac=forged.mac, sealed_at=forged.sealed_at,
            first_at=forged.first_at, last_at=forged.last_at,
        ),
    )  # fmt: skip
    assert await broken(sealed) == Broken("anchor_differs", 3)
    anchors.kept.clear()
    assert await broken(sealed) is None
    assert await broken(sealed, Anchor(3, blocks[2].mac, "")) == Broken("anchor_differs", 3)
    assert await broken(sealed, Anchor(4, blocks[2].mac, "")) == Broken("tail_cut", 4)
    assert await broken(sealed, Anchor(2, blocks[1].mac, "")) is None


async def test_anchors_that_could_not_be_told_are_told_later(
    database: Database, audit: AuditService, sealed: Trail, anchors: MemoryAnchors
) -> None:
    anchors.is_away = True
    with pytest.raises(AnchorsAway):
        await sealed.sealer.anchor()
    anchors.is_away = False
    await sealed.sealer.seal()
    await sealed.sealer.anchor()
    await sealed.sealer.anchor()
    assert [anchor.seq for anchor in anchors.kept] == [1, 2, 3, 4]


async def test_an_old_stretch_goes_behind_its_seal(
    database: Database, audit: AuditService, sealed: Trail
) -> None:
    border = (await blocks_of(database))[2].first_at
    retired = await sealed.retirement.retire(None, border)
    assert (retired.blocks, retired.events) == (2, 6)
    await sealed.sealer.seal()
    assert [row.block_seq for row in await rows_of(database)] == [3, 3, 3, 4, 4]
    told = (await events_of(database))[-1]
    assert (told.action, told.details) == ("audit.retired", {"first_block": 1, "last_block": 2, "events": 6})
    report = await sealed.verifier.verify()
    assert (report.is_intact, report.events, report.blocks, report.retired_blocks) == (True, 5, 4, 2)
    await tamper(database, update(EVENTS).where(event_of(3)).values(block_seq=1))
    assert await broken(sealed) == Broken("events_surplus", 1)


async def test_a_setting_retires_what_is_older(
    database: Database, keys: DataKeys, audit: AuditService, sealed: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await sealed.retirement.retire_old()).blocks == 0
    keeping = Trail.over(database, keys, audit, (), AuditSettings(keep_days=10))
    assert (await keeping.retirement.retire_old()).blocks == 0
    monkeypatch.setattr("youworker_app.audit.retirement.now", lambda: now() + timedelta(days=11))
    assert (await keeping.retirement.retire_old()).blocks == 3


async def test_a_broken_stretch_is_not_retired(
    database: Database, audit: AuditService, sealed: Trail
) -> None:
    await tamper(database, update(EVENTS).where(event_of(1)).values(action="thing.undone"))
    with pytest.raises(TrailBroken):
        await sealed.retirement.retire(None, now())
    assert len(await rows_of(database)) == 10


async def test_the_sealer_seals_by_itself_and_ends_with_nothing_left(
    database: Database, keys: DataKeys, audit: AuditService, anchors: MemoryAnchors, trail: Trail
) -> None:
    trail.sealer._interval_s = 0.01
    trail.sealer.start()
    await happen(database, audit)
    async with asyncio.timeout(20):
        while not anchors.kept:
            await asyncio.sleep(0.01)
    trail.sealer._interval_s = 60
    await happen(database, audit)
    await trail.sealer.stop()
    assert all(row.block_seq for row in await rows_of(database))
    assert await broken(trail) is None


async def test_people_who_are_erased_break_no_seal(
    database: Database, audit: AuditService, trail: Trail
) -> None:
    async with database.write() as unit:
        await audit.record(unit, None, "user.suspended", resource_type="user", resource_id="anna")
    await trail.sealer.seal()
    async with database.write() as unit:
        assert await audit.blank(unit, "anna") == 1
    assert await broken(trail) is None


def test_a_root_depends_on_every_leaf_and_its_place() -> None:
    leaves = [str(n) for n in range(7)]
    roots = {root_of(leaves[:n]) for n in range(1, 8)}
    changed = {root_of([*leaves[:n], "x", *leaves[n + 1 :]]) for n in range(7)}
    assert len(roots | changed | {root_of(leaves[::-1])}) == 15
    assert root_of([]) == ""
