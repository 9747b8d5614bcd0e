"""Embeddings by a model that Ollama serves.

Owns the calls, their batches, time limits and repeats, and the translation of what goes wrong. Knows nothing
of documents.
"""

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

import httpx
import numpy as np
import ollama
import orjson
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from youworker_app.core.telemetry import correlation_id
from youworker_app.gateways.embeddings.errors import (
    EmbeddingAway,
    EmbeddingDimensionChanged,
    EmbeddingFailed,
    EmbeddingModelMissing,
    EmbeddingOutOfMemory,
    EmbeddingSlow,
)
from youworker_app.gateways.embeddings.protocol import Vectors

_BATCH = 32  # as many as ingestion notes at once: a call each costs more than what it carries
_ATTEMPTS = 3
_MAX_REASON = 200
# What Ollama's client raises when something else answers at that address.
_NOT_OLLAMA = (ValueError, TypeError, AttributeError, KeyError)
_JSON = {"Content-Type": "application/json"}

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

    def __init__(self, url: str, model: str, *, timeout_s: float = 60, connect_timeout_s: float = 2) -> None:
        # Without name and password that it may carry: this one is shown.
        self._address = urlsplit(url).netloc.rpartition("@")[2]
        self._model = model
        self._timeout_s = timeout_s
        self._document_prefix, self._query_prefix = _PREFIXES.get(_family(model), ("", ""))
        self._dimension: int | None = None
        self._client = ollama.AsyncClient(
            url,
            timeout=httpx.Timeout(timeout_s, connect=connect_timeout_s),
            # Texts go to this address alone: no proxy from the environment, no redirect.
            trust_env=False,
            follow_redirects=False,
            event_hooks={"request": [_carry_correlation]},
        )

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
        await self._client.close()  # type: ignore[no-untyped-call]

    async def _embed(self, texts: Sequence[str]) -> Vectors:
        attempts = AsyncRetrying(
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_exponential(multiplier=0.1, max=2),
            retry=retry_if_exception_type(EmbeddingAway),
            reraise=True,
        )
        return self._checked(await attempts(self._request, texts), len(texts))

    async def _request(self, texts: Sequence[str]) -> Vectors:
        # Half a surrogate pair cannot be sent as JSON in UTF-8.
        clean = [text.encode(errors="replace").decode() for text in texts]
        try:
            # The limit of httpx is on each read; this one is on the whole call.
            async with asyncio.timeout(self._timeout_s):
                answer = await self._post({"model": self._model, "input": clean})
            rows: Vectors = np.asarray(orjson.loads(answer)["embeddings"], dtype=np.float32)
            return rows
        except ollama.ResponseError as error:
            raise self._translated(error) from error
        except (TimeoutError, httpx.ReadTimeout) as error:
            raise EmbeddingSlow(model=self._model, seconds=self._timeout_s) from error
        except (ConnectionError, httpx.TransportError) as error:
            raise EmbeddingAway(url=self._address) from error
        except _NOT_OLLAMA as error:
            raise EmbeddingFailed(model=self._model, reason="its answer is not Ollama's") from error

    async def _post(self, body: dict[str, object]) -> bytes:
        """`POST /api/embed` past Ollama's own client, which looks at each number: a third of a call."""
        response = await self._client._client.post("/api/embed", content=orjson.dumps(body), headers=_JSON)
        try:
            response.raise_for_status()
        except httpx.HTTPStatusError as error:
            raise ollama.ResponseError(response.text, response.status_code) from error
        content: bytes = response.content
        return content

    def _translated(self, error: ollama.ResponseError) -> Exception:
        if error.status_code == 404:
            return EmbeddingModelMissing(model=self._model)
        if error.status_code in {502, 503, 504}:
            return EmbeddingAway(url=self._address)
        reason = " ".join(str(error.error).split())[:_MAX_REASON]
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


async def _carry_correlation(request: httpx.Request) -> None:
    if current := correlation_id.get():
        request.headers["X-Correlation-ID"] = current
