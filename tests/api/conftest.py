"""Fixtures of the REST tests, which run on every database that the product supports."""

import pytest

from tests.api.rest import rest

__all__ = ["rest"]


@pytest.fixture
def database_url(every_database_url: str) -> str:
    """The URL of a migrated database, of each kind."""
    return every_database_url
