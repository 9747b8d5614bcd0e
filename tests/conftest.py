"""Fixtures that all tests may ask for. `database` is SQLite here; services, api and isolation run on PostgreSQL as well."""

import gc
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import coverage
import hypothesis
import pytest
import structlog

from tests.databases import (
    Cluster,
    Databases,
    SqliteDatabases,
    empty,
    has_postgres,
    migrate_now,
    migrated_databases,
    postgres_cluster,
    sqlite_url,
)
from youworker_app.core import registry
from youworker_app.core.crypto import MasterKeys, new_master_key
from youworker_app.core.db import Database
from youworker_app.core.keys import DataKeys

# The same examples each time, however busy the machine: what `make test` says of a commit has to be true the next day.
# `make test-long` tries others.
hypothesis.settings.register_profile("same", derandomize=True, database=None, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

pytest_plugins = ["tests.model_server.fixtures", "tests.people", "tests.house", "tests.web", "tests.door"]


# Tests that drive servers in processes of their own, and those that ask everything again, from every side or with nonsense.
_UNMEASURED = ("tests/e2e/", "tests/crash/", "tests/bench/", "tests/hostile/", "tests/isolation/")


_LONGEST_ID = 60  # characters


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """The argument's name and a number for a long value: a file that is made anew has other bytes in each process."""
    return argname if isinstance(val, bytes | str) and len(val) > _LONGEST_ID else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Groups tests that share a fixture of their module, and marks what coverage learns nothing from.

    That is the second database too: measuring makes a test of the database three times as long, and counts every greenlet of
    SQLAlchemy for as long as the process lives.
    """
    for item in items:
        case = item.name.partition("[")[2]
        if "postgres" in case or item.nodeid.startswith(_UNMEASURED):
            item.add_marker("unmeasured")
        if isinstance(item, pytest.Function) and shares_a_fixture(item):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


def shares_a_fixture(item: pytest.Function) -> bool:
    """Whether it uses a fixture that lives as long as its module: a server, say, that was made for one process of tests."""
    definitions = item._fixtureinfo.name2fixturedefs.values()  # pytest has no public way to ask
    return any(each[-1].scope == "module" for each in definitions)


# Objects that may be in cycles. Counted in tests, most of which make few, a collection took three quarters of the time.
_COLLECT_AFTER = 200_000


def pytest_collection_finish() -> None:
    """What is there before the first test stays: no collection has to look at it."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup() -> None:
    """While coverage is measured the collector runs between tests alone, and is not traced.

    The tracer keeps greenlets in a weak dictionary. When a collection takes some of them, it traces how the dictionary lets go
    of them, and spins for ever.
    """
    if coverage.Coverage.current() is not None:
        gc.disable()


def pytest_runtest_teardown() -> None:
    """See above."""
    if coverage.Coverage.current() is not None and gc.get_count()[0] >= _COLLECT_AFTER:
        tracer = sys.gettrace()
        sys.settrace(None)
        gc.collect()
        sys.settrace(tracer)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    path = tmp_path_factory.mktemp("migrated") / "youworker.db"
    migrate_now(sqlite_url(path))
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A private PostgreSQL, one a test process. Who stops it starts it again."""
    if not has_postgres():
        pytest.skip("PostgreSQL is not on this machine: apt-get install postgresql")
    with postgres_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def postgres_server(postgres: Cluster) -> str:
    """The URL of an empty database on it."""
    return postgres.url


@pytest.fixture(scope="session")
def sqlite_databases(migrated_sqlite: Path) -> Databases:
    """Databases in files."""
    return SqliteDatabases(migrated_sqlite)


@pytest.fixture(scope="session")
def postgres_databases(postgres: Cluster) -> Databases:
    """Databases on PostgreSQL."""
    return migrated_databases(postgres)


@pytest.fixture(scope="session")
def migrated_postgres(postgres_databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a migrated database on PostgreSQL, shared by the tests of a process one after the other."""
    return postgres_databases.fresh(tmp_path_factory.getbasetemp())


@pytest.fixture(params=["sqlite", "postgresql"])
def every_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """On each database: the URL of a migrated one. Of PostgreSQL's, `database` takes the rows away first."""
    if request.param == "postgresql":
        shared: str = request.getfixturevalue("migrated_postgres")
        return shared
    files: Databases = request.getfixturevalue("sqlite_databases")
    return files.fresh(tmp_path)


@pytest.fixture
def database_url(sqlite_databases: Databases, tmp_path: Path) -> str:
    """The URL of a migrated database without rows."""
    return sqlite_databases.fresh(tmp_path)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated database without rows."""
    opened = Database(database_url)
    if not opened.is_sqlite:
        await empty(opened)
    yield opened
    await opened.close()


@pytest.fixture
def keys() -> DataKeys:
    """Data keys under a master key of this test."""
    return DataKeys(MasterKeys([new_master_key()]))


@pytest.fixture(autouse=True)
def _clean_registry() -> Iterator[None]:
    yield
    registry.clear()


@pytest.fixture(autouse=True, scope="session")
def _plain_logs() -> None:
    """Logs as plain lines: the library's default prints the locals of every frame, which is slow and shows secrets."""
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ]
    )
