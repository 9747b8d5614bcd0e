"""Events as the page shows them: frozen, in the reader's language."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from youworker_app.audit.schemas import ActionSum, EventView, TrailReport
from youworker_app.core.errors import Detail
from youworker_app.ui import i18n

_KIND: Final = "trail.kind."
# What a filter by kind offers: the first words of actions that have a name.
KINDS_OF_ACTION: Final = tuple(
    key.removeprefix(_KIND) for key in i18n.CATALOGUES[i18n.DEFAULT] if key.startswith(_KIND)
)
_LONGEST_VALUE: Final = 200
_SHORT: Final = 8  # characters of an id that are shown


@dataclass(frozen=True)
class EventLine:
    """One event in words. `mark`: how it ended, where its name does not say so."""

    id: str
    at: str
    who: str
    what: str
    action: str
    about: str
    where: str
    mark: str


@dataclass(frozen=True)
class SumLine:
    """How often something of what people read, search and ask happened."""

    action: str
    what: str
    count: int


def event_line(event: EventView, language: str) -> EventLine:
    """What the event says."""
    about = [_resource(event, language), *_details(event, language)]
    says_so = event.action.endswith(".refused")
    return EventLine(
        event.id,
        f"{event.at:%Y-%m-%d %H:%M:%S} UTC",
        _who(event, language),
        action_name(event.action, language),
        event.action,
        " · ".join(part for part in about if part),
        event.address,
        "" if event.outcome == "ok" or says_so else _word("outcome", event.outcome, language),
    )


def _resource(event: EventView, language: str) -> str:
    if event.subject or event.subject_id:
        name = event.subject or (event.subject_id or "")[:_SHORT]
        return i18n.text(language, "trail.about", name=name)
    if not event.resource_id or event.resource_type == "request":
        return event.resource_id
    return f"{_word('resource', event.resource_type, language)} {event.resource_id[:_SHORT]}"


def _details(event: EventView, language: str) -> list[str]:
    told = dict(event.details)
    if event.credential_id:
        told["by"] = event.credential_id[:_SHORT]
    return [
        f"{_word('detail', name, language)}: {_value(name, value, language)}"
        for name, value in sorted(told.items())
        if (name, value) != ("times", 1)
    ]


def _value(name: str, value: Detail, language: str) -> str:
    if name in {"code", "carrier"}:
        return _word("code", str(value).lower(), language)
    if isinstance(value, bool) or value is None:
        return _word("code", str(value).lower(), language)
    return str(value)[:_LONGEST_VALUE]


def _word(kind: str, name: str, language: str) -> str:
    """What something is called; what has no name is shown as it is."""
    key = f"trail.{kind}.{name}"
    return i18n.text(language, key) if key in i18n.CATALOGUES[i18n.DEFAULT] else name.replace("_", " ")


def sum_lines(sums: Sequence[ActionSum], language: str) -> list[SumLine]:
    """The sums in words."""
    return [SumLine(each.action, action_name(each.action, language), each.count) for each in sums]


def action_name(action: str, language: str) -> str:
    """What an action is called; one that has no name is shown as it is."""
    key = f"trail.event.{action}"
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
