"""When a build of the front end is stale."""

from pathlib import Path

import pytest

from scripts import build_frontend


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project with a fresh build."""
    for name, text in {
        "rxconfig.py": "config",
        "requirements.txt": "reflex",
        "requirements-build.txt": "node",
        "scripts/build_frontend.py": "this",
        "youworker_app/chat/ui/page.py": "page",
        "youworker_app/ui/i18n/it.json": "{}",
        "assets/style.css": "css",
        "reflex.lock/package.json": "{}",
        ".web/build/client/index.html": "built",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    build = tmp_path / ".web" / "build"
    for name, value in {
        "ROOT": tmp_path,
        "BUILD": build,
        "FINGERPRINT": build / "fingerprint",
        "LOCK": tmp_path / "reflex.lock",
    }.items():
        monkeypatch.setattr(build_frontend, name, value)
    lock = build_frontend.digest(build_frontend.files_in(tmp_path / "reflex.lock"))
    (build / "fingerprint").write_text(f"{build_frontend.sources_digest()} {lock}\n", encoding="ascii")
    return tmp_path


def test_nothing_changed_is_fresh(project: Path) -> None:
    assert build_frontend.is_fresh()


@pytest.mark.parametrize(
    "name",
    [
        "rxconfig.py",
        "requirements.txt",
        "youworker_app/chat/ui/page.py",
        "youworker_app/ui/i18n/it.json",
        "assets/style.css",
        "reflex.lock/package.json",
        "youworker_app/new.py",
        "assets/new.svg",
    ],
)
def test_a_changed_or_new_source_makes_it_stale(project: Path, name: str) -> None:
    (project / name).write_text("changed", encoding="utf-8")
    assert not build_frontend.is_fresh()


def test_a_renamed_or_removed_source_makes_it_stale(project: Path) -> None:
    page = project / "youworker_app/chat/ui/page.py"
    page.rename(page.with_name("other.py"))
    assert not build_frontend.is_fresh()


@pytest.mark.parametrize("name", [".web/build/fingerprint", ".web/build/client/index.html"])
def test_an_incomplete_build_is_stale(project: Path, name: str) -> None:
    (project / name).unlink()
    assert not build_frontend.is_fresh()


@pytest.mark.parametrize(
    "name", ["youworker_app/__pycache__/x.pyc", "assets/external/x.js", "tests/x.py", "data/youworker.db"]
)
def test_derived_and_unrelated_files_do_not_count(project: Path, name: str) -> None:
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text("x", encoding="utf-8")
    assert build_frontend.is_fresh()


def test_a_lock_in_another_order_is_the_same(tmp_path: Path) -> None:
    one, two = tmp_path / "1.json", tmp_path / "2.json"
    one.write_text('{"b": {"z": 1, "y": 2}, "a": 0}', encoding="utf-8")
    two.write_text('{"a":0,"b":{"y":2,"z":1}}', encoding="utf-8")
    build_frontend.set_in_order(one)
    build_frontend.set_in_order(two)
    assert one.read_bytes() == two.read_bytes()
