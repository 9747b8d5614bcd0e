"""Worlds for the isolation tests."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.databases import Databases
from tests.isolation.world import Template, World, beside, make_template, opened

Copies: TypeAlias = Callable[[], AbstractAsyncContextManager[World]]


_LONG = (
    "tests/isolation/test_handlers.py::test_what_everybody_gets[postgres",
    "tests/isolation/test_machine.py::test_a_random_company[postgres",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long on PostgreSQL and is asked there in another way, over REST, is left to `make test-long`."""
    for item in items:
        if item.nodeid.startswith(_LONG):
            item.add_marker("long")


@pytest.fixture(scope="session")
def sqlite_template(sqlite_databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The company in a file, made once a process."""
    return make_template(sqlite_databases, tmp_path_factory.mktemp("company"))


@pytest.fixture(scope="session")
def postgres_template(postgres_databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The company on PostgreSQL, made once a process."""
    return make_template(postgres_databases, tmp_path_factory.mktemp("company"))


@pytest.fixture(params=["sqlite", "postgres"])
def template(request: pytest.FixtureRequest) -> Template:
    """The company, on each database."""
    made: Template = request.getfixturevalue(f"{request.param}_template")
    return made


@pytest.fixture
async def world(template: Template, tmp_path: Path) -> AsyncIterator[World]:
    """A running copy of the company."""
    async with opened(template, tmp_path) as running:
        yield running


@pytest.fixture
def copies(template: Template, tmp_path: Path) -> Copies:
    """`async with copies() as world`: one more copy, for what can be done once only. The services of `world` come back after."""

    def another() -> AbstractAsyncContextManager[World]:
        return beside(template, tmp_path)

    return another
