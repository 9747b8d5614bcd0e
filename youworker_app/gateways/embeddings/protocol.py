"""What every embedding model fulfils. Owns no model; callers hold this type, wiring picks one."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into vectors of length 1, so that a dot product is their cosine.

    Documents and queries are kept apart because some models want them marked. Every method but `close` may
    raise the errors of `errors.py`.
    """

    @property
    def model_id(self) -> str:
        """Names the space the vectors lie in; vectors of two ids cannot be compared."""
        ...

    async def dimension(self) -> int:
        """How many numbers a vector has."""
        ...

    async def measure(self) -> int:
        """How many numbers a vector has now, as the model itself shows; what was remembered is forgotten."""
        ...

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """One row for each text, shape (len(texts), dimension), L2-normalised rows."""
        ...

    async def embed_query(self, text: str) -> Vectors:
        """Shape (dimension,), L2-normalised; answers soon even while documents are being embedded."""
        ...

    async def close(self) -> None:
        """Frees threads and connections; the embedder is not used afterwards."""
        ...
