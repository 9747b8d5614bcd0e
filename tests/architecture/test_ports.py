"""Nobody is forgotten when they go: every table that points at a person or a group is covered by a port that is wired."""

from collections.abc import Iterable
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel

from youworker_app.core.keys import DataKeys
from youworker_app.core.ports import Ports
from youworker_app.core.settings import Settings
from youworker_app.gateways.blobs.memory import MemoryBlobStore
from youworker_app.gateways.embeddings.memory import InMemoryEmbedder
from youworker_app.gateways.llm.scripted import NoModel
from youworker_app.gateways.parsing.parser import LocalParser
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.wiring import Gateways, Installation

# What a column may be called that names a person or a group without a foreign key.
PEOPLE = frozenset({"owner_id", "user_id", "requester_id", "actor_id", "subject_id", "space"})
GROUPS = frozenset({"group_id", "space"})


@pytest.fixture
def ports(tmp_path: Path, keys: DataKeys) -> Ports:
    """The ports as they are wired."""
    gateways = Gateways(MemoryBlobStore(), MemoryVectorStore(), InMemoryEmbedder(), NoModel(), LocalParser())
    return Installation(Settings(data_dir=tmp_path), gateways, keys).ports


def pointing_at(metadata: sa.MetaData, target: str, names: Iterable[str]) -> set[str]:
    """The table itself, and those that point at it: by a foreign key, through another such table, or by a column's name."""
    found = {target} | {
        table.name for table in metadata.tables.values() if any(name in table.columns for name in names)
    }
    while True:
        more = {
            table.name
            for table in metadata.tables.values()
            if {key.column.table.name for key in table.foreign_keys} & found
        }
        if more <= found:
            return found
        found |= more


def covered(ports: Iterable[object]) -> set[str]:
    """The tables that some ports answer for."""
    return {table for port in ports for table in port.tables}  # type: ignore[attr-defined]


def test_every_table_with_a_person_in_it_is_covered(ports: Ports) -> None:
    assert pointing_at(SQLModel.metadata, "users", PEOPLE) <= covered(ports.personal_data)


def test_every_table_with_a_group_in_it_is_covered(ports: Ports) -> None:
    """What only hangs on a group's documents goes with these, or stays with them: only direct columns count here."""
    direct = {
        table.name
        for table in SQLModel.metadata.tables.values()
        if any(name in table.columns for name in GROUPS)
        or "groups" in {key.column.table.name for key in table.foreign_keys}
    }
    assert direct | {"groups"} <= covered(ports.group_contents)


def test_ports_name_no_table_that_is_not_there(ports: Ports) -> None:
    assert covered([*ports.personal_data, *ports.group_contents]) <= set(SQLModel.metadata.tables)


def test_somebodys_work_can_be_stopped(ports: Ports) -> None:
    assert len(ports.running_work) >= 2


@pytest.mark.parametrize(
    "column",
    [
        sa.Column("whoever", sa.String, sa.ForeignKey("users.id")),
        sa.Column("seat", sa.String, sa.ForeignKey("desks.id")),
        *(sa.Column(name, sa.String) for name in sorted(PEOPLE)),
    ],
    ids=lambda column: column.name,
)
def test_a_forgotten_table_would_be_seen(column: "sa.Column[str]") -> None:
    metadata = sa.MetaData()
    sa.Table("users", metadata, sa.Column("id", sa.String, primary_key=True))
    sa.Table(
        "desks", metadata, sa.Column("id", sa.String, primary_key=True), sa.Column("owner_id", sa.String)
    )
    sa.Table("plain", metadata, sa.Column("id", sa.String, primary_key=True))
    sa.Table("forgotten", metadata, column._copy())
    assert pointing_at(metadata, "users", PEOPLE) == {"users", "desks", "forgotten"}
