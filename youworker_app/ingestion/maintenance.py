"""Keeps the search index in step with SQL: compares the two, repairs, rebuilds. Works beside a running server.

SQL is the truth: the index is made to follow it, never the other way round.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass

from youworker_app.core.db import Database
from youworker_app.core.jobs import JobQueue
from youworker_app.core.telemetry import get_logger
from youworker_app.documents.indexed import IndexedDocuments
from youworker_app.gateways.embeddings.protocol import Embedder
from youworker_app.gateways.vectors.protocol import IndexInfo, VectorStore
from youworker_app.ingestion.comparison import Difference, IndexComparison
from youworker_app.ingestion.repository import reopen_for_vectors

log = get_logger(__name__)


@dataclass(frozen=True)
class Repairs:
    """What was put right."""

    documents_removed: int = 0  # that the database does not know
    points_removed: int = 0  # surplus ones of known documents
    visibility_corrected: int = 0  # documents
    documents_reopened: int = (
        0  # to be embedded again by their jobs: now, or at the next start where no server runs
    )


@dataclass(frozen=True)
class IndexReport:
    """How index and database compare. Ids of documents, each tuple sorted; `repairs` is None when none were asked for."""

    documents: int  # that are ready, and so belong into the index whole
    points: int
    missing: tuple[str, ...]  # ready, and nothing of them is in the index
    incomplete: tuple[str, ...]  # ready, and some of their passages are not in the index
    unknown: tuple[str, ...]  # in the index, and the database does not know them
    wrong_visibility: tuple[str, ...]  # found by others than the database says
    surplus_points: int  # of known documents, whose passages the database does not know
    repairs: Repairs | None

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        found = self.missing or self.incomplete or self.unknown or self.wrong_visibility
        return not found and not self.surplus_points


@dataclass(frozen=True)
class ReindexProgress:
    """How far a rebuilding has come. `waiting_for`: the code of what is away (an `AppError.code`), "" while it goes on."""

    documents_done: int
    documents_total: int
    passages_embedded: int  # since this process took the work up
    waiting_for: str = ""
    is_done: bool = False


class IndexMaintenance:
    """One check or rebuilding at a time; searches and ingestion go on meanwhile."""

    def __init__(
        self,
        db: Database,
        documents: IndexedDocuments,
        index: VectorStore,
        embedder: Embedder,
        queue: JobQueue,
        *,
        settle_s: float = 1.0,
    ) -> None:
        self._db, self._documents, self._index = db, documents, index
        self._embedder, self._queue, self._settle_s = embedder, queue, settle_s
        self._one_at_a_time = asyncio.Lock()

    async def open(self) -> None:
        """Opens the index for the configured model. Raises as `VectorStore.prepare`, and an embedder's errors."""
        await self._index.prepare(IndexInfo(self._embedder.model_id, await self._embedder.dimension()))

    async def check(self, *, repair: bool) -> IndexReport:
        """Compares every point with its passage, both ways, and puts right what is wrong if asked to.

        What is being uploaded, moved or deleted meanwhile is neither reported nor touched. Raises as `open`.
        """
        async with self._one_at_a_time:
            await self.open()
            found = await IndexComparison(
                self._db, self._documents, self._index, settle_s=self._settle_s
            ).run()
            repairs = await self._repair(found) if repair else None
        report = _report(found, repairs)
        log.info("index_checked", is_clean=report.is_clean, documents=report.documents, points=report.points)
        return report

    async def reindex(self) -> AsyncIterator[ReindexProgress]:
        """Rebuilds the index, telling how far it has come; goes on where an earlier rebuilding was stopped."""
        await self._index.reset()
        await self.open()
        async with self._db.read() as unit:
            counts = await self._documents.counts(unit)
        ready = [document_id for document_id, (document, _) in counts.items() if document.is_ready]
        reopened = await self._reopen(ready)
        yield ReindexProgress(0, reopened, 0, is_done=True)

    async def compare_counts(self) -> int:
        """The quick comparison, for a start: sums alone. Returns how many documents are embedded again.

        Where keywords do not add up, somebody's move was cut short: then everything is compared.
        """
        stored = await self._index.count_by_document()
        async with self._db.read() as unit:
            known = await self._documents.counts(unit)
        for document_id in stored.keys() - known.keys():
            await self._index.delete_document(document_id)
        # Counted only now: what was deleted would hide a move that was cut short in the same moment.
        keywords = Counter(await self._index.count_by_visibility())
        expected = Counter[str]()
        for document_id, (document, _) in known.items():
            expected.update({keyword: stored.get(document_id, 0) for keyword in document.visibility})
        if expected != keywords:
            await self.check(repair=True)
        wanting = [
            document_id
            for document_id, (document, count) in known.items()
            if document.is_ready and stored.get(document_id, 0) != count
        ]
        return await self._reopen(wanting)

    async def _repair(self, found: Difference) -> Repairs:
        for document_id in found.unknown:
            await self._index.delete_document(document_id)
        for strays in found.surplus.values():
            await self._index.delete_points(strays)
        for document_id in found.wrong_visibility:
            await self._follow_visibility(document_id)
        reopened = await self._reopen(found.missing | found.incomplete)
        removed = sum(map(len, found.surplus.values()))
        return Repairs(len(found.unknown), removed, len(found.wrong_visibility), reopened)

    async def _follow_visibility(self, document_id: str) -> None:
        """Until what was written is what SQL says afterwards: somebody may move the document in the same moment."""
        written: tuple[str, ...] | None = None
        while True:
            async with self._db.read() as unit:
                document = await self._documents.find(unit, document_id)
            if document is None or document.visibility == written:
                return
            await self._index.set_visibility(document_id, document.visibility)
            written = document.visibility

    async def _reopen(self, document_ids: Collection[str]) -> int:
        async with self._db.write() as unit:
            tickets = await reopen_for_vectors(unit, document_ids)
        if self._queue.is_started:
            for ticket in tickets:
                self._queue.deliver(ticket.kind, ticket.id)
        return len(tickets)


def _report(found: Difference, repairs: Repairs | None) -> IndexReport:
    return IndexReport(
        found.documents,
        found.points,
        tuple(sorted(found.missing)),
        tuple(sorted(found.incomplete)),
        tuple(sorted(found.unknown)),
        tuple(sorted(found.wrong_visibility)),
        sum(map(len, found.surplus.values())),
        repairs,
    )
