"""A vector store in plain memory, for tests. Exact and slow: what the others are compared with."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from youworker_app.gateways.vectors import rules
from youworker_app.gateways.vectors.errors import VectorStoreAway
from youworker_app.gateways.vectors.protocol import (
    AccessFilter,
    IndexInfo,
    SparseVector,
    StoredPoint,
    VectorHit,
    VectorPoint,
)


class MemoryVectorStore:
    """Keeps points in a dict by chunk id. Fulfils `VectorStore`."""

    def __init__(self) -> None:
        self._points: dict[str, VectorPoint] = {}
        self._info: IndexInfo | None = None
        self._open = False

    async def prepare(self, info: IndexInfo) -> None:
        if self._info is not None:
            rules.check_same(self._info, info)
        self._info, self._open = info, True

    async def upsert(self, points: Sequence[VectorPoint]) -> None:
        rules.check_points(points, self._ready().dimension)
        self._points.update((point.chunk_id, point) for point in points)

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
        found = (_hit(point, _cosine(point.dense, vector)) for point in self._visible(access))
        return rules.best_first(_within(found, document_ids))[:limit]

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
        visible = self._visible(access)
        weights = _with_rarity(vector, visible)
        found = (_hit(point, _dot(point.sparse, weights)) for point in visible)
        return rules.best_first(hit for hit in _within(found, document_ids) if hit.score > 0)[:limit]

    async def set_visibility(self, document_id: str, visibility: Sequence[str]) -> None:
        self._ready()
        for chunk_id, point in self._points.items():
            if point.document_id == document_id:
                self._points[chunk_id] = replace(point, visibility=tuple(visibility))

    async def delete_document(self, document_id: str) -> None:
        self._ready()
        self._points = {key: point for key, point in self._points.items() if point.document_id != document_id}

    async def count_by_document(self) -> dict[str, int]:
        self._ready()
        return dict(Counter(point.document_id for point in self._points.values()))

    async def count_by_visibility(self) -> dict[str, int]:
        self._ready()
        return dict(Counter(keyword for point in self._points.values() for keyword in set(point.visibility)))

    async def list_points(
        self, *, after: str | None = None, limit: int, document_id: str | None = None
    ) -> list[StoredPoint]:
        self._ready()
        wanted = (
            StoredPoint(point.chunk_id, point.document_id, point.visibility)
            for point in self._points.values()
            if document_id in (None, point.document_id) and point.chunk_id > (after or "")
        )
        return sorted(wanted, key=lambda point: point.chunk_id)[:limit]

    async def delete_points(self, chunk_ids: Collection[str]) -> None:
        self._ready()
        for chunk_id in chunk_ids:
            self._points.pop(chunk_id, None)

    async def reset(self) -> None:
        self._points, self._info, self._open = {}, None, False

    async def close(self) -> None:
        self._open = False

    def _ready(self) -> IndexInfo:
        if self._info is None or not self._open:
            raise VectorStoreAway
        return self._info

    def _visible(self, access: AccessFilter) -> list[VectorPoint]:
        return [
            point for point in self._points.values() if not access.visibility.isdisjoint(point.visibility)
        ]


def _within(hits: Iterable[VectorHit], document_ids: Collection[str] | None) -> Iterable[VectorHit]:
    return (hit for hit in hits if document_ids is None or hit.document_id in document_ids)


def _hit(point: VectorPoint, score: float) -> VectorHit:
    return VectorHit(point.chunk_id, point.document_id, score)


def _cosine(left: NDArray[np.float32], right: NDArray[np.float32]) -> float:
    # A vector of zeros has no direction: it is as far from everything as a right angle.
    length = float(np.linalg.norm(left) * np.linalg.norm(right))
    return float(left @ right) / length if length else 0.0


def _with_rarity(query: SparseVector, corpus: Sequence[VectorPoint]) -> dict[int, float]:
    counts = Counter(term for point in corpus for term in point.sparse.indices)
    return {
        term: value * math.log1p((len(corpus) - counts[term] + 0.5) / (counts[term] + 0.5))
        for term, value in zip(query.indices, query.values, strict=True)
    }


def _dot(document: SparseVector, weights: dict[int, float]) -> float:
    return sum(
        value * weights.get(term, 0.0) for term, value in zip(document.indices, document.values, strict=True)
    )
