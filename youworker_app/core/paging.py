"""Pages: every list answers `items` and a `next_cursor`, by key and never by offset."""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from youworker_app.core.errors import Malformed
from youworker_app.core.names import is_plain_text

MAX_LIMIT = 200
_MAX_DIGITS = 9  # fits every database's integer
T = TypeVar("T")


@dataclass(frozen=True)
class PageRequest:
    """`limit` items (1 to 200) after `cursor` (the opaque text of an earlier page)."""

    limit: int = 50
    cursor: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_LIMIT:
            raise Malformed(reason=f"limit must be between 1 and {MAX_LIMIT}")

    def position(self) -> tuple[datetime, str] | None:
        """(time, id) of the last item seen, or None for the first page. Raises Malformed on a foreign cursor."""
        if self.cursor is None:
            return None
        try:
            at, _, item_id = base64.urlsafe_b64decode(self.cursor.encode("ascii")).decode().partition("|")
            moment = datetime.fromisoformat(at)
            is_ours = moment.tzinfo is not None and is_plain_text(item_id) and bool(item_id)
            moment = moment.astimezone(UTC)
        except (ValueError, UnicodeError, OverflowError, binascii.Error) as error:
            raise Malformed(reason="the cursor is not one of ours") from error
        if not is_ours:
            raise Malformed(reason="the cursor is not one of ours")
        return moment, item_id

    def number(self) -> int | None:
        """The number of the last item seen, where lists are in order of one. Raises Malformed on a foreign cursor."""
        if self.cursor is None:
            return None
        if not (self.cursor.isascii() and self.cursor.isdigit() and len(self.cursor) <= _MAX_DIGITS):
            raise Malformed(reason="the cursor is not one of ours")
        return int(self.cursor)


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of views; `next_cursor` is None on the last."""

    items: tuple[T, ...]
    next_cursor: str | None = None


def cursor_for(at: datetime, item_id: str) -> str:
    """The cursor that continues after the item with this time and id."""
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{item_id}".encode()).decode()
