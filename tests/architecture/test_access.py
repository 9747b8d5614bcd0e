"""A forgotten check cannot pass: every table has a policy, and what looks past people stands in few, listed places."""

import re
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from youworker_app.access.policies import POLICIES, covered_tables
from youworker_app.access.visible import SystemReason

PACKAGE = Path(__file__).resolve().parents[2] / "youworker_app"
SOURCES = {path.relative_to(PACKAGE).as_posix(): path.read_text() for path in sorted(PACKAGE.rglob("*.py"))}

# Who may let a statement see all rows, and for which reasons. A new line here is a decision to be reviewed.
SYSTEM_SCOPE = {
    "access/visible.py": {"ERASURE"},
    "access/authenticate.py": {"AUTHENTICATE"},
    "audit/repository.py": {"ERASURE", "AUDIT"},
    "accounts/repository.py": {"SETUP", "AUTHENTICATE"},
    "accounts/identity_repository.py": {"AUTHENTICATE"},
    "accounts/erasure_repository.py": {"ERASURE"},
    "accounts/export_repository.py": {"RECOVERY", "ERASURE"},
    "groups/repository.py": {"SETUP", "ERASURE"},
    "documents/repository.py": {"DEDUPLICATION", "ERASURE", "RECOVERY"},
    "documents/passage_repository.py": {"COUNTS", "RECOVERY"},
    "documents/index_repository.py": {"INDEX"},
    "documents/erasure_repository.py": {"ERASURE"},
    "ingestion/repository.py": {"RECOVERY", "ERASURE", "INDEX"},
    "chat/repository.py": {"RECOVERY", "RETENTION"},
    "accounts/rotation_repository.py": {"KEYS"},
    "operations/repository.py": {"COUNTS"},
}


def found(pattern: str) -> set[str]:
    """The files in which a pattern occurs."""
    return {name for name, source in SOURCES.items() if re.search(pattern, source)}


def test_every_table_has_a_policy() -> None:
    assert {model.__tablename__ for model in POLICIES} == set(SQLModel.metadata.tables)


@pytest.mark.parametrize("model", sorted(POLICIES, key=lambda each: each.__name__))
def test_a_policy_covers_its_own_table(model: type[SQLModel]) -> None:
    assert model.__tablename__ in covered_tables(model)


def test_only_listed_places_look_past_people() -> None:
    assert found(r"\bsystem_scope\(") <= SYSTEM_SCOPE.keys()


@pytest.mark.parametrize("name", sorted(SYSTEM_SCOPE))
def test_each_place_has_its_listed_reasons(name: str) -> None:
    reasons = set(re.findall(r"SystemReason\.([A-Z]+)", SOURCES.get(name, "")))
    assert reasons <= SYSTEM_SCOPE[name]


def test_every_reason_is_used() -> None:
    used = set(re.findall(r"SystemReason\.([A-Z]+)", "".join(SOURCES.values())))
    assert used == {reason.name for reason in SystemReason}


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        (r"\bmint_access_filter\b", {"access/vectors.py", "gateways/vectors/protocol.py"}),
        (
            r"\berase_rows\(",
            {
                "access/visible.py",
                "accounts/erasure_repository.py",
                "groups/repository.py",
                "documents/erasure_repository.py",
                "ingestion/repository.py",
                "chat/repository.py",
            },
        ),
        (r"\bactor_in_absence\b", {"access/authenticate.py", "documents/sharing.py"}),
        (r"\bexecution_options\(", {"access/visible.py", "core/db.py", "core/migrations.py"}),
        (r"\bSTAMP\b", {"access/visible.py", "core/fence.py"}),
        (r"\.commit\(\)", {"core/db.py", "core/sqlite.py"}),
        (r"\b(get_raw_connection|driver_connection|dbapi_connection)\b", {"core/sqlite.py"}),
        (r"\bexec_driver_sql\(", {"core/db.py", "core/migrations.py", "core/slow_queries.py"}),
        (
            r"from sqlalchemy[\w.]* import [^\n]*\b(text|literal_column)\b",
            {"core/migrations.py", "operations/repository.py"},
        ),
        (r"\bfence\.migrations\(|\bmigrations\(\)", {"core/migrations.py", "core/fence.py"}),
        (r"\bplans\(\)", {"core/fence.py", "core/slow_queries.py"}),
        (r"\bcreate_all\(", set()),
        (
            r"\bActor\(",
            {"access/actor.py", "access/authenticate.py", "documents/service.py", "documents/intake.py"},
        ),
        (r"\bos\.environ\b|\bgetenv\(", {"serve.py", "console/person.py"}),
    ],
)
def test_dangerous_words_stand_where_they_belong(pattern: str, allowed: set[str]) -> None:
    assert found(pattern) <= allowed


def test_repositories_cannot_be_made_without_an_actor() -> None:
    for name in found(r"\bclass \w+Repository\("):
        bases = re.findall(r"class \w+Repository\((.*?)\)", SOURCES[name])
        assert all(base in {"Repository", "GrantingRepository", ""} for base in bases), name
