"""Keeps the search index in step with SQL: compares the two, repairs, rebuilds. Works beside a running server.

SQL is the truth: the index is made to follow it, never the other way round.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from dataclasses import dataclass

from youworker_app.core.db import Database
from youworker_app.core.errors import DependencyAway
from youworker_app.core.jobs import JobQueue
from youworker_app.core.telemetry import get_logger
from youworker_app.documents.following import follow_visibility
from youworker_app.documents.indexed import IndexedDocuments
from youworker_app.gateways.vectors.generations import GenerationStore
from youworker_app.ingestion.comparison import Difference, IndexComparison
from youworker_app.ingestion.rebuilding import IndexRebuilding
from youworker_app.ingestion.rebuilding import ReindexProgress as ReindexProgress
from youworker_app.ingestion.refilling import IndexRefilling
from youworker_app.ingestion.repository import reopen_for_vectors

log = get_logger(__name__)

# Points that a start waits for when it has a reason to compare them all.
_CHECKED_AT_ONCE = 50_000


@dataclass(frozen=True)
class Repairs:
    """What was put right."""

    documents_removed: int = 0  # that the database does not know
    points_removed: int = 0  # surplus ones of known documents
    visibility_corrected: int = 0  # documents
    documents_reopened: int = (
        0  # embedded again by their jobs: now, or at the next start where no server runs
    )
    documents_embedded: int = 0  # right away, since they have no job that could do it


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


class IndexMaintenance:
    """One check at a time, one rebuilding at a time; searches and ingestion go on meanwhile."""

    def __init__(
        self,
        db: Database,
        documents: IndexedDocuments,
        index: GenerationStore,
        rebuilding: IndexRebuilding,
        queue: JobQueue,
        advised_points: int | None = None,
    ) -> None:
        """`advised_points`: how many an index of this kind is made for; None for any number."""
        self._db, self._documents, self._index = db, documents, index
        self._rebuilding, self._queue = rebuilding, queue
        self._checking = asyncio.Lock()
        self._is_check_due = False
        self._advised_points, self._points = advised_points, 0
        self._background: asyncio.Task[None] | None = None
        self._refilling = IndexRefilling(db, index, self.compare_counts, lambda: self.check(repair=True))
        self._watch: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Opens the index. Raises as `IndexRebuilding.open`."""
        await self._rebuilding.open()

    async def check(self, *, repair: bool) -> IndexReport:
        """Compares every point with its passage, both ways, and puts right what is wrong if asked to.

        What is being uploaded, moved or deleted meanwhile is neither reported nor touched. Raises as `open`.
        """
        async with self._checking:
            await self.open()
            comparison = IndexComparison(
                self._db, self._documents, self._index, settle_s=self._rebuilding.settle_s
            )
            found = await comparison.run()
            self._weigh(found.points)
            repairs = await self._repair(found) if repair else None
        report = _report(found, repairs)
        log.info("index_checked", is_clean=report.is_clean, documents=report.documents, points=report.points)
        return report

    def reindex(self) -> AsyncIterator[ReindexProgress]:
        """Rebuilds the index beside the one that answers, and tells how it goes until the two have changed places.

        Joins a rebuilding that is under way, and goes on with one that was cut short. Who stops listening does not stop
        it: `stop` does. Raises as `open`; what is away once it runs is waited for, and told.
        """
        return self._rebuilding.follow()

    async def compare_counts(self) -> int:
        """The quick comparison, for a start: sums alone. Returns how many documents are embedded again.

        Where keywords do not add up, a move was cut short: then everything is compared, at once where that takes a second or
        two, else by `start`.
        """
        stored = await self._index.count_by_document()
        self._weigh(sum(stored.values()))
        async with self._db.read() as unit:
            known = await self._documents.counts(unit)
        for document_id in stored.keys() - known.keys():
            await self._index.delete_document(document_id)
        # Counted only now: what was deleted would hide a move that was cut short in the same moment.
        keywords = Counter(await self._index.count_by_visibility())
        expected = Counter[str]()
        for document_id, (document, _) in known.items():
            expected.update({keyword: stored.get(document_id, 0) for keyword in document.visibility})
        wanting = [
            document_id
            for document_id, (document, count) in known.items()
            if document.is_ready and stored.get(document_id, 0) != count
        ]
        reopened = await self._reopen(wanting)
        self._is_check_due = len(reopened) < len(wanting) or +expected != keywords
        if self._is_check_due and sum(stored.values()) <= _CHECKED_AT_ONCE:
            await self.check(repair=True)
            self._is_check_due = False
        return len(reopened)

    def start(self) -> None:
        """Does in the background what opening and `compare_counts` left to be done."""
        if self._is_check_due:
            self._background = asyncio.create_task(self._check_quietly())
        if self._rebuilding.is_due:
            self._rebuilding.start()
        if self._watch is None:
            self._watch = asyncio.create_task(self._refilling.run())

    async def settled(self) -> None:
        """Waits for what `start` began (tests, orderly ends)."""
        if self._background is not None:
            await self._background
        if self._rebuilding.is_due:
            await self._rebuilding.start()

    async def stop(self) -> None:
        """Stops where it is; the next start goes on from there."""
        await self._rebuilding.stop()
        for task in (self._background, self._watch):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def state(self) -> str:
        """For health: "ok", "rebuilding" while words alone or not all documents are searched. Raises VectorStoreAway."""
        await self._index.list_points(limit=1)
        is_whole = self._index.answers_whole and not self._refilling.is_under_way
        return "ok" if is_whole else "rebuilding"

    def hints(self) -> tuple[str, ...]:
        """For health: what would serve this installation better, a sentence each. As of the last start or check."""
        if self._advised_points is None or self._points <= self._advised_points:
            return ()
        return (
            f"The search index holds {self._points} passages; above {self._advised_points} a Qdrant server is faster. Set "
            "QDRANT_URL, see docs/admin-guide.md.",
        )

    def _weigh(self, points: int) -> None:
        self._points = points
        for hint in self.hints():
            log.warning("index_large", points=points, hint=hint)

    async def _check_quietly(self) -> None:
        try:
            await self.check(repair=True)
        except DependencyAway as error:
            log.warning("index_check_waits", code=error.code)

    async def _repair(self, found: Difference) -> Repairs:
        for document_id in found.unknown:
            await self._index.delete_document(document_id)
        for strays in found.surplus.values():
            await self._index.delete_points(strays)
        for document_id in found.wrong_visibility:
            await self._follow_visibility(document_id)
        wanting = found.missing | found.incomplete
        reopened = await self._reopen(wanting)
        await self._rebuilding.embed(wanting - reopened)
        return Repairs(
            documents_removed=len(found.unknown),
            points_removed=sum(map(len, found.surplus.values())),
            visibility_corrected=len(found.wrong_visibility),
            documents_reopened=len(reopened),
            documents_embedded=len(wanting - reopened),
        )

    async def _follow_visibility(self, document_id: str) -> None:
        await follow_visibility(self._db, self._documents, self._index, document_id)

    async def _reopen(self, document_ids: Collection[str]) -> set[str]:
        """Has documents embedded again by their jobs. Returns those that have one."""
        async with self._db.write() as unit:
            tickets = await reopen_for_vectors(unit, document_ids)
        if self._queue.is_started:
            for ticket in tickets.values():
                self._queue.deliver(ticket.kind, ticket.id)
        return set(tickets)


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
