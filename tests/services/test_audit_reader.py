"""Who reads the audit trail and what they are shown: root alone, events by name, what people read in sums."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.people import MakeUser
from tests.trail import events_of
from youworker_app.access.actor import Actor, Scope, ScopeMissing
from youworker_app.access.permissions import RootOnly
from youworker_app.audit.errors import NamedReadingOff, PeriodUnusable, ReasonNeeded
from youworker_app.audit.reader import AuditReader
from youworker_app.audit.schemas import READING, EventFilter, EventView
from youworker_app.audit.service import AuditService
from youworker_app.audit.table import HEADINGS, csv_line
from youworker_app.audit.trail import Trail
from youworker_app.core.audit_settings import AuditSettings
from youworker_app.core.clock import now
from youworker_app.core.db import Database
from youworker_app.core.keys import DataKeys
from youworker_app.core.paging import PageRequest

REASON = "A complaint about leaked minutes, case 12"


@pytest.fixture
def trail(database: Database, keys: DataKeys, audit: AuditService) -> Trail:
    return Trail.over(database, keys, audit, (), AuditSettings())


@pytest.fixture
def reader(database: Database, audit: AuditService, trail: Trail) -> AuditReader:
    """As it comes."""
    return AuditReader(database, audit, trail.verifier, AuditSettings())


@pytest.fixture
def open_reader(database: Database, audit: AuditService, trail: Trail) -> AuditReader:
    """With the named view allowed."""
    return AuditReader(database, audit, trail.verifier, AuditSettings(named_reading=True))


@pytest.fixture
async def root(make_user: MakeUser) -> Actor:
    return await make_user("root", is_root=True)


@pytest.fixture
async def anna(root: Actor, make_user: MakeUser) -> Actor:
    return await make_user("anna")


async def happen(database: Database, audit: AuditService, who: Actor, *actions: str) -> None:
    for action in actions:
        async with database.write() as unit:
            await audit.record(unit, who, action, resource_type="document", resource_id="d1")


async def actions(
    reader: AuditReader,
    root: Actor,
    wanted: EventFilter = EventFilter(),  # noqa: B008 - frozen
) -> list[str]:
    page = await reader.list_events(root, wanted, PageRequest(200))
    return [event.action for event in page.items]


async def test_nobody_but_root_reads_it(reader: AuditReader, root: Actor, anna: Actor) -> None:
    narrow = replace(root, scopes=frozenset({Scope.CHAT_READ}))
    for who, error in ((anna, RootOnly), (narrow, ScopeMissing)):
        with pytest.raises(error):
            await reader.list_events(who, EventFilter(), PageRequest())
        with pytest.raises(error):
            await reader.sums(who, None, None)
        with pytest.raises(error):
            await reader.export(who, EventFilter())
        with pytest.raises(error):
            await reader.verify(who)


async def test_events_are_told_by_name_the_newest_first(
    reader: AuditReader, database: Database, audit: AuditService, root: Actor, anna: Actor, trail: Trail
) -> None:
    await happen(database, audit, anna, "document.uploaded")
    await trail.sealer.seal()
    async with database.write() as unit:
        await audit.record(unit, root, "user.suspended", resource_type="user", resource_id=anna.user_id)
    suspended, uploaded = (await reader.list_events(root, EventFilter(), PageRequest(2))).items
    assert (suspended.action, suspended.actor, suspended.subject) == ("user.suspended", "root", "anna")
    assert (suspended.subject_id, suspended.block) == (anna.user_id, None)
    assert (uploaded.actor, uploaded.actor_id, uploaded.credential_id, uploaded.block) == (
        "anna", anna.user_id, anna.credential_id, 1,
    )  # fmt: skip


async def test_pages_follow_each_other(reader: AuditReader, root: Actor, anna: Actor) -> None:
    whole = (await reader.list_events(root, EventFilter(), PageRequest(200))).items
    found: list[EventView] = []
    cursor = None
    while True:
        page = await reader.list_events(root, EventFilter(), PageRequest(2, cursor))
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert tuple(found) == whole
    assert len(whole) > 3


async def test_filters(
    reader: AuditReader, database: Database, audit: AuditService, root: Actor, anna: Actor
) -> None:
    before = now()
    await happen(database, audit, anna, "document.uploaded", "document.deleted")
    await happen(database, audit, root, "documents.other")
    for name in ("anna", "ANNA", anna.user_id):
        assert (await actions(reader, root, EventFilter(actor=name)))[:2] == [
            "document.deleted",
            "document.uploaded",
        ]
        assert "documents.other" not in await actions(reader, root, EventFilter(actor=name))
    assert await actions(reader, root, EventFilter(action="document")) == [
        "document.deleted",
        "document.uploaded",
    ]
    assert await actions(reader, root, EventFilter(action="document.uploaded")) == ["document.uploaded"]
    assert await actions(reader, root, EventFilter(action="%")) == []
    for resource in ("d1", "document"):
        assert len(await actions(reader, root, EventFilter(resource=resource))) == 3
    about = await actions(reader, root, EventFilter(resource=anna.user_id))
    assert about == ["user.created"]
    for shown in (anna.credential_id, anna.credential_id[:8]):
        by = await actions(reader, root, EventFilter(resource=shown))
        assert by == ["document.deleted", "document.uploaded", "session.created"]
    assert await actions(reader, root, EventFilter(resource=f"{anna.credential_id[:7]}%")) == []
    assert len(await actions(reader, root, EventFilter(since=before))) == 3
    assert "document.uploaded" not in await actions(reader, root, EventFilter(until=before))
    assert await actions(reader, root, EventFilter(actor="nobody")) == []


async def test_what_people_read_is_told_in_sums_only(
    reader: AuditReader, database: Database, audit: AuditService, root: Actor, anna: Actor
) -> None:
    await happen(database, audit, anna, *sorted(READING), "chat.asked")
    for wanted in (EventFilter(), EventFilter(actor="anna"), *(EventFilter(action=each) for each in READING)):
        assert not READING & set(await actions(reader, root, wanted))
    assert not READING & {line[5] for line in await exported(reader, root, EventFilter())}
    sums = await reader.sums(root, None, None)
    assert {each.action: each.count for each in sums.items} == dict.fromkeys(READING, 1) | {"chat.asked": 2}
    with pytest.raises(NamedReadingOff):
        await actions(reader, root, EventFilter(reason=REASON))
    with pytest.raises(NamedReadingOff):
        await reader.export(root, EventFilter(reason=REASON))


async def test_the_named_view_wants_a_reason_and_is_recorded(
    open_reader: AuditReader, database: Database, audit: AuditService, root: Actor, anna: Actor
) -> None:
    await happen(database, audit, anna, "chat.asked")
    assert "chat.asked" not in await actions(open_reader, root)
    assert "chat.asked" not in await actions(open_reader, root, EventFilter(reason="   "))
    for reason in ("curious", "x" * 501, "a reason with a \0 in it"):
        with pytest.raises(ReasonNeeded):
            await actions(open_reader, root, EventFilter(reason=reason))
    assert "chat.asked" in await actions(open_reader, root, EventFilter(reason=REASON))
    assert await actions(open_reader, root, EventFilter("anna", reason=REASON, action="chat")) == [
        "chat.asked"
    ]
    told = [event for event in await events_of(database) if event.action == "audit.read_named"]
    assert [(each.actor_id, each.details) for each in told] == [
        (root.user_id, {"reason": REASON, "is_about_one": is_about_one}) for is_about_one in (False, True)
    ]


async def test_sums_are_over_whole_days(
    reader: AuditReader, database: Database, audit: AuditService, root: Actor, anna: Actor
) -> None:
    await happen(database, audit, anna, "chat.asked")
    moment = now()
    sums = await reader.sums(root, moment + timedelta(microseconds=1), moment + timedelta(microseconds=2))
    assert sums.until - sums.since == timedelta(days=1)
    assert (sums.since.hour, sums.since.minute, sums.since.second) == (0, 0, 0)
    assert [each.count for each in sums.items] == [1]
    yesterday = moment - timedelta(days=1)
    assert (await reader.sums(root, yesterday - timedelta(days=3), sums.since)).items == ()


async def test_periods_that_are_none(reader: AuditReader, root: Actor) -> None:
    first = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    last = datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=12)))
    for since, until in ((first, None), (None, last), (now(), now() - timedelta(days=3))):
        with pytest.raises(PeriodUnusable):
            await reader.sums(root, since, until)
    with pytest.raises(PeriodUnusable):
        await reader.sums(root, None, datetime(9999, 12, 31, 23, tzinfo=UTC))
    for moment in (first, last):
        with pytest.raises(PeriodUnusable):
            await actions(reader, root, EventFilter(since=moment))


async def exported(reader: AuditReader, root: Actor, wanted: EventFilter) -> Sequence[list[str]]:
    text = "".join([line async for line in await reader.export(root, wanted)])
    return list(csv.reader(io.StringIO(text, newline="")))


async def test_an_export_has_every_event_and_is_recorded(
    reader: AuditReader, database: Database, root: Actor, anna: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("youworker_app.audit.reader._BATCH", 2)
    lines = await exported(reader, root, EventFilter())
    assert lines[0] == list(HEADINGS)
    events = await events_of(database)
    assert [line[-1] for line in lines[1:]] == [event.id for event in reversed(events)]
    assert (lines[1][5], lines[1][1]) == ("audit.exported", "root")


async def test_no_cell_is_a_formula(
    reader: AuditReader, root: Actor, make_user: MakeUser, database: Database, audit: AuditService
) -> None:
    await make_user("=HYPERLINK(1)")
    await make_user("@SUM, with comma")
    names = {line[1] for line in await exported(reader, root, EventFilter())}
    assert {"'=HYPERLINK(1)", "'@SUM, with comma"} <= names


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", " =", "＠"])
def test_every_way_to_begin_a_formula_is_stopped(start: str) -> None:
    [cells] = csv.reader(io.StringIO(csv_line([f"{start}1", "plain", "a=b"]), newline=""))
    assert cells == [f"'{start}1", "plain", "a=b"]


async def test_a_verification_is_recorded(reader: AuditReader, database: Database, root: Actor) -> None:
    assert (await reader.verify(root)).is_intact
    event = (await events_of(database))[-1]
    assert (event.action, event.actor_id, event.outcome) == ("audit.verified", root.user_id, "ok")
