"""The moments at which the crash tests kill the server are steps that the product has."""

import importlib

import pytest

from tests.crash.points import POINTS, Point


@pytest.mark.parametrize("point", POINTS.values(), ids=list(POINTS))
def test_each_named_moment_is_a_step_of_the_product(point: Point) -> None:
    owner = getattr(importlib.import_module(point.module), point.owner)
    assert callable(getattr(owner, point.method))
