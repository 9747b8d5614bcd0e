"""Tests that share a fixture of their module run in one process, whatever the others do."""

import os

import pytest

_PROCESSES: list[str] = []


@pytest.fixture(scope="module")
def shared() -> list[str]:
    """What a module shares: made once for each process that runs one of its tests."""
    _PROCESSES.append(os.environ.get("PYTEST_XDIST_WORKER", "alone"))
    return _PROCESSES


@pytest.mark.parametrize("number", range(4))
def test_a_shared_fixture_keeps_tests_together(
    shared: list[str], number: int, request: pytest.FixtureRequest
) -> None:
    if not request.config.getoption("loadgroup", False):
        pytest.skip("tests are not distributed in groups in this run")
    # The suffix is what the distribution goes by.
    assert request.node.nodeid.endswith("@tests/architecture/test_groups.py")
    assert len(shared) == 1


def test_one_that_shares_nothing_is_in_no_group(request: pytest.FixtureRequest) -> None:
    assert "@" not in request.node.nodeid
