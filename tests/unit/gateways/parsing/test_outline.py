"""Sections by bookmarks, and bookmarks that make no sense."""

import time

import pytest

from youworker_app.gateways.parsing.outline import LONGEST_PATH, Outline

TEXT = "My Book 12\nThe rent is due in keys.\n1.2 Keys\nAll of them.\nKeys 3\n"


@pytest.mark.parametrize(
    ("title", "place"),
    [
        ("Keys", "1.2 Keys"),
        ("1.2 Keys", "1.2 Keys"),
        ("1.2. Keys", "1.2 Keys"),
        ("keys", "1.2 Keys"),
        ("All  of", "All of"),
        ("not there", "My"),
        ("(", "My"),
    ],
)
def test_a_heading_is_found_in_its_text(title: str, place: str) -> None:
    assert Outline([[4, 0, title]]).headings(4, TEXT) == ((TEXT.index(place), title),)


def test_a_section_goes_on_until_the_next_one() -> None:
    outline = Outline([[2, 0, "A"], [2, 1, "B"], [5, 0, "C"]])
    assert outline.headings(1, "") == ()
    assert outline.headings(4, "") == ((0, "A › B"),)
    assert outline.headings(9, "") == ((0, "C"),)


@pytest.mark.parametrize(
    "entries", [None, "x", 7, [None], [[1, 2]], [["1", 0, "x"]], [[1, 0, ""]], [[1, 0, None]], [{}]]
)
def test_what_makes_no_sense_is_left_out(entries: object) -> None:
    assert Outline(entries).headings(1, "x") == ()


def test_bookmarks_made_to_cost_time_cost_little() -> None:
    outline = Outline([[1, 0, "a " * 70 + str(number)] for number in range(10_000)])
    started = time.thread_time()
    for text in ("a " * 25_000, "a " * 2_000_000):
        outline.headings(1, text)
    assert time.thread_time() - started < 5
    assert all(len(path) <= LONGEST_PATH for _, path in outline.headings(2, ""))
