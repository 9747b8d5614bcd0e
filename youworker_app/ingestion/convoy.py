"""Small texts of one person on their way together: each stage is one unit of work, and the embedder is asked for all.

The stages and what a restart finds are those of `pipeline`. Who cannot keep up (empty, damaged, moved, cancelled meanwhile)
is left where it stands, to be brought on alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from youworker_app.access.actor import Actor
from youworker_app.core.clock import now
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.errors import AppError
from youworker_app.core.events import Event, EventBus, user_topic
from youworker_app.core.telemetry import get_logger
from youworker_app.documents.following import follow_visibility
from youworker_app.documents.indexed import IndexedDocuments
from youworker_app.documents.intake import DocumentIntake
from youworker_app.documents.schemas import Reading, SourceFile
from youworker_app.gateways.blobs.protocol import BlobStore
from youworker_app.gateways.embeddings.protocol import Embedder
from youworker_app.gateways.parsing.protocol import DocumentParser
from youworker_app.gateways.vectors.protocol import VectorStore
from youworker_app.gateways.vectors.sparse import SparseEncoder
from youworker_app.ingestion.pipeline import forget_if_gone
from youworker_app.ingestion.points import BATCH, points_of_many
from youworker_app.ingestion.reading import TextSoFar
from youworker_app.ingestion.repository import JobRepository
from youworker_app.ingestion.schemas import TEXT_SHARE, Stage

log = get_logger(__name__)

LIGHT_BYTES = 8 * 1024
"""The largest file that goes with others: read in a moment, and embedded with one call."""


@dataclass(frozen=True)
class _Traveller:
    """A job's document on its way."""

    source: SourceFile
    text: TextSoFar
    reading: Reading | None = None


_Party = Mapping[str, _Traveller]


class Convoy:
    """Brings several documents from stored to searchable."""

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
        indexed: IndexedDocuments,
    ) -> None:
        self._indexed = indexed
        self._db, self._blobs, self._intake, self._parser = db, blobs, intake, parser
        self._embedder, self._vectors, self._sparse, self._bus = embedder, vectors, sparse, bus

    async def run(self, actor: Actor, job_ids: Sequence[str]) -> set[str]:
        """From stored to the end, for jobs of the actor. Returns those that have ended; raises what concerns all."""
        party = await self._read(await self._begin(actor, job_ids))
        party = await self._put(actor, party)
        await self._embed(party)
        return await self._finish(actor, party)

    async def _begin(self, actor: Actor, job_ids: Sequence[str]) -> _Party:
        async with self._db.write() as unit:
            jobs = await JobRepository(unit, actor).unfinished_locked(job_ids)
            documents = {
                job.document_id: job
                for job in jobs.values()
                if job.document_id and job.stage == Stage.STORED.value
            }
            sources = await self._intake.turn(unit, actor, documents, "working")
            party = dict[str, _Traveller]()
            for document_id, source in sources.items():
                job = documents[document_id]
                job.state, job.attempts, job.updated_at = "running", job.attempts + 1, now()
                party[job.id] = _Traveller(source, TextSoFar())
            await self._intake.clear_passages(unit, actor, sources)
            self._tell(unit, actor, party)
        return party

    async def _read(self, party: _Party) -> _Party:
        read = dict[str, _Traveller]()
        for key, each in party.items():
            try:
                read[key] = replace(each, reading=await self._read_one(each))
            except AppError as error:
                log.info("left_by_convoy", job_id=key, code=error.code)
        return read

    async def _read_one(self, each: _Traveller) -> Reading:
        data = await self._blobs.read_all(each.source.file_id, each.source.data_key)
        async with self._parser.open(data, each.source.media_type) as document:
            async for unit in document.units():
                for draft in each.text.cut(unit):
                    each.text.add(self._intake, each.source, draft)
            return await each.text.end(each.source, document)

    async def _put(self, actor: Actor, party: _Party) -> _Party:
        """Writes what was read. Whose file is another one now, or who has more passages than one batch, stays behind."""
        async with self._db.write() as unit:
            jobs = await JobRepository(unit, actor).running_locked(
                [key for key, each in party.items() if each.text.count <= BATCH]
            )
            readings = [(party[key].source, reading) for key in jobs if (reading := party[key].reading)]
            present = await self._intake.put_readings(unit, actor, readings)
            kept = {
                key: replace(party[key], source=present[party[key].source.document_id])
                for key in jobs
                if party[key].source.document_id in present
            }
            for key in kept:
                job = jobs[key]
                job.stage, job.cursor, job.progress = Stage.TEXT.value, 0, TEXT_SHARE
                job.updated_at, job.error_code, job.error_details = now(), "", {}
            passages = {each.source.document_id: each.text.pending for each in kept.values()}
            await self._intake.add_passages(unit, actor, passages)
            self._tell(unit, actor, kept)
        return kept

    async def _embed(self, party: _Party) -> None:
        passages = [(each.source, passage) for each in party.values() for passage in each.text.first]
        for start in range(0, len(passages), BATCH):
            batch = passages[start : start + BATCH]
            await self._vectors.upsert(await points_of_many(self._embedder, self._sparse, batch))

    async def _finish(self, actor: Actor, party: _Party) -> set[str]:
        async with self._db.write() as unit:
            jobs = await JobRepository(unit, actor).running_locked(party)
            wanted = {party[key].source.document_id for key in jobs}
            current = await self._intake.turn(unit, actor, wanted, "ready")
            done = {key for key in jobs if party[key].source.document_id in current}
            for key in done:
                job = jobs[key]
                job.stage, job.state, job.progress = Stage.INDEXED.value, "done", 1.0
                job.updated_at, job.error_code, job.error_details = now(), "", {}
            self._tell(unit, actor, {key: party[key] for key in done})
        for key, each in party.items():
            document_id = each.source.document_id
            if key not in done:
                await forget_if_gone(self._db, self._intake, self._vectors, document_id)
            elif current[document_id].visibility != each.source.visibility:
                # Sharing may have changed while vectors were written; the payload follows what SQL says now.
                await follow_visibility(self._db, self._indexed, self._vectors, document_id)
        for key in done:
            log.info("document_ready", document_id=party[key].source.document_id, job_id=key)
        return done

    def _tell(self, unit: UnitOfWork, actor: Actor, party: _Party) -> None:
        topic = user_topic(actor.user_id)
        for each in party.values():
            event = Event("documents_changed", each.source.document_id)
            unit.after_commit(partial(self._bus.publish, topic, event))
