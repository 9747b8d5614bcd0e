"""The shape of the repository: what lies where, how large it may be, and what must not stand in it."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "youworker_app"
MAX_LINES = 400

TOP_LEVEL = (
    ".ci/run",
    ".dockerignore",
    ".gitignore",
    "Dockerfile",
    "Makefile",
    "pyproject.toml",
    "reflex.lock/package.json",
    "reflex.lock/package-lock.json",
    "requirements.txt",
    "requirements-build.txt",
    "requirements-dev.txt",
    "requirements-dev-models.txt",
    "requirements-models.txt",
    "rxconfig.py",
    "scripts",
    "tests",
    "youworker_app/asgi.py",
    "youworker_app/serve.py",
    "youworker_app/youworker_app.py",
)

# (module, function) pairs that may import inside, each with its reason. Never to dodge a circle.
IMPORTS_INSIDE: dict[tuple[str, str], str] = {
    (
        "youworker_app/serve.py",
        "read_settings",
    ): "only the child that reads them pays for what reads settings",
    (
        "youworker_app/serve.py",
        "serve",
    ): "the settings are read at the same time, by a child that does not serve",
    (
        "youworker_app/core/migrations.py",
        "migrate",
    ): "Alembic takes 11 MB; only a start that has something to migrate pays it",
    (
        "youworker_app/wiring_gateways.py",
        "_vectors",
    ): "the Qdrant client costs a fifth of a start; only who uses a server pays it",
    (
        "youworker_app/wiring_accounts.py",
        "identity_provider",
    ): "authlib and joserfc cost a fifth of a start; only who has a provider pays it",
    (
        "youworker_app/gateways/embeddings/minilm.py",
        "_load",
    ): "onnxruntime takes 25 MB; a server that embeds nothing, or with Ollama, does not pay it",
    (
        "youworker_app/gateways/parsing/pdf_session.py",
        "_rescued",
    ): "pypdf doubles the start of the child that every PDF gets; a damaged file pays it",
    (
        "youworker_app/gateways/parsing/pdf_session.py",
        "metadata",
    ): "as above; who asks for metadata pays it",
}

# Spelled in parts, so that this file does not name them either.
REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "npmmirror", "com"),
        ("registry", "yarnpkg", "com"),
    )
)

MODULES = sorted(PACKAGE.rglob("*.py"))


def name_of(module: Path) -> str:
    return str(module.relative_to(ROOT))


def tracked_files() -> list[Path]:
    """The files of the repository: those under version control and those that would be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize("name", TOP_LEVEL)
def test_it_is_there(name: str) -> None:
    assert (ROOT / name).exists()


def test_the_package_is_found() -> None:
    assert len(MODULES) > 20


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_a_module_is_not_too_long(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) <= MAX_LINES, "split it by use case"


@pytest.mark.parametrize("module", [m for m in MODULES if m.name == "__init__.py"], ids=name_of)
def test_an_init_holds_a_docstring_only(module: Path) -> None:
    body = ast.parse(module.read_text(encoding="utf-8")).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)
    assert isinstance(body[0].value, ast.Constant)
    assert isinstance(body[0].value.value, str)


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_no_function_imports(module: Path) -> None:
    found = imports_inside(module.read_text(encoding="utf-8"))
    surprising = [name for name in found if (name_of(module), name) not in IMPORTS_INSIDE]
    assert not surprising, "an import inside a function hides a wrong layer"


def test_the_list_of_inner_imports_is_not_stale() -> None:
    there = {(name_of(m), name) for m in MODULES for name in imports_inside(m.read_text(encoding="utf-8"))}
    assert set(IMPORTS_INSIDE) <= there


def imports_inside(source: str) -> list[str]:
    """Names of the functions in which an import stands."""
    functions = (
        n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return [f.name for f in functions if any(isinstance(n, ast.Import | ast.ImportFrom) for n in ast.walk(f))]


def test_an_inner_import_would_be_seen() -> None:
    assert imports_inside("async def f():\n    if True:\n        from a import b\n") == ["f"]
    assert imports_inside("import a\ndef f(): ...\n") == []


def test_every_make_target_explains_itself() -> None:
    targets, silent = make_targets((ROOT / "Makefile").read_text(encoding="utf-8"))
    assert {
        "help",
        "setup",
        "build",
        "run",
        "check",
        "test",
        "test-long",
        "bench",
        "clean",
        "format",
    } <= targets
    assert not silent


def make_targets(text: str) -> tuple[set[str], set[str]]:
    """All targets that a person can call, and those without a `## help`. Files under a variable are not for people."""
    rules = re.findall(r"^([a-z][a-z-]*):(?!=)(.*)$", text, flags=re.MULTILINE)
    return {name for name, _ in rules}, {name for name, rest in rules if not re.search(r"## \S", rest)}


def test_a_silent_target_would_be_seen() -> None:
    assert make_targets("a: b ## says\nb: c\nC := d\n") == ({"a", "b"}, {"b"})


def test_no_file_names_a_package_registry() -> None:
    """Which registry a machine uses is that machine's own affair."""
    naming = [
        (str(path.relative_to(ROOT)), host)
        for path in tracked_files()
        for host in REGISTRY_HOSTS
        if host.encode() in path.read_bytes()
    ]
    assert not naming
