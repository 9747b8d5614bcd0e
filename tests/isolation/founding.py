"""Makes the company with the product's own services, in an order in which all of it is allowed."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlmodel import col

from tests.files import pdf_of
from tests.house import PASSWORD, House
from tests.isolation.company import PAPERS, PEOPLE, PICTURED, TEAMS, ChatIds, DocumentIds, Facts, Pass
from tests.isolation.rules import Paper
from youworker_app.access.actor import Scope
from youworker_app.access.visible import SystemReason, system_scope
from youworker_app.accounts.schemas import Carrier, Client, CreateApiKey, CreateUser, Credential
from youworker_app.chat.schemas import AskQuestion
from youworker_app.core.db import Database
from youworker_app.core.paging import PageRequest
from youworker_app.groups.schemas import CreateGroup
from youworker_app.models.accounts import User
from youworker_app.models.documents import Document
from youworker_app.models.groups import Group


async def force(db: Database, statement: Any) -> None:
    """Writes what no service offers yet, past all checks."""
    async with db.write() as unit:
        await unit.session.execute(system_scope(statement, SystemReason.RECOVERY))


@dataclass
class Founding:
    """`found()` fills an empty installation, and `facts` with the ids."""

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
                await self.house.installation.people.create_user(root, CreateUser(name, PASSWORD))

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
        if name in PICTURED:
            filename, data = f"{name}-paper.pdf", pdf_of([text, f"Another page about {word}."])
        team = self.facts.teams[paper.team] if paper.team else None
        item = await self.house.upload(
            actor, data, filename, group_id=team, is_private=paper.is_private, tags=(tag,), collection=tag
        )
        assert item.document_id is not None
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
            made = await self.house.installation.api_keys.create_key(
                actor, CreateApiKey("script", tuple(map(str, Scope)))
            )
            here = await accounts.authenticate(Credential(Carrier.COOKIE, signed.token))
            self.facts.passes[person] = Pass(
                actor.user_id, signed.token, signed.csrf_token, made.key, made.view.id, here.credential_id
            )
        owner = await self.house.signed_in("owner")
        for scope in Scope:
            others = tuple(str(each) for each in Scope if each is not scope)
            self.facts.scoped[scope] = (
                await self.house.installation.api_keys.create_key(owner, CreateApiKey(f"no {scope}", others))
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
