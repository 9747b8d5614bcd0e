"""The stages of a document's way: text, then vectors, then ready. Each ends in a commit that a restart goes on from.

No unit is open while a file is parsed or a text embedded.
"""

import asyncio
from dataclasses import dataclass, field

from youworker_app.access.actor import Actor
from youworker_app.core.clock import now
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.errors import NotFound
from youworker_app.core.events import Event, EventBus, user_topic
from youworker_app.core.memory import give_back_freed
from youworker_app.core.telemetry import get_logger
from youworker_app.documents.following import follow_visibility
from youworker_app.documents.indexed import IndexedDocuments
from youworker_app.documents.intake import DocumentIntake, the_one
from youworker_app.documents.schemas import NewPassage, PlainPassage, Reading, SourceFile
from youworker_app.gateways.blobs.errors import BlobMissing
from youworker_app.gateways.blobs.protocol import BlobStore
from youworker_app.gateways.embeddings.protocol import Embedder
from youworker_app.gateways.parsing.protocol import DocumentParser, OpenDocument
from youworker_app.gateways.vectors.protocol import VectorStore
from youworker_app.gateways.vectors.sparse import SparseEncoder
from youworker_app.ingestion.points import BATCH, points_of
from youworker_app.ingestion.reading import TextSoFar
from youworker_app.ingestion.repository import UNFINISHED, JobRepository, JobRow
from youworker_app.ingestion.schemas import TEXT_SHARE, Stage
from youworker_app.ingestion.waiting import WaitingRoom

log = get_logger(__name__)

# Passages written in one transaction: a long one would keep questions waiting for the database's one writer.
_ROWS = 256


class Stopped(Exception):
    """The job is no longer ours to work on."""


class Moved(Exception):
    """The document stands on another file since we read it: sharing it copied its bytes under another key."""


Visibility = tuple[str, ...]


@dataclass(frozen=True)
class _Read:
    """A document whose text is in: how many passages it has, and those that are embedded next."""

    source: SourceFile
    total: int
    batch: list[PlainPassage] = field(default_factory=list)


