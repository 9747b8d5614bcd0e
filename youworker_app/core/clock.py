"""The one source of time. Every time in the product is timezone-aware UTC."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current time, in UTC."""
    return datetime.now(UTC)
