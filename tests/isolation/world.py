"""One small company in which everybody stands in another relation to everything, made by the real services.

It is made once a process and copied for each test: database file, blobs and vectors. Who may do what is not said here
but in rules.py, from the same tables.
"""

import asyncio
import copy
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import update
from sqlmodel import col

from tests.databases import sqlite_url
from tests.files import pdf_of
from tests.house import PASSWORD, House, open_house
from tests.isolation.rules import Level, Paper, Team, level, team_level
from youworker_app.access.actor import Actor, Scope
from youworker_app.access.visible import SystemReason, system_scope
from youworker_app.accounts.schemas import Client, CreateApiKey, CreateUser
from youworker_app.api.cookies import SESSION_COOKIE
from youworker_app.api.middleware import OuterPolicy, harden
from youworker_app.chat.schemas import AskQuestion
from youworker_app.core import registry
from youworker_app.core.crypto import MasterKeys, new_master_key
from youworker_app.core.db import Database
from youworker_app.core.ids import new_id
from youworker_app.core.keys import DataKeys
from youworker_app.core.paging import PageRequest
from youworker_app.documents.schemas import ChangeDocument
from youworker_app.gateways.blobs.memory import MemoryBlobStore
from youworker_app.gateways.embeddings.memory import InMemoryEmbedder
from youworker_app.gateways.llm.scripted import NoModel
from youworker_app.gateways.parsing.parser import LocalParser
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.groups.schemas import CreateGroup
from youworker_app.models.accounts import User
from youworker_app.models.documents import Document
from youworker_app.models.groups import Group
from youworker_app.rest import build_rest
from youworker_app.wiring import Gateways

BASE = "http://127.0.0.1:8000"

# `former` was in the north until just now, `suspended` is in it and may not sign in, `root` administers the installation.
PEOPLE = ("owner", "admin", "member", "former", "stranger", "root", "suspended")
ACTIVE = PEOPLE[:-1]

TEAMS: Mapping[str, Team] = {
    "north": Team(3, {"owner": "admin", "admin": "admin", "member": "member", "suspended": "member"}),
    "south": Team(2, {"stranger": "admin", "member": "member"}),
}

# Each with a word that stands in it and nowhere else.
PAPERS: Mapping[str, Paper] = {
    "private": Paper("owner"),
    "hidden": Paper("owner", "north", True),
    "shared": Paper("owner", "north", False),
    "viewable": Paper("owner", "north", False, 2),
    "askable": Paper("owner", "north", False, 1),
    "southern": Paper("stranger", "south", False),
    "narrowed": Paper("stranger", "south", False, 1),
    "left": Paper("former", "north", False),
    "kept": Paper("former", "north", True),
    "personal": Paper("member"),
    "rooted": Paper("root"),
}


@dataclass(frozen=True)
class DocumentIds:
    """What names a document and its parts, and the words that only it holds."""

    document_id: str
    file_id: str
    job_id: str
    chunk_ids: tuple[str, ...]
    word: str
    tag: str


@dataclass(frozen=True)
class ChatIds:
    """What names a person's conversation and its parts, and the word that only it holds."""

    session_id: str
    run_id: str
    message_id: str
    question_id: str
    word: str


@dataclass(frozen=True)
class Pass:
    """How a person comes in: the secret of a session with its CSRF token, and an API key for every scope."""

    user_id: str
    token: str
    csrf: str
    key: str
    key_id: str

    @property
    def cookie(self) -> str:
        return f"{SESSION_COOKIE}={self.token}"

    def headers(self, carrier: str) -> dict[str, str]:
        if carrier == "key":
            return {"authorization": f"Bearer {self.key}"}
        return {"cookie": self.cookie, "x-csrf-token": self.csrf}


CARRIERS = ("cookie", "key")


@dataclass(frozen=True)
class Target:
    """Something that ids name. `ids` by the name of the parameter; `levels` what each person has towards it."""

    name: str
    ids: Mapping[str, str]
    levels: Mapping[str, Level]

    def unknown(self) -> "Target":
        """The same parameters with ids and words of nothing at all; a page stays."""
        made = {key: new_id() if key != "page" else value for key, value in self.ids.items()}
        return Target("unknown", made, dict.fromkeys(PEOPLE, Level.NOTHING))


