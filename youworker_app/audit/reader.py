"""The audit trail as root reads it. Every method is for root alone, by key only with the scope `admin`.

What people read, search and ask is told in sums; by name only where the setting allows it, for a reason that is
recorded each time. Every export is recorded too.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.access.permissions import Permission, require
from youworker_app.audit.errors import NamedReadingOff, PeriodUnusable, ReasonNeeded
from youworker_app.audit.repository import ReaderRepository
from youworker_app.audit.schemas import EventFilter, EventView, Span, SumsView, TrailReport
from youworker_app.audit.service import AuditService
from youworker_app.audit.table import HEADINGS, csv_line, row_of
from youworker_app.audit.verification import Verifier
from youworker_app.core.audit_settings import AuditSettings
from youworker_app.core.clock import now
from youworker_app.core.db import Database
from youworker_app.core.errors import Detail
from youworker_app.core.names import is_plain_text
from youworker_app.core.paging import Page, PageRequest, cursor_for
from youworker_app.gateways.anchors.protocol import Anchor

SHORTEST_REASON: Final = 10
LONGEST_REASON: Final = 500
# Events and blocks after which a request that verifies ends, and says where to go on: some seconds.
VERIFIED_AT_ONCE: Final = 100_000
_BATCH: Final = 500
_DAY: Final = timedelta(days=1)
_USUAL_DAYS: Final = 30
_WHOLE: Final = Span()


class AuditReader:
    """Lists, sums up, exports and verifies."""

    def __init__(
        self, db: Database, audit: AuditService, verifier: Verifier, settings: AuditSettings
    ) -> None:
        self._db, self._audit, self._verifier, self._settings = db, audit, verifier, settings

    @property
    def allows_named_reading(self) -> bool:
        """Whether the setting lets root see by name who read, searched and asked."""
        return self._settings.named_reading

    async def list_events(self, actor: Actor, wanted: EventFilter, page: PageRequest) -> Page[EventView]:
        """The newest first. Raises Malformed on a foreign cursor, NamedReadingOff, ReasonNeeded, PeriodUnusable."""
        wanted = await self._checked(actor, wanted)
        async with self._db.read() as unit:
            found = await ReaderRepository(unit).list_events(wanted, page.position(), page.limit)
        items = tuple(found[: page.limit])
        more = len(found) > page.limit
        return Page(items, cursor_for(items[-1].at, items[-1].id) if more else None)

    async def sums(self, actor: Actor, since: datetime | None, until: datetime | None) -> SumsView:
        """How often people read, searched and asked, over whole days: the last 30 unless asked otherwise.

        Raises PeriodUnusable.
        """
        _require_root(actor)
        last = _utc(until) or now()
        first = _utc(since) or last - _USUAL_DAYS * _DAY
        try:
            begin, end = _midnight(first), _midnight(last - timedelta(microseconds=1)) + _DAY
        except OverflowError as error:
            raise PeriodUnusable from error
        if begin >= end:
            raise PeriodUnusable
        async with self._db.read() as unit:
            return SumsView(begin, end, await ReaderRepository(unit).sums(begin, end))

    async def export(self, actor: Actor, wanted: EventFilter) -> AsyncIterator[str]:
        """The lines of a CSV file, the newest event first. Recorded before its first line.

        Raises NamedReadingOff, ReasonNeeded, PeriodUnusable, before anything is read.
        """
        wanted = await self._checked(actor, wanted)
        async with self._db.write() as unit:
            await self._audit.record(unit, actor, "audit.exported", resource_type="audit")
        return self._lines(wanted)

    async def verify(self, actor: Actor, known: Anchor | None = None, span: Span = _WHOLE) -> TrailReport:
        """Goes through the trail, or the span: some 100,000 events, then the report says where to go on.

        `known` is an anchor that was kept elsewhere. Recorded where it ends. Raises AnchorsAway, PeriodUnusable.
        """
        _require_root(actor)
        report = await self._verifier.verify(known, _span(span), most=VERIFIED_AT_ONCE)
        await self._tell_verified(actor, report)
        return report

    async def verify_in_steps(self, actor: Actor) -> AsyncGenerator[TrailReport, None]:
        """Goes through all of it, telling how far it is; the last report has no `next_cursor`. Raises AnchorsAway."""
        _require_root(actor)
        async with aclosing(self._verifier.steps()) as steps:
            async for report in steps:
                await self._tell_verified(actor, report)
                yield report

    async def _tell_verified(self, actor: Actor, report: TrailReport) -> None:
        if report.next_cursor is not None:
            return
        outcome = "ok" if report.is_intact else "broken"
        async with self._db.write() as unit:
            await self._audit.record(unit, actor, "audit.verified", resource_type="audit", outcome=outcome)

    async def _lines(self, wanted: EventFilter) -> AsyncIterator[str]:
        yield csv_line(HEADINGS)
        position = None
        while True:
            async with self._db.read() as unit:
                found = await ReaderRepository(unit).list_events(wanted, position, _BATCH)
            for event in found[:_BATCH]:
                yield csv_line(row_of(event))
            if len(found) <= _BATCH:
                return
            position = (found[_BATCH - 1].at, found[_BATCH - 1].id)

    async def _checked(self, actor: Actor, wanted: EventFilter) -> EventFilter:
        _require_root(actor)
        reason = wanted.reason.strip()
        if reason:
            await self._justify(actor, reason, wanted)
        return replace(wanted, reason=reason, since=_utc(wanted.since), until=_utc(wanted.until))

    async def _justify(self, actor: Actor, reason: str, wanted: EventFilter) -> None:
        if not self._settings.named_reading:
            raise NamedReadingOff
        if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON or not is_plain_text(reason):
            raise ReasonNeeded(shortest=SHORTEST_REASON, longest=LONGEST_REASON)
        async with self._db.write() as unit:
            told: dict[str, Detail] = {"reason": reason, "is_about_one": bool(wanted.actor)}
            await self._audit.record(unit, actor, "audit.read_named", resource_type="audit", details=told)


def _require_root(actor: Actor) -> None:
    require_scope(actor, Scope.ADMIN)
    require(actor, Permission.ADMINISTER)


def _utc(moment: datetime | None) -> datetime | None:
    """Raises PeriodUnusable for what is no time in UTC."""
    if moment is None:
        return None
    try:
        return moment.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise PeriodUnusable from error


def _span(wanted: Span) -> Span:
    return replace(wanted, since=_utc(wanted.since), until=_utc(wanted.until))


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
