"""What may stand in DATABASE_URL, and that its password is never told."""

import pytest
from pydantic import ValidationError
from sqlalchemy.engine import make_url

from youworker_app.core.database_url import connectable, told_url
from youworker_app.core.settings import DatabaseSettings
from youworker_app.serve import CannotStart, read_settings

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("", ""),
        ("postgres://u:p@db/yw", "postgresql+asyncpg://u:p@db/yw"),
        ("postgresql://u:p@db:5433/yw", "postgresql+asyncpg://u:p@db:5433/yw"),
        ("POSTGRES://db/yw", "postgresql+asyncpg://db/yw"),
        ("postgresql+asyncpg://u:p@[::1]:5432/yw", "postgresql+asyncpg://u:p@[::1]:5432/yw"),
        ("postgres://u:p%40%2F@db/yw?sslmode=require", "postgresql+asyncpg://u:p%40%2F@db/yw?ssl=require"),
        ("sqlite:////var/lib/yw.db", "sqlite+aiosqlite:////var/lib/yw.db"),
        ("sqlite:///yw.db", "sqlite+aiosqlite:///yw.db"),
    ],
)
def test_usual_ways_to_write_it(given: str, used: str) -> None:
    assert connectable(given) == used
    if used:
        assert make_url(used).drivername in {"postgresql+asyncpg", "sqlite+aiosqlite"}


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://root:{SECRET}@db/yw",
        f"db:{SECRET}",
        f"postgres://u:{SECRET}@/yw",
        f"postgres://u:{SECRET}@db",
        f"postgres://u:{SECRET}@db:port/yw",
        f"postgres://u:{SECRET}@x@db/yw",
        f"postgres://u:{SECRET}/x@db/yw",
        f"postgres://u:{SECRET}@db/yw?connect_timeout=3",
        f"postgres://u:{SECRET}@db/yw?sslmode={SECRET}",
        f"postgres://u:{SECRET}@db/yw?prepared_statement_cache_size={SECRET}",
        f"postgres://u:{SECRET}@db/yw#x",
        f"sqlite://{SECRET}",
        "sqlite:///",
        "sqlite://",
    ],
)
def test_a_wrong_one_is_told_without_its_password(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(CannotStart) as told:
        read_settings()
    assert "DATABASE_URL" in str(told.value)
    with pytest.raises(ValidationError) as raised:
        DatabaseSettings()
    for text in (str(told.value), str(raised.value), repr(raised.value)):
        assert SECRET not in text


def test_both_names_are_read_and_the_longer_one_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://a/yw")
    assert DatabaseSettings().url == "postgresql+asyncpg://a/yw"
    monkeypatch.setenv("YOUWORKER_DATABASE_URL", "postgres://b/yw")
    assert DatabaseSettings().url == "postgresql+asyncpg://b/yw"
    assert DatabaseSettings(url="postgres://c/yw").url == "postgresql+asyncpg://c/yw"


def test_settings_that_are_printed_show_no_password() -> None:
    assert SECRET not in repr(DatabaseSettings(url=f"postgres://u:{SECRET}@db/yw"))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (f"postgresql+asyncpg://u:{SECRET}@db/yw", "db:5432/yw"),
        (f"postgresql+asyncpg://u:{SECRET}@[::1]:6000/yw", "[::1]:6000/yw"),
        ("sqlite+aiosqlite:////data/yw.db", "/data/yw.db"),
    ],
)
def test_people_are_told_where_it_is(url: str, told: str) -> None:
    assert told_url(url) == told


@pytest.mark.parametrize(
    ("name", "value"), [("application_name", "x" * 64), ("pool_size", 0), ("pool_timeout_s", 0)]
)
def test_wrong_values_are_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        DatabaseSettings(**{name: value})
