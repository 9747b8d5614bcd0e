"""Embeddings by a model that Ollama serves.

Owns the calls, their batches, time limits and repeats, and the translation of what goes wrong. Knows nothing
of documents.
"""

import asyncio
from collections.abc import Sequence

import aiohttp
import numpy as np
import orjson
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from youworker_app.core.errors import AppError
from youworker_app.gateways.embeddings.errors import (
    EmbeddingAway,
    EmbeddingDimensionChanged,
    EmbeddingFailed,
    EmbeddingModelMissing,
    EmbeddingOutOfMemory,
    EmbeddingSlow,
)
from youworker_app.gateways.embeddings.protocol import Vectors
from youworker_app.gateways.ollama_http import NotOllama, OllamaHttp, Refused, sendable

_BATCH = 32  # as many as ingestion notes at once: a call each costs more than what it carries
_ATTEMPTS = 3
_MAX_REASON = 200
# A batch of vectors of 16,384 numbers, each with 25 characters, is half of it.
_MOST_BYTES = 32 * 1024 * 1024

# (document, query) marks that these models were trained with, from their model cards; Ollama does not add
# them.
_PREFIXES = {
    "nomic-embed-text": ("search_document: ", "search_query: "),
    "mxbai-embed-large": ("", "Represent this sentence for searching relevant passages: "),
    "snowflake-arctic-embed": ("", "Represent this sentence for searching relevant passages: "),
    "snowflake-arctic-embed2": ("", "query: "),
}


class OllamaEmbedder:
    """An `Embedder` over `POST /api/embed`, repeated twice when Ollama cannot be reached (that is
    harmless)."""

    def __init__(
        self,
        url: str,
        model: str,
        *,
        timeout_s: float = 60,
        connect_timeout_s: float = 2,
        api_key: str = "",
    ) -> None:
        self._model = model
        self._timeout_s = timeout_s
        self._document_prefix, self._query_prefix = _PREFIXES.get(_family(model), ("", ""))
        self._dimension: int | None = None
        self._http = OllamaHttp(url, connect_timeout_s=connect_timeout_s, api_key=api_key)

    @property
    def model_id(self) -> str:
        return f"ollama:{self._model}"

    async def dimension(self) -> int:
        if self._dimension is None:
            await self._embed(["dimension"])
        return self._dimension or 0

    async def measure(self) -> int:
        self._dimension = None
        return await self.dimension()

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        marked = [self._document_prefix + text for text in texts]
        parts = [await self._embed(marked[start : start + _BATCH]) for start in range(0, len(marked), _BATCH)]
        return np.concatenate(parts) if parts else np.empty((0, await self.dimension()), dtype=np.float32)

    async def embed_query(self, text: str) -> Vectors:
        vector: Vectors = (await self._embed([self._query_prefix + text]))[0]
        return vector

    async def close(self) -> None:
        await self._http.close()

    async def _embed(self, texts: Sequence[str]) -> Vectors:
        attempts = AsyncRetrying(
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_exponential(multiplier=0.1, max=2),
            retry=retry_if_exception_type(EmbeddingAway),
            reraise=True,
        )
        return self._checked(await attempts(self._request, texts), len(texts))

    async def _request(self, texts: Sequence[str]) -> Vectors:
        body = {"model": sendable(self._model), "input": [sendable(text) for text in texts]}
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._http.ask("/api/embed", body, most=_MOST_BYTES)
            return _rows(answer)
        except Refused as error:
            raise self._translated(error) from error
        # Before TimeoutError: a connection that is not made in time is one of both.
        except (aiohttp.ClientError, ConnectionError) as error:
            raise EmbeddingAway(url=self._http.address) from error
        except TimeoutError as error:
            raise EmbeddingSlow(model=self._model, seconds=self._timeout_s) from error
        except NotOllama as error:
            raise EmbeddingFailed(model=self._model, reason="its answer is not Ollama's") from error

    def _translated(self, error: Refused) -> AppError:
        if error.status == 404:
            return EmbeddingModelMissing(model=self._model)
        if error.status in {502, 503, 504}:
            return EmbeddingAway(url=self._http.address)
        reason = " ".join(error.reason.split())[:_MAX_REASON]
        if "memory" in reason.lower():
            return EmbeddingOutOfMemory(model=self._model)
        return EmbeddingFailed(model=self._model, reason=reason)

    def _checked(self, rows: Vectors, expected: int) -> Vectors:
        if rows.ndim != 2 or len(rows) != expected:
            raise EmbeddingFailed(model=self._model, reason=f"{rows.size} numbers for {expected} texts")
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        if not np.isfinite(norms).all() or not norms.all():
            raise EmbeddingFailed(model=self._model, reason="a vector without direction")
        self._dimension = self._dimension or rows.shape[1]
        if rows.shape[1] != self._dimension:
            raise EmbeddingDimensionChanged(model=self._model, expected=self._dimension, found=rows.shape[1])
        normalised: Vectors = rows / norms
        return normalised


def _family(model: str) -> str:
    """`library/nomic-embed-text:v1.5` is of the family `nomic-embed-text`."""
    return model.rsplit("/", 1)[-1].split(":", 1)[0]


def _rows(answer: bytes) -> Vectors:
    """Raises NotOllama."""
    try:
        rows: Vectors = np.asarray(orjson.loads(answer)["embeddings"], dtype=np.float32)
        return rows
    except (ValueError, TypeError, LookupError) as error:
        raise NotOllama from error
