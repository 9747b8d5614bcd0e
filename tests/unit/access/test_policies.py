"""The policies as SQL: every table has one, nobody sees nothing, and what each may read is declared."""

import re
from dataclasses import replace

import pytest
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

import youworker_app.access.visible  # noqa: F401 - all models are imported with it
from youworker_app.access.actor import Actor, Scope, ScopeMissing, require_scope
from youworker_app.access.permissions import KeyNarrowed, Permission, RootOnly, require
from youworker_app.access.policies import POLICIES, covered_tables
from youworker_app.access.rights import Right
from youworker_app.access.visible import visible
from youworker_app.core.errors import Forbidden, NotFound
from youworker_app.core.fence import STAMP
from youworker_app.models.chat import ChatSession, Run
from youworker_app.models.documents import Document
from youworker_app.models.groups import Group

NOBODY = Actor("", "")
ANNA = Actor("anna", "anna", group_ids=frozenset({"sales"}), admin_group_ids=frozenset({"sales"}))
KEY = replace(ANNA, key_line="line")  # narrowed to the sales
ALL_TABLES = frozenset(SQLModel.metadata.tables)


def sql_of(model: type[SQLModel], actor: Actor, right: Right = Right.VIEW) -> str:
    """The SQL of `visible()`, with its values in it."""
    statement = visible(model, actor, right=right)
    return str(statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))


def test_every_table_has_a_policy() -> None:
    assert {str(model.__tablename__) for model in POLICIES} == ALL_TABLES


@pytest.mark.parametrize("model", list(POLICIES), ids=lambda model: model.__tablename__)
@pytest.mark.parametrize("right", list(Right))
def test_the_tables_that_a_policy_reads_are_declared(model: type[SQLModel], right: Right) -> None:
    """Exactly those: one too many would let a join through the fence."""
    for actor in (NOBODY, ANNA, KEY):
        named = {name for name in ALL_TABLES if re.search(rf"\b{name}\b", sql_of(model, actor, right))}
        covered = covered_tables(model, is_narrowed=actor is KEY)
        assert named == covered
        assert visible(model, actor, right=right).get_execution_options()[STAMP] == covered


@pytest.mark.parametrize("model", list(POLICIES), ids=lambda model: model.__tablename__)
@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=["sqlite", "postgresql"])
def test_a_policy_compiles_for_every_database(model: type[SQLModel], dialect: object) -> None:
    for actor in (ANNA, KEY):
        assert "WHERE" in str(visible(model, actor).compile(dialect=dialect))  # type: ignore[arg-type]


def test_a_key_is_held_to_its_scopes() -> None:
    for scope in Scope:
        require_scope(ANNA, scope)
        require_scope(Actor("a", "a", scopes=frozenset({scope})), scope)
        with pytest.raises(ScopeMissing) as missing:
            require_scope(Actor("a", "a", scopes=frozenset(Scope) - {scope}), scope)
        assert missing.value.details == {"scope": scope.value}


OWN = Document(id="1", title="", filename="", file_id="", owner_id="anna")
FOREIGN = Document(id="2", title="", filename="", file_id="", owner_id="bruno")


@pytest.mark.parametrize(
    ("permission", "subject", "error"),
    [
        (Permission.CHANGE_DOCUMENT, OWN, None),
        (Permission.CHANGE_DOCUMENT, FOREIGN, Forbidden),
        (Permission.DELETE_DOCUMENT, OWN, None),
        (Permission.DELETE_DOCUMENT, FOREIGN, Forbidden),
        (Permission.ADD_TO_GROUP, Group(id="sales", name="", name_key=""), None),
        (Permission.ADD_TO_GROUP, Group(id="legal", name="", name_key=""), NotFound),
        (Permission.CHANGE_CHAT, ChatSession(owner_id="anna", sealed_title=b""), None),
        (Permission.CHANGE_CHAT, ChatSession(owner_id="bruno", sealed_title=b""), NotFound),
        (Permission.STOP_RUN, Run(owner_id="anna", session_id="", message_id=""), None),
        (Permission.STOP_RUN, Run(owner_id="bruno", session_id="", message_id=""), NotFound),
        (Permission.ADMINISTER, None, RootOnly),
        (Permission.STOP_RUN, OWN, Forbidden),
        (Permission.CHANGE_DOCUMENT, None, Forbidden),
        (Permission.ADMINISTER, OWN, Forbidden),
    ],
)
def test_permissions(permission: Permission, subject: SQLModel | None, error: type[Exception] | None) -> None:
    if error is None:
        require(ANNA, permission, subject)
    else:
        with pytest.raises(error):
            require(ANNA, permission, subject)


def test_a_narrowed_key_keeps_nothing_to_its_person() -> None:
    require(ANNA, Permission.KEEP_TO_ONESELF)
    with pytest.raises(KeyNarrowed):
        require(KEY, Permission.KEEP_TO_ONESELF)


def test_root_administers() -> None:
    require(Actor("root", "root", is_root=True), Permission.ADMINISTER)
