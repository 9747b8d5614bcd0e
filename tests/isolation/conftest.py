"""Worlds for the isolation tests."""

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.isolation.world import Template, World, beside, make_template, opened

Copies: TypeAlias = Callable[[], AbstractAsyncContextManager[World]]


@pytest.fixture(scope="session")
def template(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The company, made once a process."""
    folder = tmp_path_factory.mktemp("company")
    database = folder / "company.db"
    shutil.copyfile(migrated_sqlite, database)
    return make_template(database, folder / "data")


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
