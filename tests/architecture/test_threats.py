"""The list of threats is true: each row names tests that are there, and no attack is left out."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "security.md"
HEADING = "## Each threat, and the test that proves the answer\n"
# What the product has promised to hold against, by name.
ATTACKS = (
    "50 concurrent first sign-ins",
    "Sign-in timing and enumeration",
    "Session fixation",
    "Cookie replay after sign-out",
    "A suspended user's second key",
    "A key used by another carrier to dodge its scope",
    "Privilege change on an open socket",
    "Read-only scope writing over websocket",
    "Forged Origin on websocket and REST",
    "CSRF",
    "Open redirect in `next=`",
    "Header injection",
    "Forwarded-for spoofing",
    "JWT alg none and key confusion from the provider",
    "Huge and malformed bodies",
    "Every Reflex handler called by name without a session",
    "Every Reflex handler called with a stranger's session",
    "Every Reflex handler called with another user's ids",
)


def rows(text: str) -> dict[str, list[str]]:
    """The tests that each row of the page's tables names, by the threat."""
    cells = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {
        row[0].strip(): re.findall(r"`(tests/[^`]+)`", row[-1]) for row in cells if row[0].strip() != "threat"
    }


def is_there(named: str) -> bool:
    """Whether `path::name` is a test."""
    path, _, name = named.partition("::")
    place = ROOT / path
    return place.is_file() and bool(re.search(rf"def {re.escape(name)}\(", place.read_text(encoding="utf-8")))


ROWS = rows(PAGE.read_text(encoding="utf-8").partition(HEADING)[2])


def test_the_rows_are_found() -> None:
    assert len(ROWS) > 40


@pytest.mark.parametrize("threat", sorted(ROWS))
def test_a_threat_names_tests_that_are_there(threat: str) -> None:
    assert ROWS[threat], "a threat without a test"
    assert [named for named in ROWS[threat] if not is_there(named)] == []


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_attack_is_left_out(attack: str) -> None:
    assert attack in ROWS


def test_a_test_that_is_gone_would_be_seen() -> None:
    assert not is_there("tests/architecture/test_threats.py::test_gone")
    assert not is_there("tests/nowhere.py::test_the_rows_are_found")
    assert rows("| a | b | `tests/x.py::test_y` |") == {"a": ["tests/x.py::test_y"]}
