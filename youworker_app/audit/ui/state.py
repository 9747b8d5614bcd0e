"""The auditor's page: events under filters, sums of what people read, whether the trail is whole. For root alone."""

import time
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import reflex as rx

from youworker_app.access.actor import Actor
from youworker_app.audit.errors import PeriodUnusable
from youworker_app.audit.reader import AuditReader
from youworker_app.audit.schemas import EventFilter
from youworker_app.audit.ui.views import EventLine, SumLine, event_line, sum_lines, verdict
from youworker_app.core.paging import PageRequest
from youworker_app.core.registry import service
from youworker_app.ui.base_state import BaseState

_PAGE = 50
_LONGEST = 200
_TELL_EVERY_S = 0.5
_FIELDS = ("actor", "action", "resource", "since", "until", "reason")


class AuditState(BaseState):
    """`csv` is where the same events are downloaded; `verdict` is empty until somebody verifies."""

    loaded: bool = False
    named: bool = False
    items: list[EventLine] = []
    sums: list[SumLine] = []
    csv: str = ""
    more: bool = False
    verdict: str = ""
    is_broken: bool = False
    _wanted: EventFilter = EventFilter()
    _cursor: str | None = None

    @rx.event
    async def open(self) -> None:
        """The newest events, and the sums of the last 30 days."""
        actor = await self._actor()
        self._wanted, self.verdict, self.items, self.sums = EventFilter(), "", [], []
        reader = service(AuditReader)
        await self._load(actor)
        self.sums = sum_lines((await reader.sums(actor, None, None)).items, self.language)
        self.named, self.loaded = reader.allows_named_reading, True

    @rx.event
    async def narrow(self, form: dict[str, Any]) -> None:
        """Takes the filters."""
        actor = await self._actor()
        self._wanted = _filter_of(form)
        await self._load(actor)

    @rx.event
    async def show_more(self) -> None:
        """Reads further back."""
        actor = await self._actor()
        if self._cursor is not None:
            await self._load(actor, self._cursor)

    @rx.event(background=True)
    async def verify(self) -> None:
        """Goes through the whole trail and tells how far it is; the page can be used meanwhile."""
        actor = await self._actor()
        told_at = 0.0
        async with aclosing(service(AuditReader).verify_in_steps(actor)) as steps:
            async for report in steps:
                if report.next_cursor is None or time.monotonic() - told_at >= _TELL_EVERY_S:
                    told_at = time.monotonic()
                    async with self:
                        self.is_broken = not report.is_intact
                        self.verdict = verdict(report, self.language)

    async def _load(self, actor: Actor, cursor: str | None = None) -> None:
        page = await service(AuditReader).list_events(actor, self._wanted, PageRequest(_PAGE, cursor))
        lines = [event_line(event, self.language) for event in page.items]
        self.items = [*self.items, *lines] if cursor else lines
        self._cursor, self.more = page.next_cursor, page.next_cursor is not None
        self.csv = f"/v1/audit/export?{urlencode(_as_query(self._wanted))}"


def _filter_of(form: Mapping[str, Any]) -> EventFilter:
    """What was typed. Raises PeriodUnusable."""
    given = {name: str(form.get(name) or "").strip()[:_LONGEST] for name in _FIELDS}
    since, until = _day(given.pop("since")), _day(given.pop("until"))
    return EventFilter(**given, since=since, until=until and until + timedelta(days=1))


def _day(text: str) -> datetime | None:
    """The beginning of a day in UTC; the last ones of all time are none."""
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        _ = day + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise PeriodUnusable from error
    return day


def _as_query(wanted: EventFilter) -> dict[str, str]:
    names = {"since": "from", "until": "to"}
    return {
        names.get(name, name): value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(wanted).items()
        if value
    }