class IngestionPipeline:
    """Brings one document from stored to searchable."""

    def __init__(
        self,
        db: Database,
        blobs: BlobStore,
        intake: DocumentIntake,
        parser: DocumentParser,
        embedder: Embedder,
        vectors: VectorStore,
        sparse: SparseEncoder,
        bus: EventBus,
        room: WaitingRoom,
        indexed: IndexedDocuments,
    ) -> None:
        self._room, self._indexed = room, indexed
        self._db, self._blobs, self._intake, self._parser = db, blobs, intake, parser
        self._embedder, self._vectors, self._sparse, self._bus = embedder, vectors, sparse, bus

    async def run(self, actor: Actor, job_id: str) -> None:
        """From the stage that the job had reached to the end. Raises Stopped, and AppError for what a person can be told."""
        while True:
            try:
                return await self._run(actor, job_id)
            except Moved:
                log.info("document_moved", job_id=job_id)

    async def _run(self, actor: Actor, job_id: str) -> None:
        stage, cursor, source = await self._begin(actor, job_id)
        try:
            written = set[Visibility]()
            if stage is Stage.STORED:
                read = await self._read_text(actor, job_id, source)
                source = await self._embed(actor, job_id, read, written)
            elif stage is Stage.TEXT:
                source = await self._embed(actor, job_id, await self._rest(actor, source, cursor), written)
            # What was written before the document changed hands or group, perhaps by an earlier run, follows.
            if stage is not Stage.STORED or written != {source.visibility}:
                await self._vectors.set_visibility(source.document_id, source.visibility)
            await self._finish(actor, job_id, source)
        except (Stopped, NotFound):
            if await forget_if_gone(self._db, self._intake, self._vectors, source.document_id):
                raise Stopped from None
            raise

    async def _begin(self, actor: Actor, job_id: str) -> tuple[Stage, int, SourceFile]:
        async with self._db.write() as unit:
            job = await JobRepository(unit, actor).find_locked(job_id)
            if job is None or job.state not in UNFINISHED or job.document_id is None:
                raise Stopped
            job.state, job.attempts, job.updated_at = "running", job.attempts + 1, now()
            source = await self._turn(unit, actor, job.document_id, "working")
            stage = Stage(job.stage)
            if stage is Stage.STORED:
                await self._intake.clear_passages(unit, actor, (source.document_id,))
            unit.after_commit(lambda: self._announce(actor, source.document_id))
            return stage, job.cursor, source

    async def _turn(self, unit: UnitOfWork, actor: Actor, document_id: str, state: str) -> SourceFile:
        return the_one(document_id, await self._intake.turn(unit, actor, (document_id,), state))

    async def _read_text(self, actor: Actor, job_id: str, source: SourceFile) -> _Read:
        data = await self._bytes(actor, source)
        text = TextSoFar()
        async with self._parser.open(data, source.media_type) as document:
            await self._passages(actor, job_id, source, document, text)
            reading = await text.end(source, document)
        source = await self._put(actor, job_id, source, text.pending, TEXT_SHARE, reading)
        return _Read(source, text.count, text.first)

    async def _bytes(self, actor: Actor, source: SourceFile) -> bytes:
        try:
            return await self._blobs.read_all(source.file_id, source.data_key)
        except BlobMissing:
            async with self._db.read() as unit:
                await self._require_unmoved(unit, actor, source)
            raise

    async def _require_unmoved(self, unit: UnitOfWork, actor: Actor, source: SourceFile) -> None:
        """Raises Moved when the document stands on another file now, under whose key its passages belong."""
        if (await self._intake.source(unit, actor, source.document_id)).file_id != source.file_id:
            raise Moved

    async def _passages(
        self, actor: Actor, job_id: str, source: SourceFile, document: OpenDocument, text: TextSoFar
    ) -> None:
        """Writes the passages as they are read; the last ones are left to whoever writes what else was learnt."""
        async for text_unit in document.units():
            share = TEXT_SHARE * text_unit.number / max(document.unit_count, 1)
            for draft in text.cut(text_unit):
                if len(text.pending) >= _ROWS:
                    await self._put(actor, job_id, source, text.pending, share)
                    text.pending.clear()
                text.add(self._intake, source, draft)
            await asyncio.sleep(0)  # cutting is our own CPU: let the chat have its turn between units

    async def _put(
        self,
        actor: Actor,
        job_id: str,
        source: SourceFile,
        passages: list[NewPassage],
        share: float,
        reading: Reading | None = None,
    ) -> SourceFile:
        """Writes passages, and with the last ones what reading told. Returns the source as it stands now."""
        async with self._db.write() as unit:
            job = await self._current(unit, actor, job_id)
            if reading is None:
                present = await self._intake.source(unit, actor, source.document_id)
            else:
                kept = await self._intake.put_readings(unit, actor, ((source, reading),))
                present = kept.get(source.document_id) or await self._intake.source(
                    unit, actor, source.document_id
                )
                job.stage, job.cursor = Stage.TEXT.value, 0
            if present.file_id != source.file_id:
                raise Moved
            await self._intake.add_passages(unit, actor, {source.document_id: passages})
            job.progress, job.updated_at = share, now()
            unit.after_commit(lambda: self._announce(actor, source.document_id))
            return present

    async def _rest(self, actor: Actor, source: SourceFile, cursor: int) -> _Read:
        """What an earlier run has left to embed."""
        async with self._db.read() as unit:
            source = await self._intake.source(unit, actor, source.document_id)
            total = await self._intake.count_passages(unit, actor, source.document_id)
            return _Read(source, total, await self._next(unit, actor, source, cursor))

    async def _next(
        self, unit: UnitOfWork, actor: Actor, source: SourceFile, cursor: int
    ) -> list[PlainPassage]:
        return await self._intake.read_passages(unit, actor, source, after_ordinal=cursor - 1, limit=BATCH)

    async def _embed(self, actor: Actor, job_id: str, read: _Read, written: set[Visibility]) -> SourceFile:
        """Puts vectors beside the passages; `written` tells for whom. Returns the source as the last ones have it.

        How far it came is noted after each batch but the last, which `_finish` follows at once.
        """
        source, batch = read.source, read.batch
        while batch:
            await self._vectors.upsert(await points_of(self._embedder, self._sparse, source, batch))
            written.add(source.visibility)
            cursor = batch[-1].ordinal + 1
            if cursor >= read.total:
                if read.total > BATCH:  # of a long document much was freed: 30 MB after a thousand pages
                    await asyncio.to_thread(give_back_freed)
                break
            async with self._db.write() as unit:
                job = await self._current(unit, actor, job_id)
                job.cursor, job.updated_at = cursor, now()
                job.progress = TEXT_SHARE + (1 - TEXT_SHARE) * cursor / read.total
                # As it stands now: its sharing and with it its key may have changed.
                source = await self._intake.source(unit, actor, source.document_id)
                batch = await self._next(unit, actor, source, cursor)
                unit.after_commit(lambda: self._announce(actor, read.source.document_id))
            self._room.open()
        return source

    async def _finish(self, actor: Actor, job_id: str, source: SourceFile) -> None:
        async with self._db.write() as unit:
            job = await self._current(unit, actor, job_id)
            job.stage, job.state, job.progress, job.updated_at = Stage.INDEXED.value, "done", 1.0, now()
            current = await self._turn(unit, actor, source.document_id, "ready")
            unit.after_commit(lambda: self._announce(actor, source.document_id))
        # Sharing may have changed while vectors were written; the payload follows what SQL says now.
        if current.visibility != source.visibility:
            await follow_visibility(self._db, self._indexed, self._vectors, source.document_id)
        log.info("document_ready", document_id=source.document_id, job_id=job_id)

    async def _current(self, unit: UnitOfWork, actor: Actor, job_id: str) -> JobRow:
        """The job's row, if it is still ours to work on. Raises Stopped."""
        job = await JobRepository(unit, actor).find_locked(job_id)
        if job is None or job.state != "running":
            raise Stopped
        job.error_code, job.error_details = "", {}  # it gets on: whatever it waited for is back
        return job

    def _announce(self, actor: Actor, document_id: str) -> None:
        self._bus.publish(user_topic(actor.user_id), Event("documents_changed", document_id))


async def forget_if_gone(
    db: Database, intake: DocumentIntake, vectors: VectorStore, document_id: str
) -> bool:
    """Takes back vectors that were written while the document was being deleted. Returns whether it was."""
    async with db.read() as unit:
        is_there = await intake.is_there(unit, document_id)
    if not is_there:
        await vectors.delete_document(document_id)
    return not is_there