@dataclass
class Facts:
    """Everything that is known about the company, by name."""

    passes: dict[str, Pass] = field(default_factory=dict)
    teams: dict[str, str] = field(default_factory=dict)
    papers: dict[str, DocumentIds] = field(default_factory=dict)
    chats: dict[str, ChatIds] = field(default_factory=dict)
    scoped: dict[Scope, str] = field(default_factory=dict)  # the owner's key for every other scope

    def targets(self, kind: str) -> list[Target]:
        """All things of a kind; the kinds are the methods below."""
        return getattr(self, f"_{kind}s")()  # type: ignore[no-any-return]

    def _documents(self) -> list[Target]:
        return [
            Target(name, {"document_id": ids.document_id}, paper_levels(name))
            for name, ids in self.papers.items()
        ]

    def _files(self) -> list[Target]:
        return [
            Target(name, {"file_id": ids.file_id}, paper_levels(name)) for name, ids in self.papers.items()
        ]

    def _pages(self) -> list[Target]:
        return [Target(each.name, {**each.ids, "page": "1"}, each.levels) for each in self._files()]

    def _jobs(self) -> list[Target]:
        return [
            Target(name, {"job_id": ids.job_id}, _only(PAPERS[name].owner))
            for name, ids in self.papers.items()
        ]

    def _sessions(self) -> list[Target]:
        return [Target(who, {"session_id": chat.session_id}, _only(who)) for who, chat in self.chats.items()]

    def _messages(self) -> list[Target]:
        return [Target(who, {"message_id": chat.message_id}, _only(who)) for who, chat in self.chats.items()]

    def _runs(self) -> list[Target]:
        return [Target(who, {"run_id": chat.run_id}, _only(who)) for who, chat in self.chats.items()]

    def _keys(self) -> list[Target]:
        return [Target(who, {"key_id": each.key_id}, _only(who)) for who, each in self.passes.items()]

    def _groups(self) -> list[Target]:
        return [
            Target(name, {"group_id": group_id}, _team_levels(name)) for name, group_id in self.teams.items()
        ]

    def _members(self) -> list[Target]:
        return [
            Target(
                f"{who} in {team}",
                {"group_id": group_id, "user_id": self.passes[who].user_id},
                _team_levels(team),
            )
            for team, group_id in self.teams.items()
            for who in TEAMS[team].roles
        ]

    def _leavers(self) -> list[Target]:
        """Memberships as their own person sees them too, who may always end them."""
        found = []
        for each in self._members():
            who = each.name.split()[0]
            found.append(Target(each.name, each.ids, {**each.levels, who: Level.OWN}))
        return found

    def _places(self) -> list[Target]:
        """Groups as filters of a list: whoever left a document there still finds it."""
        return [
            Target(
                each.name,
                each.ids,
                {
                    who: Level.VIEW if _left_something(who, each.name) else has
                    for who, has in each.levels.items()
                },
            )
            for each in self._groups()
        ]

    def _words(self) -> list[Target]:
        """What only one document has: a tag, a name, a word of its text."""
        return [
            Target(name, {"tag": ids.tag, "name": f"{name}-paper", "text": ids.word}, paper_levels(name))
            for name, ids in self.papers.items()
        ]

    def _titles(self) -> list[Target]:
        return [Target(who, {"title": chat.word}, _only(who)) for who, chat in self.chats.items()]

    def _chunks(self) -> list[Target]:
        return [
            Target(name, {"chunk_id": chunk_id}, paper_levels(name))
            for name, ids in self.papers.items()
            for chunk_id in ids.chunk_ids
        ]

    def _persons(self) -> list[Target]:
        return [
            Target(who, {"user_id": each.user_id}, dict.fromkeys(PEOPLE, Level.NOTHING))
            for who, each in self.passes.items()
        ]

    def secrets(self, person: str) -> dict[str, str]:
        """What must never come before this person's eyes: `{string: what it is}`."""
        found: dict[str, str] = {}
        for name, ids in self.papers.items():
            has = paper_levels(name)[person]
            if has is Level.NOTHING:
                parts = {
                    "document": ids.document_id,
                    "file": ids.file_id,
                    "text": ids.word,
                    "name": f"{name}-paper",
                    "tag": ids.tag,
                }
                found |= {value: f"{part} of {name}" for part, value in parts.items()}
                found |= dict.fromkeys(ids.chunk_ids, f"passage of {name}")
            if person != PAPERS[name].owner:
                found[ids.job_id] = f"job of {name}"
        for who, chat in self.chats.items():
            if who != person:
                parts = {
                    "session": chat.session_id,
                    "run": chat.run_id,
                    "answer": chat.message_id,
                    "question": chat.question_id,
                    "words": chat.word,
                }
                found |= {value: f"{part} of {who}" for part, value in parts.items()}
        for who, each in self.passes.items():
            if who != person:
                found |= {
                    each.key_id: f"key of {who}",
                    each.token: f"session of {who}",
                    each.key: f"key of {who}",
                }
        for team, group_id in self.teams.items():
            if person not in TEAMS[team].roles:
                found[f"{team}-team"] = f"name of group {team}"
                if not _left_something(person, team):
                    found[group_id] = f"group {team}"
        return found

    def remembered(self, person: str) -> dict[str, str]:
        """Secrets that stay in this person's own conversation: what an answer quoted while they were in the group."""
        if person != "former":
            return {}
        known = [
            self.papers[name] for name, paper in PAPERS.items() if paper.is_shared and paper.team == "north"
        ]
        kept = [value for ids in known for value in (ids.document_id, ids.word, *ids.chunk_ids)]
        names = [
            f"{name}-paper" for name, paper in PAPERS.items() if paper.is_shared and paper.team == "north"
        ]
        return {value: what for value, what in self.secrets(person).items() if value in {*kept, *names}}


