"""The fixed forms that the trail's MACs and commitments are made of: pure functions, no storage.

An event's MAC covers two commitments instead of the persons beside them: SHA-256 over 16 random bytes of salt and the
fields. Once salt and fields are gone, nobody finds the person in the commitment, and the MAC still verifies. What stands
in the salt's place then is keyed too, so that only the product can have blanked it. Version 1 knew the actor alone, in
the MAC itself.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from youworker_app.audit.schemas import TrailBlock, TrailEvent

VERSION: Final = 2
_ERASED: Final = "erased:"
_SALT_BYTES: Final = 16
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode


def new_salt() -> str:
    """16 random bytes in hexadecimal."""
    return os.urandom(_SALT_BYTES).hex()


def commitment(salt: str, *fields: str | None) -> str:
    """SHA-256 (hex) over the salt and the fields."""
    return hashlib.sha256(_encode([salt, *fields]).encode()).hexdigest()


def event_mac(key: bytes, event: TrailEvent) -> str:
    """HMAC-SHA-256 (hex) over an event in the form of its version; empty for a version that nobody wrote."""
    match event.version:
        case 1:
            return _mac(key, [event.id, _time(event.at), event.actor_id, *_common(event)])
        case 2:
            persons = (event.actor_commitment, event.subject_commitment)
            return _mac(key, [VERSION, event.id, _time(event.at), *persons, *_common(event)])
    return ""


def is_genuine(key: bytes, event: TrailEvent) -> bool:
    """Whether event, MAC and persons are as they were written, or the persons were blanked by `blanked`."""
    if not hmac.compare_digest(event.mac.encode(), event_mac(key, event).encode()):
        return False
    actor = (event.actor_id, event.address, event.credential_id)
    if event.version == 1:
        return not any((*actor[1:], event.subject_id))
    return _holds(key, event.id, "actor", event.actor_salt, event.actor_commitment, *actor) and _holds(
        key, event.id, "subject", event.subject_salt, event.subject_commitment, event.subject_id
    )


def blanked(key: bytes, event_id: str, which: str) -> str:
    """What stands in the place of a salt whose person ("actor" or "subject") was blanked."""
    return f"{_ERASED}{_mac(key, ['erased', which, event_id])[:48]}"


def without(key: bytes, event: TrailEvent, user_id: str) -> TrailEvent:
    """The event with this person blanked wherever it names them, as the repository does it with what is written."""
    if event.actor_id == user_id:
        marker = blanked(key, event.id, "actor")
        event = replace(event, actor_id=None, address="", credential_id="", actor_salt=marker)
    if event.subject_id == user_id:
        event = replace(event, subject_id=None, subject_salt=blanked(key, event.id, "subject"))
    return event


def is_erased(salt: str) -> bool:
    """Whether the person beside this salt was blanked."""
    return salt.startswith(_ERASED)


def _holds(key: bytes, event_id: str, which: str, salt: str, promised: str, *fields: str | None) -> bool:
    if is_erased(salt):
        return not any(fields) and hmac.compare_digest(salt.encode(), blanked(key, event_id, which).encode())
    return hmac.compare_digest(promised.encode(), commitment(salt, *fields).encode())


def root_of(macs: Sequence[str]) -> str:
    """The Merkle root (hex) over events' MACs in their order. Leaves and nodes are told apart (RFC 6962, 2.1)."""
    level = [hashlib.sha256(b"\0" + mac.encode()).digest() for mac in macs]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        # One without a pair goes up as it is.
        level = [hashlib.sha256(b"\1" + left + right).digest() for left, right in pairs] + (
            level[-1:] if len(level) % 2 else []
        )
    return level[0].hex() if level else ""


def block_mac(key: bytes, block: TrailBlock) -> str:
    """HMAC-SHA-256 (hex) over a block and the MAC of the block before."""
    times = (_time(block.first_at), _time(block.last_at), _time(block.sealed_at))
    return _mac(key, ["block", block.seq, *times, block.event_count, block.root, block.previous])


def retirement_mac(key: bytes, block: TrailBlock, at: datetime) -> str:
    """HMAC-SHA-256 (hex) that says that the block's events were taken away at that time, by the product."""
    return _mac(key, ["retired", block.seq, block.mac, _time(at)])


def _common(event: TrailEvent) -> list[Any]:
    resource = (event.resource_type, event.resource_id)
    return [event.action, *resource, event.outcome, dict(event.details), event.correlation_id]


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _mac(key: bytes, fields: list[Any]) -> str:
    return hmac.digest(key, _encode(fields).encode(), "sha256").hex()
