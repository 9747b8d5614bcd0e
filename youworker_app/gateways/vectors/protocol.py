"""What a vector store is: its values, its filter and its Protocol.

A store holds ids, vectors and visibility keywords, never text. It decides nothing: who may see what is said
by the `AccessFilter`, which `youworker_app.access` alone makes, and every hit is read again from the database
before anyone sees it, because what a store holds can be stale.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray


@final
@dataclass(frozen=True, slots=True, init=False)
class AccessFilter:
    """The visibility keywords (`u:<user id>`, `g:<group id>`) of which a point needs one to be found.

    Cannot be made by calling it: `access` mints it. Empty means that nothing is found, never "no filter".
    """

    visibility: frozenset[str]

    def __init__(self, *_: object, **__: object) -> None:
        raise TypeError("An AccessFilter is minted by youworker_app.access from an actor, and nowhere else")


def mint_access_filter(visibility: Iterable[str]) -> AccessFilter:
    """A filter for these keywords. Only `youworker_app.access` may import this; a test sees to it.

    Raises:
        TypeError: for a single string, which would be read letter by letter.
        ValueError: for an empty keyword.
    """
    if isinstance(visibility, str):
        raise TypeError("visibility is a collection of keywords, not one string")
    keywords = frozenset(visibility)
    if "" in keywords:
        raise ValueError("an empty visibility keyword means nothing")
    minted = object.__new__(AccessFilter)
    object.__setattr__(minted, "visibility", keywords)
    return minted


@dataclass(frozen=True, slots=True)
class SparseVector:
    """Term ids (unsigned 32 bit, each once) and their weights, in the same order."""

    indices: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class VectorPoint:
    """One chunk: `chunk_id` (a UUID) is the point's id, so that writing it twice is writing it once.

    `dense` has shape (dimension,). `visibility` holds the keywords that may find it.
    """

    chunk_id: str
    document_id: str
    visibility: tuple[str, ...]
    dense: NDArray[np.float32]
    sparse: SparseVector


@dataclass(frozen=True, slots=True)
class VectorHit:
    """A chunk that was found. `score`: cosine (-1 to 1) if dense, BM25 (above 0) if sparse."""

    chunk_id: str
    document_id: str
    score: float


@dataclass(frozen=True, slots=True)
class StoredPoint:
    """What a store holds of a chunk beside its vectors."""

    chunk_id: str
    document_id: str
    visibility: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """Which embedding model filled the index, and how many dimensions its vectors have."""

    model_id: str
    dimension: int


class VectorStore(Protocol):
    """Keeps and searches the vectors. Every method raises VectorStoreAway when the store cannot be used.

    Searches return the best hits first, equal scores ordered by chunk id; no keyword, no limit or an empty
    collection of documents means no hits. A sparse hit shares at least one term with the query; its score is
    the BM25 weight of the document's terms times ln(1 + (n - df + 0.5) / (df + 0.5)), where n and df count
    only points that the filter lets through: rarity counted over everything would tell whether a word stands
    in documents that the asker may not see.
    """

    async def prepare(self, info: IndexInfo) -> None:
        """Opens the index, made anew when there is none; call once before anything else.

        Raises:
            IndexMismatch: it was made with another model or dimension.
            VectorFolderInUse, VectorIndexDamaged, VectorServerTooOld: as they say.
        """

    async def upsert(self, points: Sequence[VectorPoint]) -> None:
        """Writes the points, replacing those with the same id; safe on disk when it returns.

        Raises:
            ValueError: a vector has a wrong length or a number that is not finite.
        """

    async def search_dense(
        self,
        vector: NDArray[np.float32],
        access: AccessFilter,
        *,
        limit: int,
        document_ids: Collection[str] | None = None,
    ) -> list[VectorHit]:
        """The nearest by cosine. `vector` has shape (dimension,); `document_ids` None means all documents."""

    async def search_sparse(
        self,
        vector: SparseVector,
        access: AccessFilter,
        *,
        limit: int,
        document_ids: Collection[str] | None = None,
    ) -> list[VectorHit]:
        """The best by BM25."""

    async def set_visibility(self, document_id: str, visibility: Sequence[str]) -> None:
        """Gives all points of a document these keywords, in place of the former; the next search sees it."""

    async def delete_document(self, document_id: str) -> None:
        """Removes all points of a document; nothing happens when there are none."""

    async def count_by_document(self) -> dict[str, int]:
        """How many points each document has, counted exactly: compared with the database at start."""

    async def count_by_visibility(self) -> dict[str, int]:
        """How many points each keyword finds, counted exactly: compared with the database at start."""

    async def list_points(
        self, *, after: str | None = None, limit: int, document_id: str | None = None
    ) -> list[StoredPoint]:
        """Up to `limit` points whose chunk ids come after `after`, in the order of their chunk ids; of one document, or of all.

        A point that is there from the first page to the last one is on exactly one of them, whatever is written meanwhile.
        """

    async def delete_points(self, chunk_ids: Collection[str]) -> None:
        """Removes single points; nothing happens for those that are not there."""

    async def reset(self) -> None:
        """Drops everything, also an index that `prepare` refused. Call `prepare` next."""

    async def close(self) -> None:
        """Lets go of files and connections; may be called twice."""
