"""A clock that tests set: the product has one source of time, and this stands in for what it asks."""

from datetime import UTC, datetime, timedelta, tzinfo

import pytest

from youworker_app.core import clock as core_clock


class Clock:
    """Real time, moved."""

    def __init__(self) -> None:
        self.moved = timedelta()

    def now(self, zone: tzinfo | None = None) -> datetime:
        """What `datetime.now` says."""
        return datetime.now(zone) + self.moved

    def set_back(self, by: timedelta) -> None:
        """An administrator, or a time server, corrects it."""
        self.moved -= by

    def go_on(self, by: timedelta) -> None:
        """Time passes."""
        self.moved += by


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The product's clock, in the hands of the test."""
    found = Clock()
    monkeypatch.setattr(core_clock, "datetime", found)
    assert abs(core_clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
    return found
