"""Frozen inputs and views of the audit trail."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from youworker_app.core.errors import Detail


@dataclass(frozen=True)
class TrailEvent:
    """One event as it is kept: ids and counts, never words that people wrote. What each is for: models/audit.py."""

    id: str
    at: datetime
    version: int
    actor_id: str | None
    address: str
    credential_id: str
    actor_salt: str
    actor_commitment: str
    subject_id: str | None
    subject_salt: str
    subject_commitment: str
    action: str
    resource_type: str
    resource_id: str
    outcome: str
    details: Mapping[str, Detail]
    correlation_id: str
    mac: str


@dataclass(frozen=True)
class TrailBlock:
    """One block as it is kept."""

    seq: int
    first_at: datetime
    last_at: datetime
    event_count: int
    root: str
    previous: str
    sealed_at: datetime
    mac: str
    retired_at: datetime | None = None
    retirement: str = ""


@dataclass(frozen=True)
class Retired:
    """How many blocks and events were taken away."""

    blocks: int
    events: int


@dataclass(frozen=True)
class Broken:
    """The first place where the trail is not as it was written. `kind` is one of KINDS; `event_id` where one event is meant."""

    kind: str
    block: int | None = None
    event_id: str | None = None


# What each kind of Broken means.
KINDS: Mapping[str, str] = {
    "event_changed": "An event is not as it was written.",
    "events_missing": "Events of the block are gone.",
    "events_surplus": "There are more events in the block than were sealed.",
    "events_exchanged": "Events of the block are not those that were sealed.",
    "block_missing": "A block is gone.",
    "block_changed": "A block is not as it was sealed.",
    "chain_broken": "A block does not follow the one before it.",
    "retirement_forged": "The events of a block were taken away, and not by this installation.",
    "tail_cut": "Blocks at the end are gone.",
    "anchor_differs": "A block is not the one that was anchored.",
}


@dataclass(frozen=True)
class Span:
    """What of the trail to verify: the blocks that hold events from `since` on and before `until`, those after `after`.

    Without an end what is not sealed yet is looked at too.
    """

    since: datetime | None = None
    until: datetime | None = None
    after: int = 0


@dataclass(frozen=True)
class TrailReport:
    """What verifying found, so far while there is a `next_cursor` to go on from: counts are of what was looked at.

    `unsealed` events are not under a block yet; `last_block` and `last_mac` are worth keeping elsewhere; `until_block` is
    where it will end; `anchors` is how many anchors were compared.
    """

    is_intact: bool
    first_broken: Broken | None
    events: int
    blocks: int
    retired_blocks: int
    unsealed: int
    last_block: int
    last_mac: str
    until_block: int
    anchors: int
    next_cursor: str | None


# What people read, search and ask: told in sums, by name only where a setting allows it and for a reason.
READING = frozenset({"chat.asked", "document.opened", "file.downloaded", "page.opened", "search.done"})


@dataclass(frozen=True)
class EventFilter:
    """Which events. `actor`: an id or a user name; `action`: whole, or its first word.

    `resource`: a type, an id (of a person or a credential too), or at least the first 8 characters of one.
    From `since` on, and before `until`. A `reason` asks for what people read, searched and asked as well.
    """

    actor: str = ""
    action: str = ""
    resource: str = ""
    since: datetime | None = None
    until: datetime | None = None
    reason: str = ""


@dataclass(frozen=True)
class EventView:
    """One event as root reads it. `actor` and `subject` are user names of now; null for who is gone, or nobody.

    `is_erased`: who did it was blanked, since they were removed.
    """

    id: str
    at: datetime
    actor_id: str | None
    actor: str | None
    address: str
    credential_id: str
    action: str
    resource_type: str
    resource_id: str
    subject_id: str | None
    subject: str | None
    outcome: str
    details: Mapping[str, Detail]
    correlation_id: str
    block: int | None
    is_erased: bool


@dataclass(frozen=True)
class ActionSum:
    """How often people did something of READING in a period, all of them together."""

    action: str
    count: int


@dataclass(frozen=True)
class SumsView:
    """Sums over whole days, in UTC: from the beginning of the first to the end of the last."""

    since: datetime
    until: datetime
    items: tuple[ActionSum, ...]
