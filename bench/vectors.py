"""Finding: how fast the embedded vector store writes and searches, and how long it holds the event loop meanwhile.

    python -m bench.vectors [--points 20000] [--documents 1000]

Random vectors of 384 dimensions and 70 Zipf-distributed terms a point; ten users, five groups, searches as a user in
two groups (about half of the points). Prints one line a figure.
"""

import argparse
import asyncio
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np

from youworker_app.gateways.vectors.embedded import EmbeddedVectorStore
from youworker_app.gateways.vectors.protocol import IndexInfo, SparseVector, VectorPoint, mint_access_filter

INFO = IndexInfo("random", 384)
TERMS, VOCABULARY = 70, 60_000


class LoopLag:
    """How late a task wakes that wants to wake each millisecond, in seconds."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            start = time.perf_counter()
            await asyncio.sleep(0.001)
            self.late.append(time.perf_counter() - start - 0.001)

    def take(self) -> list[float]:
        """What was measured since the last call."""
        taken, self.late = self.late, []
        return taken

    def stop(self) -> None:
        self._task.cancel()


def make_points(count: int, documents: int, rng: np.random.Generator) -> list[list[VectorPoint]]:
    """The points, document by document."""
    made: list[list[VectorPoint]] = [[] for _ in range(documents)]
    for number in range(count):
        document = number % documents
        made[document].append(
            VectorPoint(
                str(uuid.UUID(int=number)),
                f"document-{document}",
                (f"u:{document % 10}", *((f"g:{document % 5}",) if document % 2 else ())),
                rng.normal(size=INFO.dimension).astype(np.float32),
                make_sparse(TERMS, rng),
            )
        )
    return made


def make_sparse(terms: int, rng: np.random.Generator) -> SparseVector:
    drawn = np.unique(np.minimum(rng.zipf(1.3, size=terms), VOCABULARY)) * 2_654_435_761 % 2**32
    return SparseVector(tuple(drawn.tolist()), (1.0,) * len(drawn))


def tell(name: str, seconds: list[float], lag: list[float]) -> None:
    p50, p95 = np.percentile(seconds, [50, 95]) * 1000
    late = np.percentile(lag, 95) * 1000 if lag else 0.0
    print(f"{name}: p50 {p50:.2f} ms, p95 {p95:.2f} ms; loop lag p95 {late:.2f} ms")


async def timed(name: str, lag: LoopLag, times: int, call: Callable[[], Awaitable[object]]) -> None:
    lag.take()
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        await call()
        seconds.append(time.perf_counter() - start)
    tell(name, seconds, lag.take())


async def main() -> None:
    """Writes, searches, moves, deletes, counts, closes and opens again."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=20_000)
    parser.add_argument("--documents", type=int, default=1_000)
    chosen = parser.parse_args()
    rng = np.random.default_rng(1)
    documents = make_points(chosen.points, chosen.documents, rng)
    with tempfile.TemporaryDirectory() as folder:
        await measure(Path(folder), documents, rng)


async def measure(folder: Path, documents: list[list[VectorPoint]], rng: np.random.Generator) -> None:
    """All figures for one set of points."""
    store, lag = EmbeddedVectorStore(folder), LoopLag()
    await store.prepare(INFO)
    start = time.perf_counter()
    await store.upsert([point for document in documents[::2] for point in document])
    some = sum(map(len, documents[::2]))
    print(f"one write: {some / (time.perf_counter() - start):.0f} points/s")
    waiting = iter(documents[1::2])
    await timed("write a document", lag, len(documents[1::2]), lambda: store.upsert(next(waiting)))
    ann = mint_access_filter({"u:3", "g:1", "g:2"})

    def dense() -> Awaitable[object]:
        return store.search_dense(rng.normal(size=INFO.dimension).astype(np.float32), ann, limit=100)

    def sparse() -> Awaitable[object]:
        return store.search_sparse(make_sparse(8, rng), ann, limit=100)

    await timed("dense search", lag, 500, dense)
    await timed("sparse search", lag, 500, sparse)
    writing = asyncio.create_task(write_again(store, documents))
    await timed("dense search while writing", lag, 300, dense)
    await timed("sparse search while writing", lag, 300, sparse)
    writing.cancel()
    numbers = iter(range(200))
    await timed(
        "set visibility", lag, 100, lambda: store.set_visibility(f"document-{next(numbers)}", ["u:9"])
    )
    await timed("delete a document", lag, 100, lambda: store.delete_document(f"document-{next(numbers)}"))
    await timed("count by document", lag, 10, store.count_by_document)
    lag.stop()
    await timed("close", lag, 1, store.close)
    again = EmbeddedVectorStore(folder)
    await timed("open", lag, 1, lambda: again.prepare(INFO))
    await again.close()


async def write_again(store: EmbeddedVectorStore, documents: list[list[VectorPoint]]) -> None:
    while True:
        for document in documents:
            await store.upsert(document)


if __name__ == "__main__":
    asyncio.run(main())
