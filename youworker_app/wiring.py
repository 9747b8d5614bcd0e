"""The composition root: settings become gateways, gateways become services. The only constructor of services.

Owns the order of starting and stopping. Holds no rule of any domain.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from argon2 import PasswordHasher

from youworker_app.accounts.key_check import check_master_key
from youworker_app.accounts.ports import AccountData, OpenPages, RunningExports
from youworker_app.agent.service import AgentService
from youworker_app.audit.ports import KeptTrail
from youworker_app.audit.reader import AuditReader
from youworker_app.audit.service import AuditService
from youworker_app.audit.trail import Trail
from youworker_app.chat.conversations import ConversationService
from youworker_app.chat.export import OwnConversations
from youworker_app.chat.live import LiveRuns
from youworker_app.chat.ports import ChatData, RunningAnswers
from youworker_app.chat.service import ChatService
from youworker_app.core import registry
from youworker_app.core.database_errors import DatabaseTrouble
from youworker_app.core.db import Database
from youworker_app.core.errors import DependencyAway
from youworker_app.core.events import EventBus
from youworker_app.core.jobs import JobQueue
from youworker_app.core.keys import DataKeys
from youworker_app.core.migrations import migrate
from youworker_app.core.ownership import DataFolder
from youworker_app.core.ports import Ports
from youworker_app.core.rates import RateLimits
from youworker_app.core.refusals import Refusals
from youworker_app.core.secrets import load_master
from youworker_app.core.settings import Settings
from youworker_app.core.stopping import Stopping
from youworker_app.core.telemetry import get_logger
from youworker_app.documents.export import OwnedDocuments
from youworker_app.documents.following import IndexFollowing
from youworker_app.documents.indexed import IndexedDocuments
from youworker_app.documents.intake import DocumentIntake
from youworker_app.documents.ports import DocumentData, GroupDocuments
from youworker_app.documents.service import DocumentService
from youworker_app.documents.sharing import SharingService
from youworker_app.gateways.blobs.files import FileBlobStore
from youworker_app.gateways.vectors.sparse import SparseEncoder
from youworker_app.groups.ports import GroupData, MembershipData
from youworker_app.ingestion.convoy import Convoy
from youworker_app.ingestion.maintenance import IndexMaintenance
from youworker_app.ingestion.pipeline import IngestionPipeline
from youworker_app.ingestion.ports import JobData, RunningJobs
from youworker_app.ingestion.rebuilding import IndexRebuilding
from youworker_app.ingestion.recovery import IngestionRecovery
from youworker_app.ingestion.service import KIND, IngestionService
from youworker_app.ingestion.waiting import WaitingRoom
from youworker_app.ingestion.worker import IngestionWorker
from youworker_app.operations.service import HealthService
from youworker_app.retrieval.service import RetrievalService
from youworker_app.wiring_accounts import Ground, wire_accounts
from youworker_app.wiring_gateways import Gateways as Gateways
from youworker_app.wiring_gateways import build_gateways as build_gateways
from youworker_app.wiring_gateways import generations
from youworker_app.wiring_privacy import PrivacyGround, wire_privacy

log = get_logger(__name__)

_PREPARE_AGAIN_S = 5.0
# Jobs at their handler, which works on a few of them and lets small ones that wait go together.
_AT_HAND = 64


class Installation:
    """Everything that runs, from `start` to `stop`. Services are registered on construction.

    `hasher` is for tests that cannot wait for a slow one.
    """

    def __init__(
        self,
        settings: Settings,
        gateways: Gateways,
        keys: DataKeys,
        stopping: Stopping | None = None,
        *,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._hasher = hasher
        self.index = generations(gateways.vectors)
        self.settings, self.gateways, self.keys = settings, replace(gateways, vectors=self.index), keys
        self.stopping = stopping or Stopping()
        explains = settings.server.log_level == "DEBUG"
        self.db = Database(settings.database_url(), settings.database, explains=explains)
        self.bus = EventBus()
        self.queue = JobQueue(workers=_AT_HAND)
        self.rates = RateLimits(settings.limits)
        self.audit = AuditService(keys)
        self.trail = Trail.over(self.db, keys, self.audit, gateways.anchors, settings.audit)
        registry.provide(Trail, self.trail)
        registry.provide(Refusals, self.audit.refusals)
        registry.provide(AuditReader, AuditReader(self.db, self.audit, self.trail.verifier, settings.audit))
        self.sparse = SparseEncoder(keys.derive("sparse-terms"))
        self.ports = Ports(self.audit)
        self._preparing: asyncio.Task[None] | None = None
        self._has_begun_work = False
        self._wire_accounts()
        self._wire_documents()
        self._wire_chat()
        self._wire_ports()

    def _wire_accounts(self) -> None:
        base = (self.db, self.keys, self.settings.security, self.audit, self.ports, self.bus)
        ground = Ground(*base, self.settings.oidc, self.settings.forward_auth, self._hasher)
        made = wire_accounts(ground)
        self.groups, self.accounts, self.api_keys = made.groups, made.accounts, made.api_keys
        self.people, self.resets, self.provider_sign_in = made.people, made.resets, made.provider_sign_in
        self.erasures = made.erasures
        registry.provide(EventBus, self.bus)
        registry.provide(Settings, self.settings)
        registry.provide(Stopping, self.stopping)
        registry.provide(RateLimits, self.rates)

    def _wire_documents(self) -> None:
        gateways = self.gateways
        shared = (self.db, self.keys, gateways.blobs, gateways.vectors)
        self.intake, indexed = DocumentIntake(self.keys, self.audit), IndexedDocuments(self.keys)
        self.documents = DocumentService(*shared, gateways.parser, self.audit, self.bus)
        self.room = WaitingRoom(lambda job_id: self.queue.deliver(KIND, job_id))
        reading = (
            self.db,
            gateways.blobs,
            self.intake,
            gateways.parser,
            gateways.embedder,
            gateways.vectors,
            self.sparse,
            self.bus,
        )
        pipeline = IngestionPipeline(*reading, self.room, indexed)
        convoy = Convoy(*reading, indexed)
        self.worker = IngestionWorker(
            self.db,
            self.intake,
            pipeline,
            self.bus,
            self.room,
            convoy,
            workers=self.settings.ingestion.workers,
        )
        self.queue.handle(KIND, self.worker.work)
        rebuilding = IndexRebuilding(self.db, indexed, self.index, gateways.embedder, self.sparse)
        advised = self.settings.vectors.advised_points
        self.maintenance = IndexMaintenance(self.db, indexed, self.index, rebuilding, self.queue, advised)
        registry.provide(IndexMaintenance, self.maintenance)
        probes = {"search_index": self.maintenance.state}
        registry.provide(HealthService, HealthService(self.db, probes, self.maintenance.hints))
        self.recovery = IngestionRecovery(self.db, gateways.blobs, self.maintenance, self.intake, self.queue)
        registry.provide(DocumentService, self.documents)
        self.following = IndexFollowing(self.db, indexed, gateways.vectors)
        to_move = (self.db, self.keys, gateways.blobs, self.following)
        self.sharing = SharingService(*to_move, self.audit, self.bus)
        registry.provide(SharingService, self.sharing)
        registry.provide(
            IngestionService,
            IngestionService(
                self.db, self.keys, gateways.blobs, self.intake, self.queue, self.bus, self.settings.ingestion
            ),
        )

    def _wire_chat(self) -> None:
        self.runs = runs = LiveRuns()
        self.retrieval = RetrievalService(
            self.documents,
            self.gateways.embedder,
            self.gateways.vectors,
            self.sparse,
            told=self.audit.searched,
        )
        agent = AgentService(self.retrieval, self.gateways.llm, self.settings.chat, self.settings.llm)
        conversations = ConversationService(self.db, self.keys, self.documents, runs, self.audit, self.bus)
        self.chat = ChatService(
            self.db, self.keys, agent, conversations, runs, self.audit, self.bus, self.settings.chat
        )
        registry.provide(RetrievalService, self.retrieval)
        registry.provide(AgentService, agent)
        registry.provide(ConversationService, conversations)
        registry.provide(ChatService, self.chat)
        ground = PrivacyGround(
            self.db, self.keys, self.settings, self.audit, self.ports, self.bus, self.queue, runs
        )
        self.privacy = wire_privacy(ground)

    def _wire_ports(self) -> None:
        """In order: a group has its new admin before its documents go there, these their owner before jobs, people go last."""
        blobs, vectors = self.gateways.blobs, self.gateways.vectors
        self.ports.personal_data += [
            MembershipData(self.db, self.audit),
            DocumentData(blobs, vectors, self.audit, self.bus, OwnedDocuments(self.db, self.keys, blobs)),
            JobData(self.db, self.queue),
            ChatData(OwnConversations(self.db, self.keys)),
            KeptTrail(self.db, self.audit),
            AccountData(self.db, self.privacy.store),
        ]
        self.ports.group_contents += [GroupDocuments(self.sharing), GroupData()]
        self.ports.running_work += [
            RunningAnswers(self.runs),
            RunningJobs(self.db, self.queue),
            RunningExports(self.privacy.exports),
            OpenPages(self.bus),
        ]

    async def start(self, *, opens_index: bool = True) -> str | None:
        """Migrates, recovers, opens the index. Returns a setup token while there is no account.

        Without `opens_index` it is left as it is, for whoever came to mend it. Raises ConfigurationError for what an
        administrator has to change.
        """
        await self.migrate()
        await check_master_key(self.db, self.keys)
        self.trail.sealer.start()
        if isinstance(self.gateways.blobs, FileBlobStore):
            await self.gateways.blobs.sweep_unfinished()
        await self.recovery.sweep()
        await self.recovery.hand_back()
        await self.queue.start()
        self._has_begun_work = True
        await self.chat.recover()
        await self.privacy.start()
        if not opens_index:
            return None
        try:
            await self._open_index()
        except DependencyAway as error:
            log.warning("index_waits", code=error.code)
            self._preparing = asyncio.create_task(self._open_index_later())
            await self.erasures.resume()
        return await self.accounts.issue_setup_token()

    async def migrate(self) -> None:
        """Brings the database to this release's schema. Raises ConfigurationError for a newer one."""
        await migrate(self.settings.database_url())

    async def close(self) -> None:
        """Closes gateways and database."""
        await self.gateways.close()
        await self.provider_sign_in.close()
        await self.rates.close()
        await self.db.close()

    async def _open_index(self) -> None:
        await self.maintenance.open()
        await self.recovery.recover()
        self.maintenance.start()
        await self.erasures.resume()

    async def _open_index_later(self) -> None:
        """An embedding or vector server that is away at start is waited for; nothing else waits for it."""
        while True:
            await asyncio.sleep(_PREPARE_AGAIN_S)
            try:
                await self._open_index()
            except DependencyAway as error:
                log.warning("index_waits", code=error.code)
            else:
                return

    async def hand_over(self) -> None:
        """Brings work to an end that the next start can go on from, while readers are still served.

        Jobs stop where they are and are handed back, answers and uploads have `shutdown_seconds` to end by themselves, then
        they are cut. Doing it twice does no harm.
        """
        self.stopping.begin()
        if self._preparing is not None:
            self._preparing.cancel()
            with suppress(asyncio.CancelledError):
                await self._preparing
        await self.room.close()
        await self.privacy.stop()
        await self.maintenance.stop()
        await self.following.stop()
        await self.queue.stop()
        if self._has_begun_work:
            try:
                await self.recovery.hand_back()
            except DatabaseTrouble as trouble:
                log.warning(
                    "jobs_not_handed_back", code=trouble.code
                )  # the next start finds them all the same
        seconds = self.settings.server.shutdown_seconds
        await asyncio.gather(self.chat.shut_down(seconds), self.stopping.finished(seconds))
        self.stopping.cut()

    async def stop(self) -> None:
        """Hands over and closes everything."""
        await self.hand_over()
        await self.erasures.settle()
        await self.ports.settle()
        await self.trail.sealer.stop()
        await self.close()


def compose(
    settings: Settings, gateways: Gateways | None = None, stopping: Stopping | None = None
) -> Installation:
    """An installation that is not started yet. Raises ConfigurationError for a weak master key."""
    keys = DataKeys(load_master(settings))
    return Installation(settings, gateways or build_gateways(settings), keys, stopping)


@asynccontextmanager
async def running(
    settings: Settings, stopping: Stopping | None = None, *, opens_index: bool = True
) -> AsyncIterator[tuple[Installation, str | None]]:
    """A started installation that owns its data folder, and the setup token, if one is due."""
    folder = DataFolder(settings.storage.data_dir).own()
    try:
        installation = compose(settings, stopping=stopping)
        try:
            yield installation, await installation.start(opens_index=opens_index)
        finally:
            await installation.stop()
            registry.clear()
    finally:
        folder.release()
