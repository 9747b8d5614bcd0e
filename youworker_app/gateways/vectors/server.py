"""The vector store on a Qdrant server, through its own client. One collection; which model made it stands in
the collection's metadata.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

import httpx
import numpy as np
from numpy.typing import NDArray
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException

from youworker_app.core.telemetry import get_logger
from youworker_app.gateways.vectors import rules
from youworker_app.gateways.vectors.errors import VectorIndexDamaged, VectorServerTooOld, VectorStoreAway
from youworker_app.gateways.vectors.protocol import (
    AccessFilter,
    IndexInfo,
    SparseVector,
    StoredPoint,
    VectorHit,
    VectorPoint,
)

log = get_logger(__name__)

_BATCH = 256
# The first version that counts rarity within a filter.
_NEEDED = (1, 19)


def connect(url: str, api_key: str, timeout_s: float) -> AsyncQdrantClient:
    """A client for a server, not yet connected. `timeout_s` bounds each call; an empty key means none."""
    # The client's own version check would ask at once and warn; `prepare` asks itself.
    return AsyncQdrantClient(
        url=url, api_key=api_key or None, timeout=max(1, round(timeout_s)), check_compatibility=False
    )


class ServerVectorStore:
    """Fulfils `VectorStore` over one collection. Owns the client: `close` closes it."""

    def __init__(self, client: AsyncQdrantClient, collection: str) -> None:
        self._client = client
        self._collection = collection
        self._info: IndexInfo | None = None

    async def prepare(self, info: IndexInfo) -> None:
        with _translated():
            await self._check_version()
            if await self._client.collection_exists(self._collection):
                rules.check_same(await self._read_info(), info)
            else:
                await self._create(info)
            # Repeated at every start: a crash may have come between the collection and its indices.
            await self._index_payload()
        self._info = info

    async def upsert(self, points: Sequence[VectorPoint]) -> None:
        rules.check_points(points, self._ready().dimension)
        with _translated():
            for batch in rules.batches(points, _BATCH):
                await self._client.upsert(
                    self._collection, [_server_point(point) for point in batch], wait=True
                )

    async def search_dense(
        self,
        vector: NDArray[np.float32],
        access: AccessFilter,
        *,
        limit: int,
        document_ids: Collection[str] | None = None,
    ) -> list[VectorHit]:
        rules.check_dense(vector, self._ready().dimension)
        if rules.finds_nothing(access, limit, document_ids):
            return []
        return await self._search(vector.tolist(), rules.DENSE, _may_see(access), limit, document_ids, None)

    async def search_sparse(
        self,
        vector: SparseVector,
        access: AccessFilter,
        *,
        limit: int,
        document_ids: Collection[str] | None = None,
    ) -> list[VectorHit]:
        self._ready()
        if rules.finds_nothing(access, limit, document_ids) or not vector.indices:
            return []
        visible = _may_see(access)
        rarity = models.SearchParams(idf=models.IdfCorpusParams(corpus=models.Filter(must=[visible])))
        return await self._search(_server_sparse(vector), rules.SPARSE, visible, limit, document_ids, rarity)

    async def set_visibility(self, document_id: str, visibility: Sequence[str]) -> None:
        self._ready()
        payload = {rules.VISIBILITY: list(visibility)}
        with _translated():
            await self._client.set_payload(self._collection, payload, points=_of(document_id), wait=True)

    async def delete_document(self, document_id: str) -> None:
        self._ready()
        with _translated():
            selector = models.FilterSelector(filter=_of(document_id))
            await self._client.delete(self._collection, points_selector=selector, wait=True)

    async def count_by_document(self) -> dict[str, int]:
        return await self._count_by(rules.DOCUMENT)

    async def count_by_visibility(self) -> dict[str, int]:
        return await self._count_by(rules.VISIBILITY)

    async def list_points(
        self, *, after: str | None = None, limit: int, document_id: str | None = None
    ) -> list[StoredPoint]:
        self._ready()
        with _translated():
            # The server begins its page with the id that it is given.
            records, _ = await self._client.scroll(
                self._collection,
                scroll_filter=_of(document_id) if document_id is not None else None,
                offset=after,
                limit=limit + 1,
                with_payload=True,
                with_vectors=False,
            )
        return [point for point in map(_stored, records) if point.chunk_id != after][:limit]

    async def delete_points(self, chunk_ids: Collection[str]) -> None:
        self._ready()
        if chunk_ids:
            with _translated():
                selector = models.PointIdsList(points=list(chunk_ids))
                await self._client.delete(self._collection, points_selector=selector, wait=True)

    async def reset(self) -> None:
        self._info = None
        with _translated():
            if await self._client.collection_exists(self._collection):
                await self._client.delete_collection(self._collection)

    async def close(self) -> None:
        self._info = None
        with _translated():
            await self._client.close()

    def _ready(self) -> IndexInfo:
        if self._info is None:
            raise VectorStoreAway
        return self._info

    async def _check_version(self) -> None:
        version = (await self._client.info()).version
        major, minor = (int(part) for part in version.split(".")[:2])
        if (major, minor) < _NEEDED:
            raise VectorServerTooOld(version=version, needed=".".join(map(str, _NEEDED)))

    async def _create(self, info: IndexInfo) -> None:
        await self._client.create_collection(
            self._collection,
            vectors_config={
                rules.DENSE: models.VectorParams(size=info.dimension, distance=models.Distance.COSINE)
            },
            sparse_vectors_config={rules.SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
            metadata=asdict(info),
        )

    async def _index_payload(self) -> None:
        for field in (rules.VISIBILITY, rules.DOCUMENT):
            await self._client.create_payload_index(
                self._collection, field, models.PayloadSchemaType.KEYWORD, wait=True
            )

    async def _read_info(self) -> IndexInfo:
        metadata = (await self._client.get_collection(self._collection)).config.metadata or {}
        try:
            return IndexInfo(**metadata)
        except TypeError as error:
            raise VectorIndexDamaged(folder=self._collection) from error

    async def _count_by(self, field: str) -> dict[str, int]:
        self._ready()
        with _translated():
            limit = (await self._client.count(self._collection, exact=True)).count + rules.SPARE_VALUES
            found = await self._client.facet(self._collection, key=field, limit=limit, exact=True)
        return {str(hit.value): hit.count for hit in found.hits if hit.count}

    async def _search(
        self,
        query: list[float] | models.SparseVector,
        using: str,
        visible: models.FieldCondition,
        limit: int,
        document_ids: Collection[str] | None,
        params: models.SearchParams | None,
    ) -> list[VectorHit]:
        conditions = [visible]
        if document_ids is not None:
            within = models.MatchAny(any=list(document_ids))
            conditions.append(models.FieldCondition(key=rules.DOCUMENT, match=within))
        with _translated():
            found = await self._client.query_points(
                self._collection,
                query=query,
                using=using,
                query_filter=models.Filter(must=list(conditions)),
                search_params=params,
                limit=limit,
                with_payload=[rules.DOCUMENT],
            )
        return rules.best_first(_hit(point) for point in found.points)


def _may_see(access: AccessFilter) -> models.FieldCondition:
    return models.FieldCondition(key=rules.VISIBILITY, match=models.MatchAny(any=sorted(access.visibility)))


def _of(document_id: str) -> models.Filter:
    return models.Filter(
        must=[models.FieldCondition(key=rules.DOCUMENT, match=models.MatchValue(value=document_id))]
    )


def _server_point(point: VectorPoint) -> models.PointStruct:
    return models.PointStruct(
        id=point.chunk_id,
        vector={rules.DENSE: point.dense.tolist(), rules.SPARSE: _server_sparse(point.sparse)},
        payload={rules.DOCUMENT: point.document_id, rules.VISIBILITY: list(point.visibility)},
    )


def _server_sparse(vector: SparseVector) -> models.SparseVector:
    return models.SparseVector(indices=list(vector.indices), values=list(vector.values))


def _stored(record: models.Record) -> StoredPoint:
    payload = record.payload or {}
    return StoredPoint(
        str(record.id), str(payload[rules.DOCUMENT]), tuple(payload.get(rules.VISIBILITY) or ())
    )


def _hit(point: models.ScoredPoint) -> VectorHit:
    return VectorHit(str(point.id), str((point.payload or {})[rules.DOCUMENT]), point.score)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (ApiException, QdrantException, httpx.HTTPError) as error:
        # The class alone: the client puts the server's whole answer into the text.
        log.warning("vector_server_failed", kind=type(error).__name__)
        raise VectorStoreAway from error
