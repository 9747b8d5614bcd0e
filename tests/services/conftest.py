"""Tests of services run on every database that the product supports."""

import shutil
from pathlib import Path

import pytest

from tests.databases import sqlite_url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a migrated database; of PostgreSQL's, `database` takes the rows away first."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("migrated_postgres")
        return url
    copy = tmp_path / "youworker.db"
    shutil.copyfile(request.getfixturevalue("migrated_sqlite"), copy)
    return sqlite_url(copy)
