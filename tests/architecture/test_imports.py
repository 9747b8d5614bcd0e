"""Import rules that name what each domain may or may not have; the others stand in pyproject.toml."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "youworker_app"
COMPOSITION_ROOT = frozenset({"wiring", "wiring_accounts", "wiring_gateways", "wiring_privacy"})


def imported_modules(source: str) -> Iterator[str]:
    """Full names of what a module imports; for `from a import b` both `a` and `a.b`, since b may be a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def foreign_repositories(domain: str, source: str) -> set[str]:
    """Other domains whose repository a module of `domain` imports. `access` holds the base class and is not one."""
    found = (
        re.match(r"youworker_app\.(\w+)\.(?:\w+_)?repository(\.|$)", name)
        for name in imported_modules(source)
    )
    return {match[1] for match in found if match} - {domain, "access"}


def test_a_repository_is_imported_by_its_own_domain_only() -> None:
    wrong = {}
    for module in PACKAGE.rglob("*.py"):
        domain = module.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if found := foreign_repositories(domain, module.read_text(encoding="utf-8")):
            wrong[str(module.relative_to(ROOT))] = found
    assert not wrong, "call the other domain's service"


def test_a_foreign_repository_would_be_seen() -> None:
    for line in (
        "from youworker_app.documents.repository import DocumentRepository",
        "from youworker_app.documents import repository",
        "import youworker_app.documents.repository as r",
        "from youworker_app.documents.passage_repository import PassageRepository",
    ):
        assert foreign_repositories("chat", line) == {"documents"}
        assert foreign_repositories("documents", line) == set()
    assert foreign_repositories("chat", "from youworker_app.access.repository import Repository") == set()


def test_services_are_made_in_the_composition_root_only() -> None:
    wrong = {}
    for module in PACKAGE.rglob("*.py"):
        if module.relative_to(PACKAGE).parts[0].removesuffix(".py") in COMPOSITION_ROOT:
            continue
        if found := services_made(module.read_text(encoding="utf-8")):
            wrong[str(module.relative_to(ROOT))] = found
    assert not wrong, "ask core.registry for the instance"


def services_made(source: str) -> set[str]:
    """Names of service classes that are called in a module."""
    calls = (node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return {
        call.id for call in calls if isinstance(call, ast.Name) and re.fullmatch(r"[A-Z]\w*Service", call.id)
    }


def test_a_service_made_elsewhere_would_be_seen() -> None:
    assert services_made("chat = ChatService(db)") == {"ChatService"}
    assert services_made("chat = service(ChatService)") == set()
