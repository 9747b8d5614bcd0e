"""The embedded index itself: a qdrant-edge shard in one folder, with calls that block, from any thread.

Knows no event loop, and takes and gives plain values alone, so that it can move into a process of its own.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
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
    Modifier,
    PayloadSchemaType,
    Point,
    Query,
    QueryRequest,
    Record,
    ScoredPoint,
    ScrollRequest,
    SearchParams,
    UpdateOperation,
)
from qdrant_edge import SparseVector as EdgeSparseVector

from youworker_app.core.telemetry import get_logger
from youworker_app.gateways.vectors import rules
from youworker_app.gateways.vectors.errors import VectorIndexDamaged, VectorStoreAway
from youworker_app.gateways.vectors.folder import IndexFolder
from youworker_app.gateways.vectors.protocol import (
    AccessFilter,
    IndexInfo,
    SparseVector,
    StoredPoint,
    VectorHit,
    VectorPoint,
)

log = get_logger(__name__)

# A call holds the interpreter for its whole length: 64 points take 2.5 ms, so other threads hardly notice.
_BATCH = 64
# Points written between two flushes: what a start after a crash has to read again, a quarter of a second.
_FLUSH_AFTER = 5_000
# Above every size that one process serves: searching without an index is exact
# and fast, building one stops the world.
_NEVER_INDEX = 10**9
# What is deleted leaves the files when the shard closes, once it is one in a hundred.
_VACUUM_SHARE, _VACUUM_FROM = 0.01, 100


class EmbeddedShard:
    """The points of one folder. At most one is open at a time, in all processes together."""

    def __init__(self, folder: Path) -> None:
        self._folder = IndexFolder(folder)
        self._shard: EdgeShard | None = None
        self._info: IndexInfo | None = None
        self._unflushed = 0

    def prepare(self, info: IndexInfo) -> None:
        """Opens the shard, made anew when there is none. Raises as `VectorStore.prepare`."""
        if self._shard is not None and self._info is not None:
            return rules.check_same(self._info, info)
        self._folder.own()
        try:
            self._shard, self._info = self._open(info), info
        finally:
            if self._shard is None:
                self._folder.disown()

    def upsert(self, points: Sequence[VectorPoint]) -> None:
        """Writes the points, safe on disk when it returns."""
        shard, info = self._ready()
        rules.check_points(points, info.dimension)
        for batch in rules.batches(points, _BATCH):
            with _translated():
                shard.update(UpdateOperation.upsert_points([_edge_point(point) for point in batch]))
        self._keep(shard, len(points))

    def search_dense(
        self,
        vector: NDArray[np.float32],
        access: AccessFilter,
        limit: int,
        document_ids: Collection[str] | None,
    ) -> list[VectorHit]:
        """The nearest points by cosine."""
        _, info = self._ready()
        rules.check_dense(vector, info.dimension)
        if rules.finds_nothing(access, limit, document_ids):
            return []
        query = Query.Nearest(vector.tolist(), using=rules.DENSE)
        return self._search(query, _may_see(access), limit, document_ids, None)

    def search_sparse(
        self, vector: SparseVector, access: AccessFilter, limit: int, document_ids: Collection[str] | None
    ) -> list[VectorHit]:
        """The best points by BM25, rarity counted over what the filter lets through."""
        self._ready()
        if rules.finds_nothing(access, limit, document_ids) or not vector.indices:
            return []
        query = Query.Nearest(_edge_sparse(vector), using=rules.SPARSE)
        visible = _may_see(access)
        return self._search(
            query, visible, limit, document_ids, SearchParams(idf=IdfParams(Filter(must=[visible])))
        )

    def set_visibility(self, document_id: str, visibility: Sequence[str]) -> None:
        """Replaces the keywords of a document's points, safe on disk when it returns."""
        payload = {rules.VISIBILITY: list(visibility)}
        self._write(UpdateOperation.set_payload_by_filter(_of(document_id), payload))

    def delete_document(self, document_id: str) -> None:
        """Removes a document's points, safe on disk when it returns."""
        self._write(UpdateOperation.delete_points_by_filter(_of(document_id)))

    def count_by_document(self) -> dict[str, int]:
        """Points by document, exact."""
        return self._count_by(rules.DOCUMENT)

    def count_by_visibility(self) -> dict[str, int]:
        """Points by keyword, exact."""
        return self._count_by(rules.VISIBILITY)

    def list_points(self, after: str | None, limit: int, document_id: str | None) -> list[StoredPoint]:
        """A page of points without their vectors, in the order of their ids."""
        shard, _ = self._ready()
        # The library begins its page with the id that it is given.
        request = ScrollRequest(
            offset=UUID(after) if after else None,
            limit=limit + 1,
            filter=_of(document_id) if document_id is not None else None,
            with_payload=True,
            with_vector=False,
        )
        with _translated():
            records, _ = shard.scroll(request)
        return [point for point in map(_stored, records) if point.chunk_id != after][:limit]

    def delete_points(self, chunk_ids: Collection[str]) -> None:
        """Removes single points, safe on disk when it returns."""
        if chunk_ids:
            self._write(UpdateOperation.delete_points([UUID(each) for each in chunk_ids]))

    def reset(self) -> None:
        """Drops the index, whoever made it."""
        self._folder.own()
        self._release()
        self._folder.drop()

    def close(self) -> None:
        """Removes what was deleted from the files, and lets go of them."""
        try:
            if self._shard is not None:
                with _translated():
                    self._shard.optimize()
            self._release()
        finally:
            self._folder.disown()

    def _open(self, info: IndexInfo) -> EdgeShard:
        if not self._folder.shard.exists():
            # The note first: a shard without one would be of unknown origin after a crash between the two.
            self._folder.write_info(info)
            self._create(info)
        rules.check_same(self._folder.read_info(), info)
        try:
            with _translated():
                shard = EdgeShard.load(str(self._folder.shard), _config(info.dimension))
                known = shard.info().payload_schema
        except VectorStoreAway as error:
            raise VectorIndexDamaged(folder=str(self._folder.path)) from error
        if not known.keys() >= {rules.VISIBILITY, rules.DOCUMENT}:
            # The library makes up an empty shard where it finds no segments.
            shard.close()
            raise VectorIndexDamaged(folder=str(self._folder.path))
        return shard

    def _create(self, info: IndexInfo) -> None:
        growing = self._folder.begin_shard()
        with _translated():
            shard = EdgeShard.create(str(growing), _config(info.dimension))
            for field in (rules.VISIBILITY, rules.DOCUMENT):
                shard.update(UpdateOperation.create_field_index(field, PayloadSchemaType.Keyword))
            shard.flush()
            shard.close()
        self._folder.finish_shard(growing)

    def _release(self) -> None:
        shard, self._shard, self._info, self._unflushed = self._shard, None, None, 0
        if shard is not None:
            with _translated():
                shard.close()

    def _ready(self) -> tuple[EdgeShard, IndexInfo]:
        shard, info = self._shard, self._info
        if shard is None or info is None:
            raise VectorStoreAway
        return shard, info

    def _write(self, operation: UpdateOperation) -> None:
        shard, _ = self._ready()
        with _translated():
            shard.update(operation)
        self._keep(shard, 1)

    def _keep(self, shard: EdgeShard, changes: int) -> None:
        """Makes what was written survive a power cut.

        The write-ahead log is synced from here, which lets other threads run: the shard's own flush holds the
        interpreter until the disk has answered (0.2 s on a busy one), so it comes once in a while to keep the log,
        and with it the next start, short.
        """
        self._folder.sync_log()
        self._unflushed += changes
        if self._unflushed >= _FLUSH_AFTER:
            with _translated():
                shard.flush()
            self._unflushed = 0

    def _count_by(self, field: str) -> dict[str, int]:
        shard, _ = self._ready()
        with _translated():
            limit = shard.count(CountRequest(exact=True)) + rules.SPARE_VALUES
            found = shard.facet(FacetRequest(field, limit=limit, exact=True))
        # After a crash the index still names documents whose points are gone.
        return {str(hit.value): hit.count for hit in found.hits if hit.count}

    def _search(
        self,
        query: Query,
        visible: FieldCondition,
        limit: int,
        document_ids: Collection[str] | None,
        params: SearchParams | None,
    ) -> list[VectorHit]:
        shard, _ = self._ready()
        conditions = [visible]
        if document_ids is not None:
            conditions.append(FieldCondition(rules.DOCUMENT, match=MatchAny(list(document_ids))))
        request = QueryRequest(
            limit,
            query=query,
            filter=Filter(must=list(conditions)),
            params=params,
            with_payload=[rules.DOCUMENT],
        )
        with _translated():
            return rules.best_first(_hit(found) for found in shard.query(request))


