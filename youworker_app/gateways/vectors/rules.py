"""What holds for every vector store alike: what a point must be, when there is nothing to look for, how hits
are ordered. Knows no store.
"""

from collections.abc import Collection, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from youworker_app.gateways.vectors.errors import IndexMismatch
from youworker_app.gateways.vectors.fields import DENSE as DENSE
from youworker_app.gateways.vectors.fields import DOCUMENT as DOCUMENT
from youworker_app.gateways.vectors.fields import SPARE_VALUES as SPARE_VALUES
from youworker_app.gateways.vectors.fields import SPARSE as SPARSE
from youworker_app.gateways.vectors.fields import VISIBILITY as VISIBILITY
from youworker_app.gateways.vectors.protocol import AccessFilter, IndexInfo, VectorHit, VectorPoint

MAX_TERM_ID = 2**32 - 1


def check_points(points: Iterable[VectorPoint], dimension: int) -> None:
    """Raises ValueError for a point that a store would take and never find again."""
    for point in points:
        check_dense(point.dense, dimension)
        terms, weights = point.sparse.indices, point.sparse.values
        if len(terms) != len(weights) or len(set(terms)) != len(terms):
            raise ValueError("a sparse vector needs one weight for each term, and each term once")
        if terms and not 0 <= min(terms) <= max(terms) <= MAX_TERM_ID:
            raise ValueError("term ids are unsigned 32 bit numbers")


def check_dense(vector: NDArray[np.float32], dimension: int) -> None:
    """Raises ValueError unless the vector has shape (dimension,) and finite numbers."""
    if vector.shape != (dimension,):
        raise ValueError(f"a vector of shape {vector.shape} does not fit an index of dimension {dimension}")
    if not np.isfinite(vector).all():
        raise ValueError("a vector holds a number that is not finite")


def check_same(made: IndexInfo, configured: IndexInfo) -> None:
    """Raises IndexMismatch when the index holds another model's vectors."""
    if made != configured:
        raise IndexMismatch(
            made_with=made.model_id,
            made_dimension=made.dimension,
            configured=configured.model_id,
            dimension=configured.dimension,
        )


def finds_nothing(access: AccessFilter, limit: int, document_ids: Collection[str] | None) -> bool:
    """True when no point can be a hit. Asked first: a store may read an empty condition as none."""
    return not access.visibility or limit <= 0 or (document_ids is not None and not document_ids)


def best_first(hits: Iterable[VectorHit]) -> list[VectorHit]:
    """Hits by score, equal scores by chunk id, so that the same question gives the same order."""
    return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))


def batches(points: Sequence[VectorPoint], size: int) -> Iterable[Sequence[VectorPoint]]:
    """The points in runs of at most `size`."""
    for start in range(0, len(points), size):
        yield points[start : start + size]
