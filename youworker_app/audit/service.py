"""Who did what: one row an action, in the transaction of what it tells, under a keyed MAC (forms.py).

Ids and counts only: no text that people wrote, no name, no secret. Persons stand in fields of their own.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from youworker_app.audit.forms import VERSION, commitment, event_mac, new_salt, without
from youworker_app.audit.repository import AuditRepository
from youworker_app.audit.schemas import TrailEvent
from youworker_app.core.clock import now
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.errors import AppError, Detail
from youworker_app.core.ids import new_id
from youworker_app.core.keys import DataKeys
from youworker_app.core.ports import Identified
from youworker_app.core.refusals import Refusal, Refusals
from youworker_app.core.telemetry import client_address, correlation_id

MOST_NOTED: Final = 5_000
_LONGEST: Final = 64
_PERSON: Final = "user"
_PERSON_DETAIL: Final = "user_id"


class AuditService:
    """Writes the trail. `record` is awaited inside the caller's unit of work; `news` is set when something is to be sealed."""

    def __init__(self, keys: DataKeys) -> None:
        self._key = keys.derive("audit")
        self.news = asyncio.Event()
        self._noted: list[TrailEvent] = []
        self._lost = 0
        self.refusals = Refusals(self._note_refused)
        self._gone: set[str] = set()

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
        """Adds one event to the unit; it is there if, and only if, the unit commits. `actor` None: nobody signed in.

        A resource of the type "user", or else a detail "user_id", is kept as the event's subject.
        """
        event = self.event(actor, action, resource_type, resource_id, outcome, details or {})
        await AuditRepository(unit).add((event,))
        unit.after_commit(self.news.set)

    def note(
        self,
        actor: Identified | None,
        action: str,
        *,
        resource_type: str = "",
        resource_id: str = "",
        outcome: str = "ok",
        details: Mapping[str, Detail] | None = None,
    ) -> None:
        """Like `record` for what changes nothing (reading, refusals): it awaits nothing and is written within a second.

        Of more than MOST_NOTED in a second the rest is told as a number.
        """
        self._keep(self.event(actor, action, resource_type, resource_id, outcome, details or {}))

    def searched(self, actor: Identified, count: int) -> None:
        """Notes that somebody searched, and how many passages they were shown."""
        self.note(actor, "search.done", resource_type="search", details={"passages": count})

    def _note_refused(self, refusal: Refusal, times: int) -> None:
        told: dict[str, Detail] = {"code": refusal.code, "times": times}
        if refusal.carrier:
            told["carrier"] = refusal.carrier
        who = refusal if refusal.user_id else None
        place = refusal.place[:_LONGEST]
        self._keep(self.event(who, "request.refused", "request", place, "refused", told, refusal.address))

    def _keep(self, event: TrailEvent) -> None:
        if len(self._noted) >= MOST_NOTED:
            self._lost += 1
        else:
            self._noted.append(event)
        self.news.set()

    async def write_noted(self, db: Database) -> None:
        """Writes what was noted; what could not be written is kept for the next time."""
        noted, lost = self._noted, self._lost
        if not noted:
            return
        self._noted, self._lost = [], 0
        more = (self.event(None, "audit.lost", "audit", "", "ok", {"events": lost}),) if lost else ()
        try:
            async with db.write() as unit:
                await AuditRepository(unit).add([self._nameless(each) for each in (*noted, *more)])
        except AppError:
            self._noted, self._lost = (noted + self._noted)[:MOST_NOTED], self._lost + lost
            raise

    def event(
        self,
        actor: Identified | None,
        action: str,
        resource_type: str,
        resource_id: str,
        outcome: str,
        details: Mapping[str, Detail],
        address: str | None = None,
    ) -> TrailEvent:
        """An event of now under its MAC, which is in no unit yet. Without an `address` it is that of the request at work."""
        subject, resource_id, details = _subject(resource_type, resource_id, details)
        actor_id, credential_id = (actor.user_id, actor.credential_id) if actor else (None, "")
        address = (client_address.get() if address is None else address)[:_LONGEST]
        actor_salt, subject_salt = new_salt(), new_salt()
        bare = TrailEvent(
            id=new_id(),
            at=now(),
            version=VERSION,
            actor_id=actor_id,
            address=address,
            credential_id=credential_id,
            actor_salt=actor_salt,
            actor_commitment=commitment(actor_salt, actor_id, address, credential_id),
            subject_id=subject,
            subject_salt=subject_salt,
            subject_commitment=commitment(subject_salt, subject),
            action=action,
            resource_type=resource_type,
            resource_id=resource_id,
            outcome=outcome,
            details=details,
            correlation_id=correlation_id.get()[:_LONGEST],
            mac="",
        )
        return replace(bare, mac=event_mac(self._key, bare))

    async def blank(self, unit: UnitOfWork, user_id: str) -> int:
        """Takes this person out of every event that names them, whose MACs hold all the same; answers how many it were.

        What was noted and is not written yet, or comes from a request that is still under way, will not name them either.
        """
        self._gone.add(user_id)
        self.refusals.forget(user_id)
        return await AuditRepository(unit).blank(self._key, user_id)

    def _nameless(self, event: TrailEvent) -> TrailEvent:
        """The event without the people who went before it was written."""
        for user_id in self._gone & {event.actor_id, event.subject_id}:
            event = without(self._key, event, user_id)
        return event


def _subject(
    resource_type: str, resource_id: str, details: Mapping[str, Detail]
) -> tuple[str | None, str, Mapping[str, Detail]]:
    """The person that an event is about, and what of resource and details does not name them."""
    if resource_type == _PERSON:
        return resource_id or None, "", details
    if _PERSON_DETAIL not in details:
        return None, resource_id, details
    rest = {name: value for name, value in details.items() if name != _PERSON_DETAIL}
    return str(details[_PERSON_DETAIL]), resource_id, rest
