"""The documentation is true: folders, commands, links and names that it mentions are there."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from tests.web import shared_rest
from youworker_app.cli import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
PACKAGE = ROOT / "youworker_app"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_files_exist(page: Path) -> None:
    named = re.findall(
        r"`((?:tests|docs|youworker_app|bench|ops|scripts|alembic|assets)(?:/[\w.-]+)+/?)`", page.read_text()
    )
    short = re.findall(r"`((?:core|access|api|chat|retrieval|agent|documents)/\w+\.py)`", page.read_text())
    missing = [name for name in named if not (ROOT / name).exists()]
    missing += [name for name in short if not (PACKAGE / name).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`|^ {4}make ([a-z-]+)", page.read_text(), re.MULTILINE)) <= {
        pair for target in targets for pair in ((target, ""), ("", target))
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_commands_and_their_options_exist(page: Path) -> None:
    assert {told: wrong for told in commands_in(page.read_text()) if (wrong := unknown_in(told))} == {}


def commands_in(text: str) -> list[str]:
    """What a page tells to type after `youworker`, in a line or a block of its own."""
    return re.findall(r"(?:`|^ {4})(?:\.venv/bin/)?youworker ([^`\n]+)", text, re.MULTILINE)


def unknown_in(told: str) -> str:
    """The first word of a command line that the program does not know, or nothing. Arguments and values are free."""
    found: Any = typer.main.get_command(app)
    for word in shlex.split(told):
        if hasattr(found, "commands"):
            if word not in found.commands:
                return word
            found = found.commands[word]
        elif word.startswith("-") and word not in {
            name for p in found.params for name in [*p.opts, "--help"]
        }:
            return word
    return ""


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ("vectors reindex", ""),
        ("vectors shuffle", "shuffle"),
        ("search 'x y' --limit 3", ""),
        ("search x --lmit", "--lmit"),
    ],
)
def test_a_command_that_is_not_there_would_be_seen(told: str, wrong: str) -> None:
    assert unknown_in(told) == wrong
    assert commands_in(f"see `youworker {told}`\n") == commands_in(f"so:\n\n    youworker {told}\n") == [told]


def test_the_folder_table_is_complete() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    told = set(re.findall(r"^\| `([\w/.]+)` \|", page, re.MULTILINE))
    folders = {f"youworker_app/{path.name}" for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    others = {"alembic", "assets", "bench", "docs", "tests", "scripts", "reflex.lock"}
    assert told == folders | (others & {path.name for path in ROOT.iterdir()})


def test_settings_named_in_docs_exist() -> None:
    known = (ROOT / "docs" / "settings.md").read_text()
    for page in PAGES:
        for name in re.findall(r"YOUWORKER_[A-Z_]+", page.read_text()):
            assert name in known, (page.name, name)


def test_each_decision_says_what_follows_and_what_else_there_was() -> None:
    decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [f"{n:04}" for n in range(1, len(decisions) + 1)]
    for path in decisions:
        text = path.read_text()
        assert all(f"**{part}.**" in text for part in ("Decision", "Consequences", "Alternatives")), path.name


def test_every_route_is_described() -> None:
    """docs/api.md names each as `METHOD /path`, and none that is not there."""
    named = set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /\S+)`", (ROOT / "docs" / "api.md").read_text()))
    paths = shared_rest().openapi()["paths"]
    assert named == {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
