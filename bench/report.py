"""A run as JSON and as a table: what was asked, what was reached, what the peer reaches."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from bench import peer
from bench.figures import LINES, Figure, is_reached
from bench.machine import ROOT, Machine

RESULTS = ROOT / "bench" / "results"
_MARKS = {True: "yes", False: "**no**", None: ""}


@dataclass
class Run:
    """Everything about one run. `took_s` is by scenario; `failed` says why a scenario has no figures."""

    begun: datetime
    commit: str
    machine: Machine
    settings: Mapping[str, object]
    figures: list[Figure] = field(default_factory=list)
    took_s: dict[str, float] = field(default_factory=dict)
    load: dict[str, float] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def table(run: Run) -> str:
    """The run as Markdown."""
    about = run.machine
    quick = "" if run.settings.get("size") == "full" else ", a quick run"
    head = [
        f"# {run.begun:%Y-%m-%d %H:%M}, commit {run.commit}{quick}",
        "",
        f"{about.cpu}, {about.cores} cores, {about.memory_gb} GB; {about.system}, Linux {about.kernel}, Python "
        f"{about.python}; load at the start {about.load}.",
        "",
        f"| figure | unit | asked | reached | | {peer.PEER} |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *_rows(run.figures), "", *_notes(run)]) + "\n"


def _rows(figures: Sequence[Figure]) -> list[str]:
    reached = {figure.name: figure.value for figure in figures}
    rows = []
    for name, line in LINES.items():
        if name not in reached:
            continue
        value = reached[name]
        asked = "" if line.asked is None else f"{line.asked:,g}"
        theirs = peer.FIGURES.get(name, "")
        theirs = theirs if isinstance(theirs, str) else f"{theirs:,g}"
        mark = _MARKS[is_reached(line, value)]
        rows.append(f"| {line.text} | {line.unit} | {asked} | {_number(value)} | {mark} | {theirs} |")
    return rows


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 or value == int(value) else f"{value:g}"


def _notes(run: Run) -> list[str]:
    notes = [f"Not measured: {name} ({reason})." for name, reason in run.failed.items()]
    if run.load:
        loads = ", ".join(f"{name} {value}" for name, value in run.load.items())
        notes.append(f"Load when each group began: {loads}.")
    return ["\n\n".join([*notes, *run.remarks])]


def write(run: Run, folder: Path = RESULTS) -> Path:
    """`DATE-COMMIT.json` and `.md`; returns the latter's path."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{run.begun:%Y%m%d-%H%M%S}-{run.commit.rstrip('+')}"
    body = {**asdict(run), "begun": run.begun.isoformat()}
    (folder / f"{stem}.json").write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    page = folder / f"{stem}.md"
    page.write_text(table(run), encoding="utf-8")
    return page
