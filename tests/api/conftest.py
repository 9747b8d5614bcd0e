"""Fixtures of the REST tests."""

from tests.api.rest import rest

__all__ = ["rest"]
