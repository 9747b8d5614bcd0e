"""Tests of services run on every database that the product supports."""

import pytest


@pytest.fixture
def database_url(every_database_url: str) -> str:
    """The URL of a migrated database, of each kind."""
    return every_database_url
