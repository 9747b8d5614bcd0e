"""The documentation is true: folders, commands, links and names that it mentions are there."""

import re
from pathlib import Path

import pytest

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
