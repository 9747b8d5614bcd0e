"""Finding: what the embedded vector store gives and takes at a size: search, writing, memory, the event loop meanwhile.

    python -m bench.vectors [--points 13000]

Everything is drawn from seeds. Vectors of 384 dimensions lie around 2,000 centres; a point has 60 terms, a question 6, of
50,000 that follow Zipf and Mandelbrot's law, 1 / (rank + 20): the commonest stands in a third of the points, as in texts
without stop words. Fifty points are a document; one group sees all of them (the widest filter), each of fifty owners a
fiftieth. Memory is the proportional set size of this process and of the index's. At 1,000,000 points it takes some
5 minutes, 4 GB and 5 GB of disk.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from youworker_app.gateways.vectors.embedded import EmbeddedVectorStore
from youworker_app.gateways.vectors.protocol import (
    AccessFilter,
    IndexInfo,
    SparseVector,
    VectorPoint,
    mint_access_filter,
)

INFO = IndexInfo("drawn", 384)
VOCABULARY, TERMS, ASKED_TERMS, CENTRES = 50_000, 60, 6, 2_000
BATCH, DEPTH, SEARCHES = 256, 100, 200
CHECKED = 20
"""Questions whose hundred nearest are compared with the exact ones."""
WIDE, NARROW = mint_access_filter({"g:all", "u:7"}), mint_access_filter({"u:7"})
NEVER = 10**9

Array = NDArray[np.float32]


class Drawn:
    """Points and questions, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._centres = np.random.default_rng(1).normal(size=(CENTRES, INFO.dimension)).astype(np.float32)
        weights = 1 / (np.arange(VOCABULARY) + 21.0)
        self._cumulated = np.cumsum(weights / weights.sum())
        self._ids = np.random.default_rng(2).choice(2**32, VOCABULARY, replace=False)

    def vectors(self, count: int) -> Array:
        """Shape (count, 384), of length 1."""
        noise = self._rng.standard_normal((count, INFO.dimension), dtype=np.float32)
        drawn = self._centres[self._rng.integers(0, CENTRES, count)] + noise
        return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)

    def terms(self, count: int) -> SparseVector:
        """Up to `count` different terms."""
        ranks = np.unique(np.searchsorted(self._cumulated, self._rng.random(count)).clip(max=VOCABULARY - 1))
        weights = self._rng.uniform(0.5, 1.5, len(ranks))
        return SparseVector(tuple(self._ids[ranks].tolist()), tuple(weights.tolist()))

    def points(self, first: int, vectors: Array) -> list[VectorPoint]:
        """One point a vector."""
        return [
            VectorPoint(
                str(UUID(int=number)),
                str(UUID(int=number // 50)),
                (f"u:{number // 50 % 50}", "g:all"),
                vector,
                self.terms(TERMS),
            )
            for number, vector in enumerate(vectors, first)
        ]


class LoopLag:
    """How late a task wakes that wants to wake each millisecond, in seconds."""

    def __init__(self) -> None:
        self._late: list[float] = []
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            start = time.perf_counter()
            await asyncio.sleep(0.001)
            self._late.append(time.perf_counter() - start - 0.001)

    def take(self) -> list[float]:
        """What was measured since the last call."""
        taken, self._late = self._late, []
        return taken

    async def forget(self) -> None:
        """Leaves out what the drawing of points has cost the loop."""
        await asyncio.sleep(0.002)
        self.take()

    def stop(self) -> None:
        """Watches no more."""
        self._task.cancel()


def measure(points: int, *, renews: bool = True) -> dict[str, float]:
    """All figures for so many points: milliseconds, seconds, points a second, KB a point, as the names say.

    `renews`: the index is opened again and written anew at the end, which takes minutes for a million.
    """
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measured(Path(folder), points, renews=renews))


async def _measured(folder: Path, points: int, *, renews: bool) -> dict[str, float]:
    store, figures = EmbeddedVectorStore(folder, renew_after_s=NEVER), dict[str, float]()
    await store.prepare(INFO)
    asked = Drawn(4)
    questions = asked.vectors(CHECKED)
    empty_mb, lag = _memory_mb(store), LoopLag()
    figures["process_mb"] = _memory_of(store.process_id) / 1024
    nearest = await _fill(store, points, questions, lag, figures)
    figures["memory_kb_a_point"] = (_memory_mb(store) - empty_mb) * 1024 / points
    figures["recall_at_100"] = await _recall(store, questions, nearest)
    lag.take()
    for name, access in (("wide", WIDE), ("narrow", NARROW)):
        await _searched(store, asked, access, name, figures)
    figures["search_lag_p95_ms"] = _p95_ms(lag.take())
    writing = asyncio.create_task(_write_again(store, points))
    await _timed("busy_hybrid", figures, lambda: _hybrid(store, asked, WIDE))
    writing.cancel()
    figures["busy_lag_p95_ms"] = _p95_ms(lag.take())
    lag.stop()
    await _once("move_ms", figures, store.set_visibility(str(UUID(int=1)), ["u:1"]))
    await _once("delete_ms", figures, store.delete_document(str(UUID(int=1))))
    await _once("count_ms", figures, store.count_by_document())
    await _once("close_ms", figures, store.close())
    if renews:
        await _renewed(folder, points, figures["process_mb"] * 1024, figures)
    return figures


async def _fill(
    store: EmbeddedVectorStore, points: int, questions: Array, lag: LoopLag, figures: dict[str, float]
) -> Array:
    """Writes the points. Returns the score of each question's hundredth nearest, shape (questions,)."""
    drawn, best, spent = Drawn(3), np.full((len(questions), 0), -1, np.float32), 0.0
    late: list[float] = []
    for first in range(0, points, BATCH):
        vectors = drawn.vectors(min(BATCH, points - first))
        best = np.sort(np.hstack([best, questions @ vectors.T]), axis=1)[:, -DEPTH:]
        made = drawn.points(first, vectors)
        await lag.forget()
        start = time.perf_counter()
        await store.upsert(made)
        spent += time.perf_counter() - start
        late += lag.take()
    figures["write_points_a_s"] = points / spent
    figures["write_lag_p95_ms"] = _p95_ms(late)
    return np.asarray(best[:, 0])


async def _recall(store: EmbeddedVectorStore, questions: Array, nearest: Array) -> float:
    """Share of the hundred nearest that is found; the store keeps vectors to five digits."""
    found = 0
    for question, hundredth in zip(questions, nearest, strict=True):
        hits = await store.search_dense(question, WIDE, limit=DEPTH)
        found += sum(hit.score >= hundredth - 2e-5 for hit in hits)
    return found / (len(questions) * DEPTH)


async def _searched(
    store: EmbeddedVectorStore, asked: Drawn, access: AccessFilter, name: str, figures: dict[str, float]
) -> None:
    async def dense() -> None:
        await store.search_dense(asked.vectors(1)[0], access, limit=DEPTH)

    async def sparse() -> None:
        await store.search_sparse(asked.terms(ASKED_TERMS), access, limit=DEPTH)

    await _timed(f"{name}_dense", figures, dense)
    await _timed(f"{name}_sparse", figures, sparse)
    spent = _processor_s(store)
    await _timed(f"{name}_hybrid", figures, lambda: _hybrid(store, asked, access))
    figures[f"{name}_hybrid_processor_ms"] = (_processor_s(store) - spent) * 1000 / SEARCHES


async def _hybrid(store: EmbeddedVectorStore, asked: Drawn, access: AccessFilter) -> None:
    await asyncio.gather(
        store.search_dense(asked.vectors(1)[0], access, limit=DEPTH),
        store.search_sparse(asked.terms(ASKED_TERMS), access, limit=DEPTH),
    )


async def _write_again(store: EmbeddedVectorStore, points: int) -> None:
    drawn = Drawn(5)
    while True:
        for first in range(0, points, BATCH):
            await store.upsert(drawn.points(first, drawn.vectors(min(BATCH, points - first))))
            await asyncio.sleep(0.01)


async def _renewed(folder: Path, points: int, empty_kb: float, figures: dict[str, float]) -> None:
    """Opens again, and has the index written anew because of the deletion, while somebody searches."""
    store = EmbeddedVectorStore(folder, renew_after_s=0)
    await _once("open_ms", figures, store.prepare(INFO))
    figures["reopened_kb_a_point"] = (_memory_of(store.process_id) - empty_kb) / points
    asked, start, taken = Drawn(6), time.perf_counter(), list[float]()
    async for _ in _until_gone(folder / "deleted"):
        begun = time.perf_counter()
        await _hybrid(store, asked, WIDE)
        taken.append(time.perf_counter() - begun)
    figures["renewal_s"] = time.perf_counter() - start
    figures["renewal_hybrid_p95_ms"] = _p95_ms(taken)
    await store.close()


async def _until_gone(path: Path) -> AsyncIterator[None]:
    while await asyncio.to_thread(path.exists):
        yield
        await asyncio.sleep(0.05)


async def _timed(name: str, figures: dict[str, float], call: Callable[[], Awaitable[None]]) -> None:
    taken = []
    for _ in range(SEARCHES):
        start = time.perf_counter()
        await call()
        taken.append(time.perf_counter() - start)
    p50, p95 = np.percentile(taken, [50, 95]) * 1000
    figures[f"{name}_p50_ms"], figures[f"{name}_p95_ms"] = float(p50), float(p95)


async def _once(name: str, figures: dict[str, float], call: Awaitable[object]) -> None:
    start = time.perf_counter()
    await call
    figures[name] = (time.perf_counter() - start) * 1000


def _p95_ms(seconds: list[float]) -> float:
    return float(np.percentile(seconds, 95)) * 1000 if seconds else 0.0


def _memory_mb(store: EmbeddedVectorStore) -> float:
    return (_memory_of(os.getpid()) + _memory_of(store.process_id)) / 1024


def _memory_of(pid: int | None) -> float:
    """Proportional set size in KB: pages that several processes use are counted in parts."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _processor_s(store: EmbeddedVectorStore) -> float:
    fields = Path(f"/proc/{store.process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Prints one figure a line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=13_000)
    parser.add_argument("--no-renewal", action="store_true", help="leave out writing the index anew")
    asked = parser.parse_args()
    for name, value in measure(asked.points, renews=not asked.no_renewal).items():
        print(f"{name:28} {value:12,.2f}")


if __name__ == "__main__":
    main()
