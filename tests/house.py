"""A whole installation for tests: the real wiring and services over a migrated database, with in-memory gateways."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import col

from tests.people import QUICK_HASHER
from youworker_app.access.actor import Actor
from youworker_app.access.visible import SystemReason, system_scope
from youworker_app.accounts.schemas import Carrier, Client, CreateUser, Credential
from youworker_app.chat.conversations import ConversationService
from youworker_app.chat.schemas import RunEvent
from youworker_app.chat.service import ChatService
from youworker_app.core.db import Database
from youworker_app.core.keys import DataKeys
from youworker_app.core.registry import service
from youworker_app.core.settings import DatabaseSettings, ServerSettings, Settings
from youworker_app.documents.service import DocumentService
from youworker_app.documents.sharing import SharingService
from youworker_app.gateways.blobs.memory import MemoryBlobStore
from youworker_app.gateways.embeddings.memory import InMemoryEmbedder
from youworker_app.gateways.llm.protocol import LanguageModel
from youworker_app.gateways.llm.scripted import NoModel
from youworker_app.gateways.parsing.parser import LocalParser
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.groups.schemas import CreateGroup
from youworker_app.ingestion.schemas import Upload, UploadedItem
from youworker_app.ingestion.service import IngestionService
from youworker_app.models.documents import Document
from youworker_app.wiring import Gateways, Installation

PASSWORD = "correct horse battery"


async def pieces(data: bytes, size: int = 64 * 1024) -> AsyncIterator[bytes]:
    """A body as it comes off the wire."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


@dataclass
class House:
    """A started installation and short ways to use it as people do."""

    installation: Installation
    setup_token: str | None
    root: Actor | None = None

    @property
    def documents(self) -> DocumentService:
        return service(DocumentService)

    @property
    def sharing(self) -> SharingService:
        return service(SharingService)

    @property
    def ingestion(self) -> IngestionService:
        return service(IngestionService)

    @property
    def chat(self) -> ChatService:
        return service(ChatService)

    @property
    def conversations(self) -> ConversationService:
        return service(ConversationService)

    async def person(self, name: str, *groups: str) -> Actor:
        """A person who has just signed in; the first one is root."""
        accounts = self.installation.accounts
        if self.root is None:
            assert self.setup_token is not None
            first = await accounts.set_up(self.setup_token, "root", PASSWORD, Client())
            self.root = await accounts.authenticate(Credential(Carrier.COOKIE, first.token))
            if name == "root":
                return self.root
        await self.installation.people.create_user(self.root, CreateUser(name, PASSWORD))
        return await self.signed_in(name)

    async def signed_in(self, name: str) -> Actor:
        """The person, as they stand now, by a fresh sign-in."""
        accounts = self.installation.accounts
        signed = await accounts.sign_in(name, PASSWORD, Client())
        return await accounts.authenticate(Credential(Carrier.COOKIE, signed.token))

    async def team(self, admin: Actor, name: str, *members: str) -> str:
        """A group of `admin` with members; actors have to be made anew afterwards."""
        groups = self.installation.groups
        group = await groups.create_group(admin, CreateGroup(name))
        fresh = await self.signed_in(admin.username)
        for member in members:
            await groups.add_member(fresh, group.id, member, "member")
        return group.id

    async def upload(
        self,
        actor: Actor,
        data: bytes,
        filename: str = "note.txt",
        *,
        group_id: str | None = None,
        **more: object,
    ) -> UploadedItem:
        """Uploads and waits until the machine has read it."""
        item = await self.ingestion.upload(actor, Upload(filename, group_id=group_id, **more), pieces(data))  # type: ignore[arg-type]
        await self.installation.queue.idle()
        return item

    async def narrow(self, document_id: str, member_right: int | None) -> None:
        """Sets what members may do with a document; the service that lets owners do so comes with the sharing screens."""
        statement = update(Document).where(col(Document.id) == document_id).values(member_right=member_right)
        async with self.installation.db.write() as unit:
            await unit.session.execute(system_scope(statement, SystemReason.RECOVERY))

    def live(self, run_id: str) -> list[RunEvent]:
        """The events of a run so far."""
        run = self.installation.runs.find(run_id)
        return list(run.events) if run else []

    def running(self, actor: Actor) -> bool:
        """Whether an answer of this person is being written."""
        return bool(self.installation.runs.of(actor.user_id))

    def forget(self, run_id: str) -> None:
        """Lets a run leave memory, as it does a minute after its end."""
        run = self.installation.runs.find(run_id)
        assert run is not None
        self.installation.runs.drop(run)

    async def stop(self) -> None:
        """Stops the installation."""
        await self.installation.stop()


async def open_house(
    database_url: str,
    folder: Path,
    keys: DataKeys,
    *,
    llm: LanguageModel | None = None,
    gateways: Gateways | None = None,
) -> House:
    """Starts an installation over a migrated database."""
    settings = Settings(data_dir=folder)
    settings.database = DatabaseSettings(url=database_url)
    settings.server = ServerSettings(shutdown_seconds=1)
    gateways = gateways or Gateways(
        MemoryBlobStore(), MemoryVectorStore(), InMemoryEmbedder(), llm or NoModel(), LocalParser()
    )
    installation = Installation(settings, gateways, keys, hasher=QUICK_HASHER)
    return House(installation, await installation.start())


@pytest.fixture
async def house(
    database: Database, database_url: str, tmp_path: Path, keys: DataKeys
) -> AsyncIterator[House]:
    """A house without people."""
    opened = await open_house(database_url, tmp_path / "data", keys)
    yield opened
    await opened.stop()
