"""Uploads and their jobs, as people see them. The work itself is in `worker.py`.

An upload is acknowledged only after its bytes and its rows are safe on disk.
"""

from collections.abc import AsyncIterator

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.access.permissions import Permission, require
from youworker_app.core.clock import now
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.events import Event, EventBus, user_topic
from youworker_app.core.ids import new_id
from youworker_app.core.jobs import JobQueue
from youworker_app.core.keys import DataKeys
from youworker_app.core.settings import IngestionSettings
from youworker_app.documents.errors import PrivateInGroup
from youworker_app.documents.filenames import safe_filename
from youworker_app.documents.intake import DocumentIntake
from youworker_app.documents.schemas import NewDocument, NewFile
from youworker_app.documents.sharing import clean_tags, clean_title, space_of
from youworker_app.gateways.blobs.protocol import BlobStore
from youworker_app.gateways.parsing.media_types import SNIFF_BYTES, detect_media_type
from youworker_app.ingestion.errors import JobNotRetryable, JobNotStoppable
from youworker_app.ingestion.repository import UNFINISHED, JobRepository, JobRow, job_view
from youworker_app.ingestion.schemas import JobView, Upload, UploadedItem

KIND = "ingest"


class IngestionService:
    """Takes files in and answers for their jobs."""

    def __init__(
        self,
        db: Database,
        keys: DataKeys,
        blobs: BlobStore,
        intake: DocumentIntake,
        queue: JobQueue,
        bus: EventBus,
        settings: IngestionSettings,
    ) -> None:
        self._db, self._keys, self._blobs, self._intake = db, keys, blobs, intake
        self._queue, self._bus, self._settings = queue, bus, settings

    async def upload(self, actor: Actor, upload: Upload, source: AsyncIterator[bytes]) -> UploadedItem:
        """Stores one file and queues its reading; the same content in the same place is told, not stored again.

        Raises NotFound for a group that is not the actor's, KeyNarrowed, EmptyFile, TypeRefused, FileTooLarge, StorageFull,
        TagInvalid. Whatever fails leaves nothing behind.
        """
        require_scope(actor, Scope.DOCUMENTS_WRITE)
        document = self._described(upload)
        if document.is_private:
            require(actor, Permission.KEEP_TO_ONESELF)
        if (
            document.group_id is not None
        ):  # asked again when it is registered: here, so that no bytes come for nothing
            async with self._db.read() as unit:
                await self._intake.require_place(unit, actor, document.group_id)
        head, complete, whole = await _peek(source)
        media_type = detect_media_type(head, document.filename, is_complete=complete)
        file, wrapped = await self._store(actor, document, media_type, whole)
        stray = [file.file_id]
        try:
            return await self._register(actor, file, document, wrapped, stray)
        finally:
            for blob_id in stray:
                await self._blobs.delete(blob_id)

    def _described(self, upload: Upload) -> NewDocument:
        filename = safe_filename(upload.filename)
        is_private = upload.group_id is None if upload.is_private is None else upload.is_private
        if upload.group_id is None and not is_private:
            raise PrivateInGroup
        stem = filename.rpartition(".")[0] or filename
        return NewDocument(
            title=clean_title(stem[:512]),
            filename=filename,
            group_id=upload.group_id,
            is_private=is_private,
            tags=clean_tags(upload.tags),
            collection=(clean_tags((upload.collection,))[0] if upload.collection else None),
        )

    async def _store(
        self, actor: Actor, document: NewDocument, media_type: str, source: AsyncIterator[bytes]
    ) -> tuple[NewFile, bytes]:
        space = space_of(actor.user_id, document.group_id, is_private=document.is_private)
        plain, wrapped = self._keys.new()
        file_id = new_id()
        receipt = await self._blobs.write(
            file_id,
            plain,
            source,
            hash_key=self._keys.derive(f"content:{space}"),
            max_bytes=self._settings.max_file_bytes,
        )
        return NewFile(file_id, space, receipt.content_hash.hex(), receipt.size_bytes, media_type), wrapped

    async def _register(
        self, actor: Actor, file: NewFile, document: NewDocument, wrapped: bytes, stray: list[str]
    ) -> UploadedItem:
        """Empties `stray` once a row knows the bytes: also when the caller was cancelled while it was committed."""
        async with self._db.write() as unit:
            jobs = JobRepository(unit, actor)
            done = await self._intake.register(unit, actor, file, document, wrapped_key=wrapped)
            if done.is_duplicate:
                earlier = await jobs.latest_for(done.document_id)
                return UploadedItem(
                    document.filename,
                    done.document_id,
                    earlier.id if earlier else None,
                    duplicate_of=done.document_id,
                )
            if done.file_is_new:
                unit.after_commit(stray.clear)
            job_id = await jobs.add_job(KIND, done.document_id)
            unit.after_commit(lambda: self._announce(actor, done.document_id))
            unit.after_commit(lambda: self._queue.deliver(KIND, job_id))
        return UploadedItem(document.filename, done.document_id, job_id)

    async def get_job(self, actor: Actor, job_id: str) -> JobView:
        """One of the actor's jobs. Raises NotFound."""
        require_scope(actor, Scope.DOCUMENTS_READ)
        async with self._db.read() as unit:
            return job_view(await JobRepository(unit, actor).get(job_id))

    async def cancel_job(self, actor: Actor, job_id: str) -> JobView:
        """Stops work that has not ended; the document stays and can be tried again. Raises NotFound, JobNotStoppable."""
        require_scope(actor, Scope.DOCUMENTS_WRITE)
        async with self._db.write() as unit:
            job = await JobRepository(unit, actor).get_locked(job_id)
            if job.state not in UNFINISHED:
                raise JobNotStoppable
            job.state, job.error_code, job.error_details, job.updated_at = "cancelled", "", {}, now()
            await self._follow(actor, unit, job, "cancelled")
            return job_view(job)

    async def retry_job(self, actor: Actor, job_id: str) -> JobView:
        """Queues failed or cancelled work again, from the stage that it had reached. Raises NotFound, JobNotRetryable."""
        require_scope(actor, Scope.DOCUMENTS_WRITE)
        async with self._db.write() as unit:
            job = await JobRepository(unit, actor).get_locked(job_id)
            if job.state not in {"failed", "cancelled"}:
                raise JobNotRetryable
            job.state, job.error_code, job.error_details, job.attempts, job.updated_at = (
                "queued",
                "",
                {},
                0,
                now(),
            )
            await self._follow(actor, unit, job, "queued")
            unit.after_commit(lambda: self._queue.deliver(KIND, job_id))
            return job_view(job)

    async def _follow(self, actor: Actor, unit: UnitOfWork, job: JobRow, state: str) -> None:
        if job.document_id:
            await self._intake.set_state(unit, actor, job.document_id, state)
        document_id = job.document_id or ""
        unit.after_commit(lambda: self._announce(actor, document_id))

    def _announce(self, actor: Actor, document_id: str) -> None:
        self._bus.publish(user_topic(actor.user_id), Event("documents_changed", document_id))


async def _peek(source: AsyncIterator[bytes]) -> tuple[bytes, bool, AsyncIterator[bytes]]:
    """The first bytes, whether they are all, and the whole stream again."""
    head = bytearray()
    complete = True
    async for piece in source:
        head += piece
        if len(head) >= SNIFF_BYTES:
            complete = False
            break
    start = bytes(head)

    async def whole() -> AsyncIterator[bytes]:
        yield start
        if not complete:
            async for piece in source:
                yield piece

    return start, complete, whole()
