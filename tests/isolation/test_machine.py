"""Random companies: people, groups, rights, documents come, change and go, and after each step everybody sees what rules.py says.

What the product answers is compared for every person, not only for the one who did something.
"""

from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select, update
from sqlmodel import col

from tests.databases import SqliteDatabases
from tests.house import House
from tests.isolation.founding import force
from tests.isolation.looking import ALL, Asked, Kept, Onlooker
from tests.isolation.machine import PERSONS, Machine, Seed, make_seed
from tests.isolation.rules import Level, Paper, Team, team_level
from youworker_app.access.actor import Actor
from youworker_app.access.visible import SystemReason, system_scope
from youworker_app.chat.schemas import AskQuestion
from youworker_app.core.errors import Unauthenticated
from youworker_app.documents.schemas import ChangeDocument
from youworker_app.groups.schemas import CreateGroup
from youworker_app.models.accounts import User
from youworker_app.models.documents import Document
from youworker_app.models.groups import Group

MOST_TEAMS, MOST_PAPERS, MOST_CHATS = 2, 6, 3

persons = st.sampled_from(PERSONS)
places = st.integers(0, 9)
whos = st.integers(0, 15)
rights = st.sampled_from([None, 1, 2, 3])
wheres = st.sampled_from(["group", "group", "own", "hidden"])


@pytest.fixture(params=["sqlite", "postgres"])
def seed(request: pytest.FixtureRequest, tmp_path: Path) -> Seed:
    """A company in which people have signed in and nothing happened yet, on each database."""
    return make_seed(request.getfixturevalue(f"{request.param}_databases"), tmp_path)


