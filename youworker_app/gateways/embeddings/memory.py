"""An embedder for tests: words hashed into a few numbers. The same text gives the same vector everywhere."""

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from youworker_app.gateways.embeddings.protocol import Vectors

DIMENSION = 64


class InMemoryEmbedder:
    """An `Embedder` in which texts that share words are similar. Counts what it was asked."""

    def __init__(self, model_id: str = "memory-words-64") -> None:
        self._model_id = model_id
        self.document_calls = 0
        self.texts_embedded = 0
        self.query_calls = 0
        self.closed = False

    @property
    def model_id(self) -> str:
        return self._model_id

    async def dimension(self) -> int:
        return DIMENSION

    async def measure(self) -> int:
        return DIMENSION

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        self.document_calls += 1
        self.texts_embedded += len(texts)
        return np.array([_vector(text) for text in texts], dtype=np.float32).reshape(len(texts), DIMENSION)

    async def embed_query(self, text: str) -> Vectors:
        self.query_calls += 1
        return _vector(text)

    async def close(self) -> None:
        self.closed = True


def _vector(text: str) -> Vectors:
    # Starts above zero, so that a text without words has a direction too.
    counts = np.full(DIMENSION, 0.01, dtype=np.float32)
    for word in re.findall(r"\w+", text.lower()):
        digest = hashlib.blake2b(word.encode(errors="replace"), digest_size=2).digest()
        counts[int.from_bytes(digest) % DIMENSION] += 1
    vector: Vectors = counts / np.linalg.norm(counts)
    return vector
