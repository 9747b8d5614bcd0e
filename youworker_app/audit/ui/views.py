"""Events as the page shows them: frozen, in the reader's language."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from youworker_app.audit.schemas import ActionSum, EventView
from youworker_app.ui import i18n

_PREFIX: Final = "trail.event."
# An action that is not here is shown as it is called.
_NAMES: Final = frozenset(
    {
        "trail.event.account.changed",
        "trail.event.audit.exported",
        "trail.event.audit.lost",
        "trail.event.audit.read_named",
        "trail.event.audit.retired",
        "trail.event.audit.verified",
        "trail.event.chat.asked",
        "trail.event.chat.deleted",
        "trail.event.document.changed",
        "trail.event.document.deleted",
        "trail.event.document.opened",
        "trail.event.document.returned",
        "trail.event.document.uploaded",
        "trail.event.documents.handed_over",
        "trail.event.file.downloaded",
        "trail.event.group.created",
        "trail.event.group.removed",
        "trail.event.key.created",
        "trail.event.key.deleted",
        "trail.event.member.added",
        "trail.event.member.changed",
        "trail.event.member.removed",
        "trail.event.page.opened",
        "trail.event.password.changed",
        "trail.event.request.refused",
        "trail.event.search.done",
        "trail.event.session.created",
        "trail.event.session.ended",
        "trail.event.session.refused",
        "trail.event.sessions.ended",
        "trail.event.user.created",
        "trail.event.user.removed",
        "trail.event.user.restored",
        "trail.event.user.suspended",
    }
)


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
    """What an action is called."""
    key = f"{_PREFIX}{action}"
    return i18n.text(language, key) if key in _NAMES else action


def _who(event: EventView, language: str) -> str:
    if event.actor:
        return event.actor
    return i18n.text(language, "trail.gone" if event.actor_id or event.is_erased else "trail.nobody")
