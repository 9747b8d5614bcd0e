"""The embedded index itself: a qdrant-edge shard in one folder, with calls that block and hold the interpreter.

Runs in a process of its own (`child.py`), so it imports neither numpy nor the logs, and takes and gives plain values
alone. Knows nothing of owners, models and generations: `folder.py` does.
"""

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from qdrant_edge import (
    CountRequest,
    Distance,
    EdgeConfig,
    EdgeOptimizersConfig,
    EdgeShard,
    EdgeSparseVectorParams,
    EdgeVectorParams,
    FacetRequest,
    FieldCondition,
    Filter,
    IdfParams,
    MatchAny,
    MatchValue,
    Memory,
    Modifier,
    PayloadSchemaType,
    Point,
    Prefetch,
    Query,
    QueryRequest,
    Record,
    ScoredPoint,
    ScrollRequest,
    SearchParams,
    SparseVector,
    UpdateOperation,
    VectorStorageDatatype,
)

from youworker_app.gateways.vectors.fields import DENSE, DOCUMENT, SPARE_VALUES, SPARSE, VISIBILITY
from youworker_app.gateways.vectors.resident import give_back
from youworker_app.gateways.vectors.wire import Row

# The vector again with 8 bits a number, for the first look at all points: 2.4 times as fast as the whole one.
_COARSE = "coarse"
# So many more than asked for are looked at again; the hundred nearest of 100,000 were among them always.
_OVERSAMPLING, _FEWEST_LOOKED_AT = 3, 256
# An index of the library would have to be built by `optimize`, which stops everything for seconds to minutes.
_NEVER_INDEX = 10**9

Hit = tuple[str, str, float]
"""Chunk id, document id, score."""


class ShardFailed(Exception):
    """The library refused or broke; its own words are the only argument."""


class Shard:
    """An open shard. Threads may share it."""

    def __init__(self, path: Path, dimension: int) -> None:
        """Opens it. Raises ShardFailed when the files are not those of a whole shard of this dimension."""
        self._path, self.dimension = path, dimension
        with _translated():
            self._edge = EdgeShard.load(str(path), _config(dimension))
            known = self._edge.info().payload_schema
        if not known.keys() >= {VISIBILITY, DOCUMENT}:
            # The library makes up an empty shard where it finds no segments.
            self._edge.close()
            raise ShardFailed("no segments")

    @staticmethod
    def create(path: Path, dimension: int) -> None:
        """Makes an empty shard in a folder that is there and empty."""
        with _translated():
            edge = EdgeShard.create(str(path), _config(dimension))
            for field in (VISIBILITY, DOCUMENT):
                edge.update(UpdateOperation.create_field_index(field, PayloadSchemaType.Keyword))
            edge.flush()
            edge.close()

    def upsert(self, rows: Sequence[Row]) -> None:
        """Writes the points, replacing those with the same id; `sync` makes it safe."""
        self._update(UpdateOperation.upsert_points([_edge_point(row) for row in rows]))

    def search_dense(
        self, vector: list[float], visibility: list[str], limit: int, document_ids: list[str] | None
    ) -> list[Hit]:
        """The nearest points by cosine."""
        wide = max(_OVERSAMPLING * limit, _FEWEST_LOOKED_AT)
        coarse = Prefetch(
            limit=wide,
            query=Query.Nearest(vector, using=_COARSE),
            filter=_filter(visibility, document_ids),
        )
        return self._query(
            QueryRequest(
                limit,
                prefetches=[coarse],
                query=Query.Nearest(vector, using=DENSE),
                with_payload=[DOCUMENT],
            )
        )

    def search_sparse(
        self,
        terms: list[int],
        weights: list[float],
        visibility: list[str],
        limit: int,
        document_ids: list[str] | None,
    ) -> list[Hit]:
        """The best points by BM25, rarity counted over what the keywords let through."""
        return self._query(
            QueryRequest(
                limit,
                query=Query.Nearest(SparseVector(terms, weights), using=SPARSE),
                filter=_filter(visibility, document_ids),
                params=SearchParams(idf=IdfParams(_filter(visibility, None))),
                with_payload=[DOCUMENT],
            )
        )

    def set_visibility(self, document_id: str, visibility: list[str]) -> None:
        """Replaces the keywords of a document's points; `sync` makes it safe."""
        self._update(UpdateOperation.set_payload_by_filter(_of(document_id), {VISIBILITY: visibility}))

    def delete_document(self, document_id: str) -> None:
        """Removes a document's points; `sync` makes it safe."""
        self._update(UpdateOperation.delete_points_by_filter(_of(document_id)))

    def delete_points(self, chunk_ids: Collection[str]) -> None:
        """Removes single points; `sync` makes it safe."""
        self._update(UpdateOperation.delete_points([UUID(each) for each in chunk_ids]))

    def count(self) -> int:
        """All points, exactly."""
        with _translated():
            return self._edge.count(CountRequest(exact=True))

    def count_by(self, field: str) -> dict[str, int]:
        """Points by the values of a field, exactly."""
        with _translated():
            found = self._edge.facet(FacetRequest(field, limit=self.count() + SPARE_VALUES, exact=True))
        # After a crash the index still names documents whose points are gone.
        return {str(hit.value): hit.count for hit in found.hits if hit.count}

    def list_points(
        self, after: str | None, limit: int, document_id: str | None
    ) -> list[tuple[str, str, list[str]]]:
        """A page of points without their vectors, in the order of their ids: chunk, document, keywords."""
        within = _of(document_id) if document_id is not None else None
        return [_payload(record) for record in self._scroll(after, limit, within, with_vector=False)]

    def read(self, after: str | None, limit: int) -> list[Row]:
        """A page of whole points, in the order of their ids."""
        return [_row(record) for record in self._scroll(after, limit, None, with_vector=True)]

    def sync(self) -> None:
        """Waits until the write-ahead log is on disk, pages that are written through memory included."""
        log = self._path / "wal"
        for path in (*log.iterdir(), log):
            _sync(path)

    def flush(self) -> None:
        """Writes all of it into the segments, so that the next start has no log to read."""
        with _translated():
            self._edge.flush()

    def give_back(self) -> None:
        """Takes the files' pages out of this process's memory, but for those that every search goes through."""
        give_back(self._path, lambda path: f"vector_storage-{_COARSE}" in path)

    def close(self) -> None:
        """Flushes, and lets go of the files."""
        with _translated():
            self._edge.flush()
            self._edge.close()

    def _update(self, operation: UpdateOperation) -> None:
        with _translated():
            self._edge.update(operation)

    def _query(self, request: QueryRequest) -> list[Hit]:
        with _translated():
            return [_hit(found) for found in self._edge.query(request)]

    def _scroll(
        self, after: str | None, limit: int, within: Filter | None, *, with_vector: bool
    ) -> list[Record]:
        # The library begins its page with the id that it is given.
        request = ScrollRequest(
            offset=UUID(after) if after else None,
            limit=limit + 1,
            filter=within,
            with_payload=True,
            with_vector=[DENSE, SPARSE] if with_vector else False,
        )
        with _translated():
            records, _ = self._edge.scroll(request)
        return [record for record in records if str(record.id) != after][:limit]


