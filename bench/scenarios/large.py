"""Search in the embedded store at 100,000 and 1,000,000 synthetic chunks, by somebody who may see all of them.

Random vectors and Zipf-distributed terms: harder than texts, whose vectors lie in clusters. A search is what a question
costs the store: the nearest vectors and the best terms at the same time.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.client import quantile
from bench.context import Bench
from bench.figures import Figure
from youworker_app.gateways.vectors.embedded import EmbeddedVectorStore
from youworker_app.gateways.vectors.protocol import (
    AccessFilter,
    IndexInfo,
    SparseVector,
    VectorPoint,
    VectorStore,
    mint_access_filter,
)

_INFO = IndexInfo("random", 384)
_TERMS, _VOCABULARY, _QUESTION_TERMS = 70, 60_000, 6
_SLICE, _CHUNKS_A_DOCUMENT, _GROUPS = 5_000, 20, 20
_DEPTH = 100  # hits asked of each search
_PATIENCE_S = 420


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """search_100k, search_1m; the latter in a full run only."""
    yield await _measured("search_100k", bench.new_folder(), bench.pick(100_000, 100_000, 2_000))
    if bench.size == "full":
        yield await _measured("search_1m", bench.new_folder(), 1_000_000)


async def _measured(name: str, folder: Path, points: int) -> Figure:
    drawn, store = np.random.default_rng(1), EmbeddedVectorStore(folder)
    await store.prepare(_INFO)
    begun = time.perf_counter()
    async with asyncio.timeout(_PATIENCE_S):
        for first in range(0, points, _SLICE):
            await store.upsert(await asyncio.to_thread(_points, drawn, first, min(_SLICE, points - first)))
    filled = time.perf_counter() - begun
    everything = mint_access_filter({"u:3", *(f"g:{number}" for number in range(_GROUPS))})
    detail = {"points": points, "filled_s": round(filled, 1)}
    figure = await _Search(store, everything, drawn).run(name, detail)
    await store.close()
    return figure


class _Search:
    """Searches of one asker."""

    def __init__(self, store: VectorStore, access: AccessFilter, drawn: np.random.Generator) -> None:
        self._store, self._access, self._drawn = store, access, drawn

    async def run(self, name: str, detail: dict[str, float]) -> Figure:
        """p95 of a hundred, of both searches together and of each."""
        await _timed(self._both, 5)
        both, dense, sparse = [await _timed(call, 100) for call in (self._both, self._dense, self._sparse)]
        told = {
            "p50_ms": quantile(both, 0.5),
            "dense_p95_ms": quantile(dense, 0.95),
            "terms_p95_ms": quantile(sparse, 0.95),
        }
        return Figure(name, quantile(both, 0.95), {**detail, **told})

    async def _both(self) -> None:
        await asyncio.gather(self._dense(), self._sparse())

    async def _dense(self) -> None:
        vector = _unit(self._drawn.standard_normal((1, _INFO.dimension), dtype=np.float32))[0]
        await self._store.search_dense(vector, self._access, limit=_DEPTH)

    async def _sparse(self) -> None:
        terms = _terms(self._drawn, 1, _QUESTION_TERMS)[0]
        await self._store.search_sparse(terms, self._access, limit=_DEPTH)


async def _timed(call: Callable[[], Awaitable[None]], times: int) -> list[float]:
    """Milliseconds."""
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        await call()
        took.append((time.perf_counter() - begun) * 1_000)
    return took


def _points(drawn: np.random.Generator, first: int, count: int) -> list[VectorPoint]:
    vectors = _unit(drawn.standard_normal((count, _INFO.dimension), dtype=np.float32))
    made = zip(range(first, first + count), vectors, _terms(drawn, count, _TERMS), strict=True)
    return [_point(number, vector, terms) for number, vector, terms in made]


def _point(number: int, vector: npt.NDArray[np.float32], terms: SparseVector) -> VectorPoint:
    document = number // _CHUNKS_A_DOCUMENT
    seen_by = (f"u:{document % 50}", f"g:{document % _GROUPS}")
    return VectorPoint(str(uuid.UUID(int=number)), f"document-{document}", seen_by, vector, terms)


def _terms(drawn: np.random.Generator, count: int, terms: int) -> list[SparseVector]:
    numbers = np.minimum(drawn.zipf(1.3, size=(count, terms)), _VOCABULARY) * 2_654_435_761 % 2**32
    rows = map(np.unique, numbers)
    return [SparseVector(tuple(row.tolist()), (1.0,) * len(row)) for row in rows]


def _unit(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
