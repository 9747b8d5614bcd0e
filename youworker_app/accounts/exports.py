"""All that is one's own as a zip: made as a job, lying encrypted for a day, fetched by its owner alone.

What goes into it is given by the ports, so that no domain is known here. It lies under a key that hangs on its owner's data
key: with that it goes, wherever a copy of it may be. A process that dies makes it anew at its next start.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from typing import Any, Final, cast

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.accounts.archive import Archive, packed
from youworker_app.accounts.errors import ExportFailed, ExportStopped
from youworker_app.accounts.export_repository import (
    UNFINISHED,
    ExportRepository,
    export_actor,
    fail_export,
    is_fetchable,
    known_exports,
    take_expired,
    unfinished_exports,
)
from youworker_app.accounts.schemas import ExportContent, ExportView
from youworker_app.audit.service import AuditService
from youworker_app.core.clock import now
from youworker_app.core.crypto import derived_key
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.errors import AppError, NotFound, Unauthenticated
from youworker_app.core.events import Event, EventBus, user_topic
from youworker_app.core.exports import ExportedFile
from youworker_app.core.jobs import JobQueue
from youworker_app.core.keys import DataKeys
from youworker_app.core.ports import Ports
from youworker_app.core.telemetry import correlation_id, get_logger
from youworker_app.gateways.blobs.protocol import BlobStore

log = get_logger(__name__)

KIND: Final = "export"
_LARGEST: Final = 1 << 62
_TELL_EVERY_S: Final = 1.0


class ExportService:
    """A person's own export, one at a time. In this process one is made after the other."""

    def __init__(
        self,
        db: Database,
        keys: DataKeys,
        store: BlobStore,
        ports: Ports,
        queue: JobQueue,
        audit: AuditService,
        bus: EventBus,
        *,
        hours: float,
    ) -> None:
        self._db, self._keys, self._store, self._ports = db, keys, store, ports
        self._queue, self._audit, self._bus = queue, audit, bus
        self._life, self._turn = timedelta(hours=hours), asyncio.Semaphore(1)

    async def start(self, actor: Actor) -> ExportView:
        """Begins a new export in place of an earlier one; one that is being made goes on."""
        require_scope(actor, Scope.ADMIN)
        async with self._db.write() as unit:
            repository = ExportRepository(unit, actor)
            found = await repository.find(holds=True)
            if found is not None and found.state in UNFINISHED:
                return found
            await repository.delete()
            view = await repository.begin()
            await self._record(unit, actor, "account.export_begun", view.id)
            unit.after_commit(lambda: self._queue.deliver(KIND, view.id))
        if found is not None:
            await self._store.delete(found.id)
        return view

    async def get(self, actor: Actor) -> ExportView:
        """The actor's export as it stands. Raises NotFound where there is none."""
        require_scope(actor, Scope.ADMIN)
        async with self._db.read() as unit:
            found = await ExportRepository(unit, actor).find()
        if found is None or (found.state == "ready" and not is_fetchable(found)):
            raise NotFound
        return found

    async def open(self, actor: Actor) -> ExportContent:
        """The zip. Raises NotFound where there is none, or none any more."""
        view = await self.get(actor)
        if not is_fetchable(view):
            raise NotFound
        async with self._db.write() as unit:
            key = await self._key(unit, actor, view.id)
            await self._record(unit, actor, "account.exported", view.id)
        return ExportContent(view, self._store.read(view.id, key))

    async def discard(self, actor: Actor) -> None:
        """Takes the export away, made or not. Raises NotFound."""
        view = await self.get(actor)
        async with self._db.write() as unit:
            await ExportRepository(unit, actor).delete()
        await self._queue.interrupt(view.id)
        await self._store.delete(view.id)

    # --- the job

    async def work(self, export_id: str) -> None:
        """The handler of its jobs: in the person's name, as they stand now."""
        token = correlation_id.set(f"export-{export_id}")
        try:
            async with self._turn:
                await self._work(export_id)
        except Unauthenticated:
            await self._fail(export_id, ExportStopped())
        except AppError as error:
            log.warning("export_failed", export_id=export_id, code=error.code)
            await self._fail(export_id, error)
        except Exception:
            log.exception("export_failed", export_id=export_id)
            await self._fail(export_id, ExportFailed(reference=correlation_id.get()))
        finally:
            correlation_id.reset(token)

    async def restart(self, user_id: str) -> None:
        """Somebody may no longer do what they did: what is being made for them is begun anew, as who they are now."""
        async with self._db.read() as unit:
            unfinished = await unfinished_exports(unit, user_id)
        for export_id in unfinished:
            if await self._queue.interrupt(export_id):
                self._queue.deliver(KIND, export_id)

    async def recover(self) -> None:
        """At start: bytes that belong to no export go, and what was being made is made."""
        await self.expire()
        async with self._db.read() as unit:
            known, unfinished = await known_exports(unit), await unfinished_exports(unit)
        async for blob_id in self._store.list_ids():
            if blob_id not in known:
                await self._store.delete(blob_id)
        for export_id in unfinished:
            self._queue.deliver(KIND, export_id)

    async def expire(self) -> int:
        """Removes what has lain for its time. Returns how many."""
        async with self._db.write() as unit:
            expired = await take_expired(unit, now())
        for export_id in expired:
            await self._store.delete(export_id)
        return len(expired)

    async def _work(self, export_id: str) -> None:
        async with self._db.read() as unit:
            actor = await export_actor(unit, export_id)
            if actor is None:
                return
            key = await self._key(unit, actor, export_id)
        await self._tell(actor, export_id, state="running", progress=0.0)
        await self._store.delete(export_id)  # of an attempt that did not come to its end
        archive = Archive()
        files = self._files(actor)
        source = packed(files, archive, _Progress(self, actor, export_id).come_to)
        async with aclosing(cast(Any, files)), aclosing(cast(Any, source)):
            made = await self._store.write(export_id, key, source, hash_key=key, max_bytes=_LARGEST)
        values: dict[str, object] = {"size_bytes": made.size_bytes, "files": archive.files}
        is_ours = await self._tell(
            actor, export_id, state="ready", progress=1.0, expires_at=now() + self._life, **values
        )
        if not is_ours:
            await self._store.delete(export_id)

    async def _files(self, actor: Actor) -> AsyncIterator[ExportedFile]:
        ports = self._ports.personal_data
        for number, port in enumerate(ports):
            async with aclosing(cast(Any, port.export(actor.user_id))) as files:
                async for file in files:
                    share = (number + file.share) / len(ports)
                    yield ExportedFile(file.path, file.pieces, share, file.is_packed)

    async def _tell(self, actor: Actor, export_id: str, **values: object) -> bool:
        async with self._db.write() as unit:
            is_ours = await ExportRepository(unit, actor).change(export_id, **values)
        self._bus.publish(user_topic(actor.user_id), Event("export_changed", export_id))
        return is_ours

    async def _fail(self, export_id: str, error: AppError) -> None:
        async with self._db.write() as unit:
            user_id = await fail_export(unit, export_id, error.code, error.message)
        if user_id:
            self._bus.publish(user_topic(user_id), Event("export_changed", export_id))

    async def _key(self, unit: UnitOfWork, actor: Actor, export_id: str) -> bytes:
        wrapped = await ExportRepository(unit, actor).wrapped_key()
        return derived_key(self._keys.unwrap(wrapped), f"export:{export_id}")

    async def _record(self, unit: UnitOfWork, actor: Actor, action: str, export_id: str) -> None:
        await self._audit.record(unit, actor, action, resource_type="export", resource_id=export_id)


class _Progress:
    """Writes how far an export has come, once a second at most."""

    def __init__(self, exports: ExportService, actor: Actor, export_id: str) -> None:
        self._exports, self._actor, self._export_id = exports, actor, export_id
        self._told_at = time.monotonic()

    async def come_to(self, file: ExportedFile) -> None:
        if time.monotonic() - self._told_at >= _TELL_EVERY_S:
            self._told_at = time.monotonic()
            await self._exports._tell(self._actor, self._export_id, progress=min(file.share, 0.99))