def _config(dimension: int) -> EdgeConfig:
    def numbers(datatype: VectorStorageDatatype, memory: Memory) -> EdgeVectorParams:
        return EdgeVectorParams(dimension, Distance.Cosine, datatype=datatype, memory=memory)

    return EdgeConfig(
        vectors={
            # Of the whole vectors a search reads a few hundred, of the coarse ones all.
            DENSE: numbers(VectorStorageDatatype.Turbo16, Memory.Cold),
            _COARSE: numbers(VectorStorageDatatype.Turbo8, Memory.Cached),
        },
        sparse_vectors={SPARSE: EdgeSparseVectorParams(modifier=Modifier.Idf)},
        optimizers=EdgeOptimizersConfig(indexing_threshold=_NEVER_INDEX),
    )


def _filter(visibility: list[str], document_ids: list[str] | None) -> Filter:
    """One of the keywords, and one of the documents.

    A flat `should` of single values: `MatchAny` of the keywords takes three times as long when they let most points
    through, and a filter inside a filter ten times.
    """
    keywords = [FieldCondition(VISIBILITY, match=MatchValue(keyword)) for keyword in visibility]
    if document_ids is None:
        return Filter(should=list(keywords))
    return Filter(should=list(keywords), must=[FieldCondition(DOCUMENT, match=MatchAny(list(document_ids)))])


def _of(document_id: str) -> Filter:
    return Filter(must=[FieldCondition(DOCUMENT, match=MatchValue(document_id))])


def _edge_point(row: Row) -> Point:
    return Point(
        row.chunk_id,
        {DENSE: row.dense, _COARSE: row.dense, SPARSE: SparseVector(row.terms, row.weights)},
        {DOCUMENT: row.document_id, VISIBILITY: row.visibility},
    )


def _payload(record: Record) -> tuple[str, str, list[str]]:
    payload = record.payload or {}
    return str(record.id), str(payload[DOCUMENT]), list(payload.get(VISIBILITY) or ())


def _row(record: Record) -> Row:
    vectors: Any = record.vector
    sparse = vectors.get(SPARSE)
    return Row(
        *_payload(record),
        vectors[DENSE],
        list(sparse.indices) if sparse else [],
        list(sparse.values) if sparse else [],
    )


def _hit(found: ScoredPoint) -> Hit:
    return str(found.id), str((found.payload or {})[DOCUMENT]), found.score


def _sync(path: Path) -> None:
    """Waits until a file's content, or a folder's names, are on disk."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return  # a part of the log that was given up meanwhile
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated() -> Iterator[None]:
    """The binding raises plain `Exception` for everything, which tells nothing about its kind."""
    try:
        yield
    except Exception as error:
        if type(error) is not Exception:
            raise
        raise ShardFailed(str(error)) from error
