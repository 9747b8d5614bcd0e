"""Events as the page shows them: frozen, in the reader's language."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from youworker_app.audit.schemas import ActionSum, EventView, TrailReport
from youworker_app.ui import i18n

_PREFIX: Final = "trail.event."


@dataclass(frozen=True)
class EventLine:
    """One event in words."""

    id: str
    at: str
    who: str
    what: str
    action: str
    about: str
    where: str
    is_refused: bool


@dataclass(frozen=True)
class SumLine:
    """How often something of what people read, search and ask happened."""

    action: str
    what: str
    count: int


def event_line(event: EventView, language: str) -> EventLine:
    """What the event says."""
    parts = [event.resource_type, event.resource_id[:8]] if event.resource_type else []
    if event.subject or event.subject_id:
        name = event.subject or (event.subject_id or "")[:8]
        parts.append(i18n.text(language, "trail.about", name=name))
    parts += [f"{name}: {value}" for name, value in sorted(event.details.items())]
    return EventLine(
        event.id,
        f"{event.at:%Y-%m-%d %H:%M:%S} UTC",
        _who(event, language),
        action_name(event.action, language),
        event.action,
        ", ".join(part for part in parts if part),
        event.address,
        event.outcome != "ok",
    )


def sum_lines(sums: Sequence[ActionSum], language: str) -> list[SumLine]:
    """The sums in words."""
    return [SumLine(each.action, action_name(each.action, language), each.count) for each in sums]


def action_name(action: str, language: str) -> str:
    """What an action is called; one that has no name is shown as it is."""
    key = f"{_PREFIX}{action}"
    return i18n.text(language, key) if key in i18n.CATALOGUES[i18n.DEFAULT] else action


def verdict(report: TrailReport, language: str) -> str:
    """What verifying found so far."""
    broken = report.first_broken
    if broken is not None:
        kind = i18n.text(language, f"trail.broken.{broken.kind}")
        places = {"block": broken.block or "–", "event": broken.event_id or "–"}
        return i18n.text(language, "trail.broken", kind=kind, **places)
    if report.next_cursor is not None:
        return i18n.text(language, "trail.verifying", block=report.last_block, of=report.until_block)
    events = report.events + report.unsealed
    return i18n.text(language, "trail.intact", events=events, blocks=report.blocks)


def _who(event: EventView, language: str) -> str:
    if event.actor:
        return event.actor
    return i18n.text(language, "trail.gone" if event.actor_id or event.is_erased else "trail.nobody")
