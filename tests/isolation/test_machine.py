"""Random companies: people, groups, rights, documents come, change and go, and after each step everybody sees what rules.py says.

The product's own services on SQLite, with vectors in memory; what they answer is compared for every person, not only for
the one who did something.
"""

import asyncio
import copy
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import update
from sqlmodel import col

from tests.databases import sqlite_url
from tests.house import PASSWORD, House, open_house
from tests.isolation.rules import Level, Paper, Team, level, team_level
from tests.isolation.world import force
from youworker_app.access.actor import Actor
from youworker_app.accounts.schemas import Carrier, Client, CreateUser, Credential
from youworker_app.chat.schemas import AskQuestion
from youworker_app.core import registry
from youworker_app.core.crypto import MasterKeys, new_master_key
from youworker_app.core.errors import AppError, NotFound
from youworker_app.core.keys import DataKeys
from youworker_app.core.paging import PageRequest
from youworker_app.documents.schemas import ChangeDocument, DocumentFilter
from youworker_app.gateways.blobs.memory import MemoryBlobStore
from youworker_app.gateways.embeddings.memory import InMemoryEmbedder
from youworker_app.gateways.llm.scripted import NoModel
from youworker_app.gateways.parsing.parser import LocalParser
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.groups.schemas import CreateGroup
from youworker_app.models.accounts import User
from youworker_app.models.documents import Document
from youworker_app.models.groups import Group
from youworker_app.retrieval.schemas import SearchQuery
from youworker_app.retrieval.service import RetrievalService
from youworker_app.wiring import Gateways

T = TypeVar("T")

PERSONS = ("root", "ada", "bo", "cy")
MOST_TEAMS, MOST_PAPERS, MOST_CHATS = 2, 6, 3
ALL = PageRequest(limit=200)

persons = st.sampled_from(PERSONS)
places = st.integers(0, 9)
rights = st.sampled_from([None, 1, 2, 3])


@dataclass(frozen=True)
class Seed:
    """An installation with people in it and nothing else, to begin from."""

    database: Path
    keys: DataKeys
    tokens: dict[str, str]


@dataclass
class Kept:
    """A document as the product names it."""

    document_id: str
    file_id: str
    chunk_ids: tuple[str, ...]
    word: str


@dataclass
class Asked:
    """A conversation and the documents that its answer cites."""

    owner: str
    session_id: str
    run_id: str
    message_id: str


@dataclass
class Company:
    """What should be true, in the words of rules.py."""

    teams: dict[str, Team] = field(default_factory=dict)
    papers: dict[str, Paper] = field(default_factory=dict)
    inactive: set[str] = field(default_factory=set)

    def may(self, person: str, paper: str) -> Level:
        return level(person, self.papers[paper], self.teams)


def gateways(vectors: MemoryVectorStore, blobs: MemoryBlobStore) -> Gateways:
    return Gateways(blobs, vectors, InMemoryEmbedder(), NoModel(), LocalParser())