class Isolation(Machine):
    """What can happen."""

    # --- people and groups

    @initialize(first=st.permutations(PERSONS))
    def begin(self, first: list[str]) -> None:
        """Not from nothing: a group, somebody outside of it, and documents that can change."""
        self.found(first[0], first[1:3])
        for place, where in ((0, "group"), (1, "group"), (1, "hidden")):
            self.made += 1
            self.put(place, 0, where, f"word{self.made}x")

    @precondition(lambda self: len(self.groups) < MOST_TEAMS)
    @rule(person=persons, others=st.lists(persons, max_size=3))
    def found_group(self, person: str, others: list[str]) -> None:
        self.found(person, others)

    def found(self, person: str, others: list[str]) -> None:
        self.made += 1
        name = f"team {self.made}"

        async def work(actor: Actor) -> None:
            self.groups[name] = (
                await self.house.installation.groups.create_group(actor, CreateGroup(name))
            ).id

        self.attempt(person, work)
        if self.is_done(person, ""):
            self.company.teams[name] = Team(3, {person: "admin"})
            for other in dict.fromkeys(others):
                self.add(person, name, other, "member")

    def refusal(self, person: str, team: Team) -> str:
        """What who does not administer a group gets for trying to change it."""
        return {Level.OWN: "", Level.VIEW: "GroupAdminOnly"}.get(team_level(person, team), "NotFound")

    @precondition(lambda self: self.groups)
    @rule(who=whos, place=places, other=persons, role=st.sampled_from(["member", "member", "admin"]))
    def add_member(self, who: int, place: int, other: str, role: str) -> None:
        name = self.team(place)
        self.add(self.someone(who, self.company.teams[name].admins()), name, other, role)

    def add(self, person: str, name: str, other: str, role: str) -> None:
        team = self.company.teams[name]
        taken = "AlreadyMember" if other in team.roles else ""
        gone = "UserNotFound" if other in self.company.inactive else taken
        expected = self.refusal(person, team) or gone
        groups = self.house.installation.groups
        self.attempt(
            person, lambda a: groups.add_member(a, self.groups[name], other, role), expected=expected
        )
        if self.is_done(person, expected):
            team.roles[other] = role

    @precondition(lambda self: self.groups)
    @rule(who=whos, place=places, whom=whos)
    def remove_member(self, who: int, place: int, whom: int) -> None:
        name = self.team(place)
        team = self.company.teams[name]
        person, other = self.someone(who, team.admins()), self.someone(whom, team.roles)
        refused = self.refusal(person, team)
        if person == other and refused != "NotFound":
            refused = ""
        last = "LastAdmin" if team.admins() == {other} else ""
        expected = refused or ("NotFound" if other not in team.roles else last)

        groups, user_id = self.house.installation.groups, self.seed.ids[other]
        self.attempt(person, lambda a: groups.remove_member(a, self.groups[name], user_id), expected=expected)
        if self.is_done(person, expected):
            del team.roles[other]

    @precondition(lambda self: self.groups)
    @rule(who=whos, place=places)
    def delete_group(self, who: int, place: int) -> None:
        """Its documents go back to their owners, who need not be there."""
        name = self.team(place)
        team = self.company.teams[name]
        # Mostly by somebody who may not: with the group its documents' rights are of no further interest.
        person = self.someone(who, {*PERSONS} - team.admins())
        expected, groups = self.refusal(person, team), self.house.installation.groups
        self.attempt(person, lambda a: groups.delete_group(a, self.groups[name]), expected=expected)
        if self.is_done(person, expected):
            del self.company.teams[name], self.groups[name]
            for document_id, paper in self.company.papers.items():
                if paper.team == name:
                    paper.team, paper.is_private = None, True
                    self.company.kept[document_id].file_id = self.run(self.file_of(document_id))

    async def file_of(self, document_id: str) -> str:
        statement = select(col(Document.file_id)).where(col(Document.id) == document_id)
        async with self.house.installation.db.read() as unit:
            found = await unit.session.execute(system_scope(statement, SystemReason.RECOVERY))
        return str(found.scalar_one())

    @precondition(lambda self: self.groups)
    @rule(place=places, right=st.sampled_from([1, 2, 3]))
    def set_default_right(self, place: int, right: int) -> None:
        name = self.team(place)
        statement = update(Group).where(col(Group.id) == self.groups[name]).values(default_right=right)
        self.run(force(self.house.installation.db, statement))
        self.company.teams[name].default_right = right

    @rule(person=st.sampled_from(PERSONS[1:]))
    def suspend_or_readmit(self, person: str) -> None:
        person = min(self.company.inactive, default=person)  # one at a time
        self.company.inactive ^= {person}
        is_active = person not in self.company.inactive
        statement = update(User).where(col(User.username) == person).values(is_active=is_active)
        self.run(force(self.house.installation.db, statement))

    # --- documents

    @precondition(lambda self: len(self.company.kept) < MOST_PAPERS)
    @rule(who=whos, place=places, where=wheres)
    def upload(self, who: int, place: int, where: str) -> None:
        self.made += 1
        self.put(who, place, where, f"word{self.made}x")

    @precondition(lambda self: 0 < len(self.company.kept) < MOST_PAPERS)
    @rule(who=whos, place=places, of=places, where=wheres)
    def upload_the_same(self, who: int, place: int, of: int, where: str) -> None:
        self.put(who, place, where, self.company.kept[self.paper(of)].word)

    def put(self, who: int, place: int, where: str, word: str) -> None:
        team = self.team(place) if where != "own" and self.groups else None
        person = self.someone(who, self.company.teams[team].roles if team else ())
        is_hidden = where == "hidden"
        paper = Paper(person, team, team is None or is_hidden)
        expected = "NotFound" if team and person not in self.company.teams[team].roles else ""
        known = self.the_same(paper, word) if not expected else None
        text = f"The rule of {word} says that every {word} is counted twice.".encode()

        async def work(actor: Actor) -> None:
            group_id = self.groups[team] if team else None
            item = await self.house.upload(
                actor, text, f"{word}.txt", group_id=group_id, is_private=is_hidden if team else None
            )
            if known is not None:
                assert item.duplicate_of == self.company.kept[known].document_id
                return
            assert item.duplicate_of is None
            assert item.document_id is not None
            view = await self.house.documents.get_document(actor, item.document_id)
            chunks = await self.house.documents.list_chunks(actor, view.id, ALL)
            assert view.state == "ready"
            ids = tuple(chunk.id for chunk in chunks.items)
            self.company.kept[view.id] = Kept(view.id, view.file_id, ids, word)
            self.company.papers[view.id] = paper

        self.attempt(person, work, expected=expected)

    def the_same(self, paper: Paper, word: str) -> str | None:
        """The oldest document with this content in the same place that the uploader sees."""

        def space(one: Paper) -> str:
            return one.team or "" if one.is_shared else f"own {one.owner}"

        for name, other in self.company.papers.items():
            is_here = (space(other), other.team) == (space(paper), paper.team)
            if (
                is_here
                and self.company.kept[name].word == word
                and self.company.may(paper.owner, name) >= Level.VIEW
            ):
                return name
        return None

    @precondition(lambda self: self.company.kept)
    @rule(who=whos, of=places, is_private=st.sampled_from([None, True, False]), place=st.integers(-3, 3))
    def change_document(self, who: int, of: int, is_private: bool | None, place: int) -> None:
        """`place`: -3 and -2 leave it where it is, -1 takes it out of its group, others move it into one."""
        name = self.paper(of)
        paper = self.company.papers[name]
        person = self.someone(who, [paper.owner])
        named = self.team(place) if place >= 0 and self.groups else None
        team = named or (None if place == -1 else paper.team)
        expected = self.refused_change(person, name, named, team, is_private)
        change = ChangeDocument(
            title=f"title {self.made}",
            is_private=is_private,
            group_id=self.groups[named] if named else ("" if place == -1 else None),
        )

        async def work(actor: Actor) -> None:
            view = await self.house.sharing.change_document(actor, name, change)
            self.company.kept[name].file_id = view.file_id

        self.attempt(person, work, expected=expected)
        if self.is_done(person, expected):
            paper.team = team
            paper.is_private = team is None or (paper.is_private if is_private is None else is_private)

    def refused_change(
        self, person: str, name: str, named: str | None, team: str | None, is_private: bool | None
    ) -> str:
        if refused := self.refused(person, name):
            return refused
        opens = is_private is False and self.company.papers[name].is_private
        if team and (named or opens) and person not in self.company.teams[team].roles:
            return "NotFound"
        return "PrivateInGroup" if team is None and is_private is False else ""

    def refused(self, person: str, name: str) -> str:
        """What who does not own a document gets for trying to change it."""
        may = self.company.may(person, name)
        return "" if may is Level.OWN else "OwnerOnly" if may >= Level.VIEW else "NotFound"

    @precondition(lambda self: self.company.kept)
    @rule(of=places, right=rights)
    def narrow(self, of: int, right: int | None) -> None:
        name = self.paper(of)
        statement = update(Document).where(col(Document.id) == name).values(member_right=right)
        self.run(force(self.house.installation.db, statement))
        self.company.papers[name].member_right = right

    @precondition(lambda self: self.company.kept)
    @rule(who=whos, of=places)
    def delete_document(self, who: int, of: int) -> None:
        name = self.paper(of)
        # Mostly by somebody who may not: what is gone is of no further interest.
        person = self.someone(who, {*PERSONS} - {self.company.papers[name].owner})
        expected = self.refused(person, name)
        self.attempt(person, lambda a: self.house.documents.delete_document(a, name), expected=expected)
        if self.is_done(person, expected):
            del self.company.papers[name], self.company.kept[name]

    # --- conversations

    @precondition(lambda self: self.company.kept and len(self.company.chats) < MOST_CHATS)
    @rule(who=whos, of=places)
    def ask(self, who: int, of: int) -> None:
        name = self.paper(of)
        word = self.company.kept[name].word
        person = self.someone(who, [each for each in PERSONS if self.company.may(each, name)])

        async def work(actor: Actor) -> None:
            chat = self.house.chat
            started = await chat.ask(actor, AskQuestion(f"What does the rule of {word} say?"))
            message = await chat.wait(actor, started.run_id)
            cited = {citation.document_id for citation in message.citations}
            assert cited <= self.company.papers_of(person, Level.ASK)
            self.company.chats.append(Asked(person, started.session_id, started.run_id, started.message_id))

        self.attempt(person, work)

    @rule()
    def restart(self) -> None:
        async def again() -> House:
            await self.house.stop()
            opened = await self._open()
            await opened.installation.queue.idle()
            return opened

        self.house = self.run(again())

    # --- and what everybody sees

    @invariant()
    def everybody_sees_what_the_rules_say(self) -> None:
        async def look() -> None:
            onlooker = Onlooker(self.house, self.vectors, self.company)
            name = self.paper(self.steps) if self.company.kept else ""
            chats = self.company.chats
            chat = chats[self.steps % len(chats)] if chats else None
            for person in PERSONS:
                if person in self.company.inactive:
                    with pytest.raises(Unauthenticated):
                        await self.actor(person)
                else:
                    await onlooker.look(person, await self.actor(person), name, chat)

        self.steps += 1
        self.run(look())


QUIET = settings(
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)
# Making a failure smaller takes longer than a test may: 20 steps are read as they are, the long profile makes them few.
UNSHRUNK = (Phase.explicit, Phase.generate)


def machine(seed: Seed) -> Any:
    """What makes a company; Hypothesis asks for a class and calls it."""
    return lambda: Isolation(seed)


def test_a_random_company(seed: Seed) -> None:
    """The same steps each time, a hundred in files and forty on PostgreSQL (a long test), none in an empty company."""
    examples = 5 if isinstance(seed.databases, SqliteDatabases) else 2
    run_state_machine_as_test(
        machine(seed),
        settings=settings(
            QUIET, max_examples=examples, stateful_step_count=20, derandomize=True, phases=UNSHRUNK
        ),
    )


@pytest.mark.long
def test_many_random_companies(seed: Seed) -> None:
    """Others each time."""
    run_state_machine_as_test(
        machine(seed), settings=settings(QUIET, max_examples=100, stateful_step_count=60)
    )