def paper_levels(name: str) -> dict[str, Level]:
    """What everybody has towards a document."""
    return {person: level(person, PAPERS[name], TEAMS) for person in PEOPLE}


def visible_papers(person: str, least: Level) -> set[str]:
    """The documents towards which the person has at least this."""
    return {name for name in PAPERS if paper_levels(name)[person] >= least}


def _left_something(person: str, team: str) -> bool:
    return any(paper.owner == person and paper.team == team for paper in PAPERS.values())


def _team_levels(name: str) -> dict[str, Level]:
    return {person: team_level(person, TEAMS[name]) for person in PEOPLE}


def _only(owner: str) -> dict[str, Level]:
    return {person: Level.OWN if person == owner else Level.NOTHING for person in PEOPLE}


@dataclass(frozen=True)
class Template:
    """The company as it was when it was made."""

    database: Path
    blobs: MemoryBlobStore
    vectors: MemoryVectorStore
    keys: DataKeys
    facts: Facts


@dataclass
class World:
    """A running copy of the company. `app` is everything under HTTP with its outer checks."""

    house: House
    facts: Facts
    vectors: MemoryVectorStore
    blobs: MemoryBlobStore
    app: Any

    @asynccontextmanager
    async def client(self, headers: Mapping[str, str] | None = None) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as opened:
            yield opened

    async def actor(self, person: str) -> Actor:
        """The person as they stand now."""
        return await self.house.signed_in(person)

    @property
    def db(self) -> Database:
        return self.house.installation.db


async def force(db: Database, statement: Any) -> None:
    """Writes what no service offers yet, past all checks."""
    async with db.write() as unit:
        await unit.session.execute(system_scope(statement, SystemReason.RECOVERY))


def make_template(database: Path, folder: Path) -> Template:
    """Makes the company. `database` is migrated and empty."""
    blobs, vectors, keys = MemoryBlobStore(), MemoryVectorStore(), DataKeys(MasterKeys([new_master_key()]))
    facts = Facts()

    async def make() -> None:
        house = await open_house(sqlite_url(database), folder, keys, gateways=_gateways(blobs, vectors))
        await _Founding(house, facts).found()
        await house.stop()

    with asyncio.Runner() as runner:
        runner.run(make())
    registry.clear()
    return Template(database, blobs, vectors, keys, facts)


@asynccontextmanager
async def opened(template: Template, folder: Path) -> AsyncIterator[World]:
    """A copy of the company that runs until the end of the block."""
    database = folder / "world.db"
    shutil.copyfile(template.database, database)
    blobs, vectors = copy.deepcopy(template.blobs), copy.deepcopy(template.vectors)
    house = await open_house(
        sqlite_url(database), folder / "data", template.keys, gateways=_gateways(blobs, vectors)
    )
    house.root = await house.signed_in("root")
    try:
        yield World(house, template.facts, vectors, blobs, harden(build_rest(), OuterPolicy()))
    finally:
        await house.stop()


@asynccontextmanager
async def beside(template: Template, folder: Path) -> AsyncIterator[World]:
    """One more copy while another one runs, whose services are the registered ones again afterwards."""
    before = dict(registry._instances)
    inner = folder / new_id()
    inner.mkdir()
    try:
        async with opened(template, inner) as world:
            yield world
    finally:
        registry._instances.update(before)


def _gateways(blobs: MemoryBlobStore, vectors: MemoryVectorStore) -> Gateways:
    return Gateways(blobs, vectors, InMemoryEmbedder(), NoModel(), LocalParser())