@pytest.fixture(scope="module")
def seed(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Seed:
    """People who have signed in."""
    database = tmp_path_factory.mktemp("seed") / "seed.db"
    shutil.copyfile(migrated_sqlite, database)
    keys, tokens = DataKeys(MasterKeys([new_master_key()])), {}

    async def make() -> None:
        house = await open_house(sqlite_url(database), database.parent / "data", keys)
        accounts, root = house.installation.accounts, await house.person("root")
        for name in PERSONS[1:]:
            await accounts.create_user(root, CreateUser(name, PASSWORD))
        for name in PERSONS:
            tokens[name] = (await accounts.sign_in(name, PASSWORD, Client())).token
        await house.stop()

    with asyncio.Runner() as runner:
        runner.run(make())
    registry.clear()
    return Seed(database, keys, tokens)


class Isolation(RuleBasedStateMachine):
    """One company from its first day on."""

    def __init__(self, seed: Seed) -> None:
        super().__init__()
        self.seed, self.company = seed, Company()
        self.groups: dict[str, str] = {}
        self.kept: dict[str, Kept] = {}
        self.chats: list[Asked] = []
        self.made = 0
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        self.vectors, self.blobs = MemoryVectorStore(), MemoryBlobStore()
        shutil.copyfile(seed.database, self.folder / "y.db")
        self.house: House = self.run(self._open())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def _open(self) -> House:
        url = sqlite_url(self.folder / "y.db")
        return await open_house(
            url, self.folder / "data", self.seed.keys, gateways=gateways(self.vectors, self.blobs)
        )

    def teardown(self) -> None:
        self.run(self.house.stop())
        self.runner.close()
        registry.clear()
        shutil.rmtree(self.folder)

    # --- who and what

    async def actor(self, person: str) -> Actor:
        """The person as they stand now. Raises Unauthenticated."""
        credential = Credential(Carrier.COOKIE, self.seed.tokens[person])
        return await self.house.installation.accounts.authenticate(credential)

    def team(self, place: int) -> str:
        return list(self.groups)[place % len(self.groups)]

    def paper(self, place: int) -> str:
        return list(self.kept)[place % len(self.kept)]

    def attempt(self, person: str, work: Callable[[Actor], Awaitable[object]], *, expected: str = "") -> None:
        """Does something as a person and compares how it ends with the error's name, "" for none."""

        async def do() -> str:
            try:
                await work(await self.actor(person))
            except AppError as error:
                return type(error).__name__
            return ""

        ended = self.run(do())
        assert ended == ("Unauthenticated" if person in self.company.inactive else expected), (person, ended, expected)

    def is_done(self, person: str, expected: str) -> bool:
        return not expected and person not in self.company.inactive

    # --- people and groups

    @precondition(lambda self: len(self.groups) < MOST_TEAMS)
    @rule(person=persons)
    def found_group(self, person: str) -> None:
        self.made += 1
        name = f"team {self.made}"

        async def work(actor: Actor) -> None:
            self.groups[name] = (await self.house.installation.groups.create_group(actor, CreateGroup(name))).id

        self.attempt(person, work)
        if self.is_done(person, ""):
            self.company.teams[name] = Team(3, {person: "admin"})

    def refusal(self, person: str, team: Team) -> str:
        """What who does not administer a group gets for trying to change it."""
        return {Level.OWN: "", Level.VIEW: "GroupAdminOnly"}.get(team_level(person, team), "NotFound")

    @precondition(lambda self: self.groups)
    @rule(person=persons, place=places, other=persons, role=st.sampled_from(["member", "member", "admin"]))
    def add_member(self, person: str, place: int, other: str, role: str) -> None:
        name = self.team(place)
        team = self.company.teams[name]
        taken = "AlreadyMember" if other in team.roles else ""
        gone = "UserNotFound" if other in self.company.inactive else taken
        expected = self.refusal(person, team) or gone
        groups = self.house.installation.groups
        self.attempt(person, lambda a: groups.add_member(a, self.groups[name], other, role), expected=expected)
        if self.is_done(person, expected):
            team.roles[other] = role

    @precondition(lambda self: self.groups)
    @rule(person=persons, place=places, other=persons)
    def remove_member(self, person: str, place: int, other: str) -> None:
        name = self.team(place)
        team = self.company.teams[name]
        refused = self.refusal(person, team)
        if person == other and refused != "NotFound":
            refused = ""
        last = "LastAdmin" if team.admins() == {other} else ""
        expected = refused or ("NotFound" if other not in team.roles else last)

        async def work(actor: Actor) -> None:
            user_id = self.user_id(other)
            await self.house.installation.groups.remove_member(actor, self.groups[name], user_id)

        self.attempt(person, work, expected=expected)
        if self.is_done(person, expected):
            del team.roles[other]

    def user_id(self, person: str) -> str:
        return self.ids[person]

    @property
    def ids(self) -> dict[str, str]:
        return self.seed_ids

    @precondition(lambda self: self.groups)
    @rule(place=places, right=st.sampled_from([1, 2, 3]))
    def set_default_right(self, place: int, right: int) -> None:
        name = self.team(place)
        statement = update(Group).where(col(Group.id) == self.groups[name]).values(default_right=right)
        self.run(force(self.house.installation.db, statement))
        self.company.teams[name].default_right = right

    @rule(person=st.sampled_from(PERSONS[1:]))
    def suspend_or_readmit(self, person: str) -> None:
        self.company.inactive ^= {person}
        is_active = person not in self.company.inactive
        statement = update(User).where(col(User.username) == person).values(is_active=is_active)
        self.run(force(self.house.installation.db, statement))

    # --- documents
