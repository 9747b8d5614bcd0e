"""The vector store on a Qdrant server, through its own client. A collection is a generation; which model made it stands
in the collection's metadata.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from functools import partial

import numpy as np
from numpy.typing import NDArray
from qdrant_client import AsyncQdrantClient, models

from youworker_app.core.settings import VectorSettings
from youworker_app.core.telemetry import get_logger
from youworker_app.gateways.vectors import rules, server_config
from youworker_app.gateways.vectors.errors import (
    VectorCollectionForeign,
    VectorServerTooOld,
    VectorStoreAway,
)
from youworker_app.gateways.vectors.protocol import (
    AccessFilter,
    IndexInfo,
    SparseVector,
    StoredPoint,
    VectorHit,
    VectorPoint,
)
from youworker_app.gateways.vectors.server_calls import asked, connect, translated

log = get_logger(__name__)

# The first version that counts rarity within a filter.
_NEEDED = (1, 19)


class ServerVectorStore:
    """Fulfils `VectorStore` over one collection. Owns the client: `close` closes it."""

    def __init__(
        self, client: AsyncQdrantClient, collection: str, settings: VectorSettings | None = None
    ) -> None:
        self._client = client
        self._collection = collection
        self._settings = settings or VectorSettings()
        self._info: IndexInfo | None = None

    async def prepare(self, info: IndexInfo) -> None:
        await self._check_version()
        if await self._exists():
            config = await self._config()
            rules.check_same(_made(config, self._collection), info)
            await self._adapt(config)
        else:
            await self._create(info)
        # Repeated at every start: a crash may have come between the collection and its indices.
        await self._index_payload()
        self._info = info

    async def upsert(self, points: Sequence[VectorPoint]) -> None:
        rules.check_points(points, self._ready().dimension)
        for batch in rules.batches(points, self._settings.batch_size):
            written = [_server_point(point) for point in batch]
            await asked(partial(self._client.upsert, self._collection, written, wait=True))

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
        params = server_config.dense_search(self._settings)
        return await self._search(vector.tolist(), rules.DENSE, _may_see(access), limit, document_ids, params)

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
        points = _of(document_id)
        await asked(partial(self._client.set_payload, self._collection, payload, points=points, wait=True))

    async def delete_document(self, document_id: str) -> None:
        self._ready()
        await self._delete(models.FilterSelector(filter=_of(document_id)))

    async def count_by_document(self) -> dict[str, int]:
        return await self._count_by(rules.DOCUMENT)

    async def count_by_visibility(self) -> dict[str, int]:
        return await self._count_by(rules.VISIBILITY)

    async def list_points(
        self, *, after: str | None = None, limit: int, document_id: str | None = None
    ) -> list[StoredPoint]:
        self._ready()
        # The server begins its page with the id that it is given.
        page = partial(self._client.scroll, self._collection, offset=after, limit=limit + 1)
        within = _of(document_id) if document_id is not None else None
        records, _ = await asked(partial(page, scroll_filter=within, with_payload=True, with_vectors=False))
        return [point for point in map(_stored, records) if point.chunk_id != after][:limit]

    async def delete_points(self, chunk_ids: Collection[str]) -> None:
        self._ready()
        if chunk_ids:
            await self._delete(models.PointIdsList(points=list(chunk_ids)))

    async def reset(self) -> None:
        self._info = None
        if await self._exists():
            await self._refuse_foreign()
            await asked(partial(self._client.delete_collection, self._collection))

    async def close(self) -> None:
        self._info = None
        async with translated():
            await self._client.close()

    def _ready(self) -> IndexInfo:
        if self._info is None:
            raise VectorStoreAway
        return self._info

    async def _check_version(self) -> None:
        version = (await asked(self._client.info)).version
        major, minor = (int(part) for part in version.split(".")[:2])
        if (major, minor) < _NEEDED:
            raise VectorServerTooOld(version=version, needed=".".join(map(str, _NEEDED)))

    async def _exists(self) -> bool:
        return await asked(partial(self._client.collection_exists, self._collection))

    async def _config(self) -> models.CollectionConfig:
        return (await asked(partial(self._client.get_collection, self._collection))).config

    async def _refuse_foreign(self) -> None:
        _made(await self._config(), self._collection)

    async def _create(self, info: IndexInfo) -> None:
        async with (
            translated()
        ):  # once: a second try would find what the first one made, and call it a conflict
            await self._client.create_collection(
                self._collection,
                vectors_config=server_config.new_vectors(self._settings, info.dimension),
                sparse_vectors_config=server_config.sparse_vectors(self._settings),
                metadata=asdict(info),
            )

    async def _adapt(self, config: models.CollectionConfig) -> None:
        """Brings a collection up to date with the settings; the server works it off by itself."""
        if server_config.is_as_set(config, self._settings):
            return
        log.info("vector_collection_changed", collection=self._collection)
        changes = partial(
            self._client.update_collection,
            self._collection,
            vectors_config=server_config.changed_vectors(self._settings),
            sparse_vectors_config=server_config.sparse_vectors(self._settings),
        )
        await asked(changes)

    async def _index_payload(self) -> None:
        for field in (rules.VISIBILITY, rules.DOCUMENT):
            kind = models.PayloadSchemaType.KEYWORD
            await asked(partial(self._client.create_payload_index, self._collection, field, kind, wait=True))

    async def _delete(self, selector: models.PointsSelector) -> None:
        await asked(partial(self._client.delete, self._collection, points_selector=selector, wait=True))

    async def _count_by(self, field: str) -> dict[str, int]:
        self._ready()
        points = (await asked(partial(self._client.count, self._collection, exact=True))).count
        limit = points + rules.SPARE_VALUES
        found = await asked(partial(self._client.facet, self._collection, key=field, limit=limit, exact=True))
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
        search = partial(
            self._client.query_points,
            self._collection,
            query=query,
            using=using,
            query_filter=models.Filter(must=list(conditions)),
            search_params=params,
            limit=limit,
            with_payload=[rules.DOCUMENT],
        )
        found = await asked(search)
        return rules.best_first(_hit(point) for point in found.points)


class ServerShelf:
    """Fulfils `VectorShelf`: a collection for each generation, the first under the configured name itself."""

    def __init__(self, settings: VectorSettings) -> None:
        self._settings = settings

    def store(self, name: str) -> ServerVectorStore:
        settings = self._settings
        key = settings.qdrant_api_key.get_secret_value()
        client = connect(settings.qdrant_url, key, settings.timeout_s)
        collection = f"{settings.collection}-{name}" if name else settings.collection
        return ServerVectorStore(client, collection, settings)

    async def remove(self, name: str) -> None:
        store = self.store(name)
        try:
            await store.reset()
        finally:
            await store.close()

    async def set_aside(self, name: str) -> str:
        # Nothing of a server's is ever found damaged by us: it does not answer then.
        await self.remove(name)
        return ""

    async def is_anything_aside(self) -> bool:
        return False

    async def clear_aside(self) -> None:
        """Nothing is ever there."""


def _made(config: models.CollectionConfig, collection: str) -> IndexInfo:
    """Which model made a collection. Raises VectorCollectionForeign when it is not one of ours."""
    try:
        return IndexInfo(**(config.metadata or {}))
    except TypeError as error:
        raise VectorCollectionForeign(collection=collection) from error


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
