"""The part of the composition root that makes what people have over their own data: clearing, exporting, keeping for a time."""

from dataclasses import dataclass

from youworker_app.accounts.exports import KIND, ExportService
from youworker_app.accounts.key_rotation import KeyRotation
from youworker_app.audit.service import AuditService
from youworker_app.chat.history import HistoryService
from youworker_app.chat.live import LiveRuns
from youworker_app.chat.ports import RunningAnswers
from youworker_app.chat.retention import RetentionService
from youworker_app.core import registry
from youworker_app.core.db import Database
from youworker_app.core.events import EventBus
from youworker_app.core.housekeeping import Housekeeping
from youworker_app.core.jobs import JobQueue
from youworker_app.core.keys import DataKeys
from youworker_app.core.ports import Ports
from youworker_app.core.secrets import KeyPlace
from youworker_app.core.settings import Settings
from youworker_app.gateways.blobs.files import FileBlobStore


@dataclass(frozen=True)
class PrivacyGround:
    """What it stands on."""

    db: Database
    keys: DataKeys
    settings: Settings
    audit: AuditService
    ports: Ports
    bus: EventBus
    queue: JobQueue
    runs: LiveRuns


@dataclass(frozen=True)
class Privacy:
    """What runs between the start and the stop of the installation. `store` holds the exports."""

    store: FileBlobStore
    exports: ExportService
    housekeeping: Housekeeping

    async def start(self) -> None:
        """Goes on with what a stopped process left."""
        await self.store.sweep_unfinished()
        await self.exports.recover()
        self.housekeeping.start()

    async def stop(self) -> None:
        """Ends; the next start goes on."""
        await self.housekeeping.stop()


def wire_privacy(ground: PrivacyGround) -> Privacy:
    """Makes and registers it."""
    settings, answers = ground.settings, RunningAnswers(ground.runs)
    registry.provide(HistoryService, HistoryService(ground.db, answers, ground.audit, ground.bus))
    storage = settings.storage
    store = FileBlobStore(storage.data_dir / "exports", reserve_bytes=storage.reserve_bytes)
    exports = ExportService(
        ground.db,
        ground.keys,
        store,
        ground.ports,
        ground.queue,
        ground.audit,
        ground.bus,
        hours=settings.privacy.export_hours,
    )
    ground.queue.handle(KIND, exports.work)
    registry.provide(ExportService, exports)
    rotation = KeyRotation(ground.db, ground.keys, KeyPlace(settings), ground.audit)
    registry.provide(KeyRotation, rotation)
    days = settings.privacy.chat_days
    retention = RetentionService(ground.db, ground.audit, ground.bus, days=days)
    tasks = {"exports": exports.expire, "conversations": retention.sweep}
    return Privacy(store, exports, Housekeeping(tasks))