def _config(dimension: int) -> EdgeConfig:
    return EdgeConfig(
        vectors={rules.DENSE: EdgeVectorParams(dimension, Distance.Cosine)},
        sparse_vectors={rules.SPARSE: EdgeSparseVectorParams(modifier=Modifier.Idf)},
        optimizers=EdgeOptimizersConfig(
            indexing_threshold=_NEVER_INDEX,
            deleted_threshold=_VACUUM_SHARE,
            vacuum_min_vector_number=_VACUUM_FROM,
        ),
    )


def _may_see(access: AccessFilter) -> FieldCondition:
    return FieldCondition(rules.VISIBILITY, match=MatchAny(sorted(access.visibility)))


def _of(document_id: str) -> Filter:
    return Filter(must=[FieldCondition(rules.DOCUMENT, match=MatchValue(document_id))])


def _edge_point(point: VectorPoint) -> Point:
    return Point(
        point.chunk_id,
        {rules.DENSE: point.dense.tolist(), rules.SPARSE: _edge_sparse(point.sparse)},
        {rules.DOCUMENT: point.document_id, rules.VISIBILITY: list(point.visibility)},
    )


def _edge_sparse(vector: SparseVector) -> EdgeSparseVector:
    return EdgeSparseVector(list(vector.indices), list(vector.values))


def _stored(record: Record) -> StoredPoint:
    payload = record.payload or {}
    return StoredPoint(
        str(record.id), str(payload[rules.DOCUMENT]), tuple(payload.get(rules.VISIBILITY) or ())
    )


def _hit(found: ScoredPoint) -> VectorHit:
    return VectorHit(str(found.id), str((found.payload or {})[rules.DOCUMENT]), found.score)


@contextmanager
def _translated() -> Iterator[None]:
    """The binding raises plain `Exception` for everything, which tells nothing about its kind."""
    try:
        yield
    except Exception as error:
        if type(error) is not Exception:
            raise
        log.error("vector_shard_failed", reason=str(error))
        raise VectorStoreAway from error
