"""What the index holds beside what SQL says it should hold, found while people go on working. Changes nothing.

The two cannot be read in one moment. So a first pass over everything only names suspects; each of them is looked at
once more after a while, the database before and after the index, and what was merely under way has settled by then.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from youworker_app.core.db import Database
from youworker_app.documents.indexed import Indexed, IndexedDocuments
from youworker_app.gateways.vectors.protocol import StoredPoint, VectorStore

PAGE = 500


@dataclass
class Difference:
    """What is wrong, by document. `points` is how many were seen."""

    documents: int = 0
    points: int = 0
    missing: set[str] = field(default_factory=set)
    incomplete: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    surplus: dict[str, set[str]] = field(
        default_factory=dict
    )  # chunk ids by the document that the index names
    wrong_visibility: set[str] = field(default_factory=set)

    @property
    def is_none(self) -> bool:
        """Whether the two agree."""
        return not (self.missing or self.incomplete or self.unknown or self.surplus or self.wrong_visibility)


class IndexComparison:
    """Compares one index. `mirror`: what a document that is not ready has there, it has to have here as well."""

    def __init__(
        self,
        db: Database,
        documents: IndexedDocuments,
        index: VectorStore,
        *,
        settle_s: float,
        mirror: VectorStore | None = None,
    ) -> None:
        self._db, self._documents, self._index = db, documents, index
        self._settle_s, self._mirror = settle_s, mirror

    async def run(self) -> Difference:
        """Compares every point with its passage and every document with its points. Memory: a few bytes a document."""
        async with self._db.read() as unit:
            counts = await self._documents.counts(unit)
        found = Difference(documents=sum(each.is_ready for each, _ in counts.values()))
        suspects, seen = await self._suspicious_points(found)
        for document_id, (document, count) in counts.items():
            if seen[document_id] < count and (document.is_ready or self._mirror is not None):
                suspects.add(document_id)
        if suspects:
            await asyncio.sleep(self._settle_s)
        for document_id in sorted(suspects):
            await self._look_again(document_id, found)
        return found

    async def _suspicious_points(self, found: Difference) -> tuple[set[str], Counter[str]]:
        suspects: set[str] = set()
        seen: Counter[str] = Counter()
        after: str | None = None
        while page := await self._index.list_points(after=after, limit=PAGE):
            # A passage stands in the database before its point is written, so the points are read first.
            async with self._db.read() as unit:
                known = await self._documents.of_chunks(unit, [point.chunk_id for point in page])
            for point in page:
                if _is_right(point, known.get(point.chunk_id)):
                    seen[point.document_id] += 1
                else:
                    suspects.add(point.document_id)
            found.points += len(page)
            after = page[-1].chunk_id
        return suspects, seen

    async def _look_again(self, document_id: str, found: Difference) -> None:
        before, chunks_before = await self._wanted(document_id)
        mirrored = await self._mirrored(document_id)
        points = await all_points(self._index, document_id)
        after, chunks = await self._wanted(document_id)
        if after is None:
            if points:
                found.unknown.add(document_id)
            return
        held = {point.chunk_id for point in points}
        if strays := held - chunks:
            found.surplus[document_id] = strays
        expected = chunks_before & chunks
        if mirrored is not None and not (before and before.is_ready and after.is_ready):
            expected &= mirrored
        elif not (before and before.is_ready and after.is_ready):
            expected = set()
        if expected - held:
            (found.incomplete if expected & held else found.missing).add(document_id)
        if before is not None and any(
            _differs(point, before, after) for point in points if point.chunk_id in chunks
        ):
            found.wrong_visibility.add(document_id)

    async def _wanted(self, document_id: str) -> tuple[Indexed | None, set[str]]:
        async with self._db.read() as unit:
            document = await self._documents.find(unit, document_id)
            return document, await self._documents.chunk_ids(unit, document_id)

    async def _mirrored(self, document_id: str) -> set[str] | None:
        if self._mirror is None:
            return None
        return {point.chunk_id for point in await all_points(self._mirror, document_id)}


async def all_points(index: VectorStore, document_id: str) -> list[StoredPoint]:
    """All points of one document."""
    points: list[StoredPoint] = []
    while page := await index.list_points(
        document_id=document_id, after=points[-1].chunk_id if points else None, limit=PAGE
    ):
        points += page
    return points


def _is_right(point: StoredPoint, document: Indexed | None) -> bool:
    return (
        document is not None
        and document.id == point.document_id
        and set(document.visibility) == set(point.visibility)
    )


def _differs(point: StoredPoint, before: Indexed, after: Indexed) -> bool:
    return set(point.visibility) not in (set(before.visibility), set(after.visibility))
