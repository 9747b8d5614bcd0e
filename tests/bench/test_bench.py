"""Each scenario runs at its smallest size and fills its lines of the table."""

from pathlib import Path

import pytest

from bench.__main__ import SCENARIOS, measure
from bench.context import Size
from bench.figures import LINES, is_reached
from bench.peer import FIGURES
from bench.report import write
from bench.scenarios.ingestion import LONG_TEXT

# What the others share with these is tried here; the rest takes its time in `make test-long`.
QUICKEST = {"chat", "large"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICKEST else pytest.mark.long) for name in SCENARIOS]
)
async def test_a_scenario_fills_its_lines(name: str, tmp_path: Path) -> None:
    run = await measure([name], size="smoke")
    assert run.failed == {}
    assert run.figures
    assert {figure.name for figure in run.figures} <= LINES.keys()
    page = write(run, tmp_path).read_text()
    assert all(f"| {LINES[figure.name].text} |" in page for figure in run.figures)


def test_the_peer_is_compared_on_lines_of_the_table() -> None:
    assert FIGURES.keys() <= LINES.keys()


@pytest.mark.parametrize("size", ["full", "quick"])
def test_the_long_text_stands_in_the_table_with_its_length(size: Size) -> None:
    name, length = LONG_TEXT[size]
    assert LINES[name].text.startswith(f"{length // 1_000_000} MB of text")


def test_what_was_asked_is_reached_or_not() -> None:
    assert is_reached(LINES["start_second"], 3.0)
    assert not is_reached(LINES["start_second"], 3.1)
    assert is_reached(LINES["search_found"], 100)
    assert not is_reached(LINES["search_found"], 99.5)
    assert is_reached(LINES["start_first"], 99) is None