@dataclass
class _Founding:
    """Makes people, groups, documents and conversations in an order in which all of it is allowed."""

    house: House
    facts: Facts

    async def found(self) -> None:
        await self._people()
        await self._teams()
        for name, paper in PAPERS.items():
            await self._paper(name, paper)
        await self._narrow()
        await self._chats()
        await self._passes()
        await self._leave()

    async def _people(self) -> None:
        root = await self.house.person("root")
        for name in PEOPLE:
            if name != "root":
                await self.house.installation.accounts.create_user(root, CreateUser(name, PASSWORD))

    async def _teams(self) -> None:
        groups = self.house.installation.groups
        for name, team in TEAMS.items():
            founder = min(team.admins(), key=list(team.roles).index)
            made = await groups.create_group(await self.house.signed_in(founder), CreateGroup(f"{name}-team"))
            self.facts.teams[name] = made.id
            actor = await self.house.signed_in(founder)
            for person, role in team.roles.items():
                if person != founder:
                    await groups.add_member(actor, made.id, person, role)
        await groups.add_member(await self.house.signed_in("owner"), self.facts.teams["north"], "former")

    async def _paper(self, name: str, paper: Paper) -> None:
        actor = await self.house.signed_in(paper.owner)
        word, tag = f"word{name}", f"tag-{name}"
        text = f"The rule of {word} says that every {word} is counted twice, for {name} alone."
        filename, data = f"{name}-paper.txt", text.encode()
        if name == "shared":
            filename, data = f"{name}-paper.pdf", pdf_of([text, f"Another page about {word}."])
        team = self.facts.teams[paper.team] if paper.team else None
        item = await self.house.upload(
            actor, data, filename, group_id=team, is_private=paper.is_private, tags=(tag,), collection=tag
        )
        view = await self.house.documents.get_document(actor, item.document_id)
        assert view.state == "ready", (name, view.error)
        chunks = await self.house.documents.list_chunks(actor, view.id, PageRequest(limit=50))
        self.facts.papers[name] = DocumentIds(
            view.id, view.file_id, view.job_id, tuple(each.id for each in chunks.items), word, tag
        )

    async def _narrow(self) -> None:
        db = self.house.installation.db
        for name, team in TEAMS.items():
            values = {"default_right": team.default_right}
            await force(db, update(Group).where(col(Group.id) == self.facts.teams[name]).values(**values))
        for name, paper in PAPERS.items():
            row = col(Document.id) == self.facts.papers[name].document_id
            await force(db, update(Document).where(row).values(member_right=paper.member_right))

    async def _chats(self) -> None:
        for person in PEOPLE:
            actor = await self.house.signed_in(person)
            word = f"question{person}"
            # In no word that only one document has, so that one's own question gives nothing away.
            started = await self.house.chat.ask(actor, AskQuestion(f"{word} What does the rule say?"))
            await self.house.chat.wait(actor, started.run_id)
            page = await self.house.conversations.list_messages(
                actor, started.session_id, PageRequest(limit=9)
            )
            self.house.forget(started.run_id)
            self.facts.chats[person] = ChatIds(
                started.session_id, started.run_id, started.message_id, page.items[0].id, word
            )

    async def _passes(self) -> None:
        accounts = self.house.installation.accounts
        for person in PEOPLE:
            signed = await accounts.sign_in(person, PASSWORD, Client())
            actor = await self.house.signed_in(person)
            made = await accounts.create_key(actor, CreateApiKey("script", tuple(map(str, Scope))))
            self.facts.passes[person] = Pass(
                actor.user_id, signed.token, signed.csrf_token, made.key, made.view.id
            )
        owner = await self.house.signed_in("owner")
        for scope in Scope:
            others = tuple(str(each) for each in Scope if each is not scope)
            self.facts.scoped[scope] = (
                await accounts.create_key(owner, CreateApiKey(f"no {scope}", others))
            ).key

    async def _leave(self) -> None:
        former = await self.house.signed_in("former")
        await self.house.installation.groups.remove_member(
            await self.house.signed_in("owner"), self.facts.teams["north"], former.user_id
        )
        await force(
            self.house.installation.db,
            update(User).where(col(User.username) == "suspended").values(is_active=False),
        )


def change_of(**values: Any) -> ChangeDocument:
    """A change of a document."""
    return ChangeDocument(**values)


def found_in(text: str, secrets: Mapping[str, str], sent: Sequence[str] = ()) -> set[str]:
    """Which secrets stand in a text, but for those that its reader sent themselves."""
    return {what for secret, what in secrets.items() if secret in text and secret not in sent}
