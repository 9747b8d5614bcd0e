"""The built-in embedder: all-MiniLM-L6-v2, int8, on the processor, without torch.

Owns the onnxruntime session, the tokenizer and the two threads that use them. Does not build or store the
graph (`model_files`).
"""

import asyncio
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from youworker_app.core.disk import disk_errors
from youworker_app.core.memory import give_back_freed
from youworker_app.core.telemetry import get_logger
from youworker_app.gateways.embeddings.graph_facts import DIMENSION
from youworker_app.gateways.embeddings.model_files import ensure_graph, package_folder
from youworker_app.gateways.embeddings.protocol import Vectors

log = get_logger(__name__)

# The length the model was trained for. Its tokenizer.json says 128, which would drop the second half of a
# chunk.
_MAX_TOKENS = 256
# Far more than 256 tokens can need; spares the tokenizer a megabyte of which it keeps the first page.
_MAX_CHARS = 16_384
_NICE = 10  # a tenth of the processor where others want all of it, all where they do not


@dataclass(frozen=True)
class _Engine:
    """Session and tokenizer; both are safe to use from several threads at once."""

    session: Any
    tokenizer: Any

    def embed(self, text: str) -> Vectors:
        """One text, shape (384,). One at a time is fastest and smallest: batches of 8 take a third longer."""
        # Half a surrogate pair, as broken PDFs hold, cannot cross into the tokenizer.
        clean = text[:_MAX_CHARS].encode(errors="replace").decode()
        ids = np.array([self.tokenizer.encode(clean).ids], dtype=np.int64)
        vector: Vectors = self.session.run(["vectors"], {"ids": ids})[0][0]
        return vector


class MiniLMEmbedder:
    """An `Embedder`; loads at first use (0.1 s, 70 MB), or at `warm`.

    `cache` is the folder for the graph, `threads` the cores that one text is spread over (1: 98 chunks of 223
    tokens a second; 2: 175). Raises EmbeddingNotInstalled.
    """

    model_id = "minilm-l6-v2-int8"

    def __init__(self, cache: Path, *, threads: int = 1) -> None:
        self._cache = cache
        self._threads = threads
        self._loading = asyncio.Lock()
        self._engine: _Engine | None = None
        # Two threads, not a queue: a question starts at once beside the text being embedded, however many
        # wait.
        self._documents = ThreadPoolExecutor(1, thread_name_prefix="embed-documents", initializer=_give_way)
        self._queries = ThreadPoolExecutor(1, thread_name_prefix="embed-query")

    async def warm(self) -> None:
        """Builds the graph if needed and loads it, so that the first question does not wait."""
        await self._loaded()

    async def dimension(self) -> int:
        return DIMENSION

    async def measure(self) -> int:
        return DIMENSION

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        engine = await self._loaded()
        loop = asyncio.get_running_loop()
        rows = np.empty((len(texts), DIMENSION), dtype=np.float32)
        # One hand-over a text: documents embedded at the same time take turns, and a cancelled one stops at
        # once.
        for index, text in enumerate(texts):
            rows[index] = await loop.run_in_executor(self._documents, engine.embed, text)
        return rows

    async def embed_query(self, text: str) -> Vectors:
        engine = await self._loaded()
        return await asyncio.get_running_loop().run_in_executor(self._queries, engine.embed, text)

    async def close(self) -> None:
        for executor in (self._documents, self._queries):
            await asyncio.to_thread(executor.shutdown, cancel_futures=True)
        self._engine = None

    async def _loaded(self) -> _Engine:
        async with self._loading:
            if self._engine is None:
                self._engine = await asyncio.to_thread(_load, self._cache, self._threads)
            return self._engine


def _give_way() -> None:
    """In the thread of documents: whoever waits for an answer is served first. On Linux a thread has a niceness of its own."""
    with suppress(OSError):  # elsewhere there is no such thread to the system
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def _load(cache: Path, threads: int) -> _Engine:
    # 25 MB that a server pays with its first text, and never where Ollama embeds.
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # The arena keeps the largest batch ever seen; without it memory stays near 110 MB for the whole process.
    options.enable_cpu_mem_arena = False
    with disk_errors():
        graph = str(ensure_graph(cache))
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(package_folder() / "tokenizer.json"))
    tokenizer.enable_truncation(_MAX_TOKENS)
    tokenizer.no_padding()
    give_back_freed()
    log.info("embedding_model_loaded", model=MiniLMEmbedder.model_id, threads=threads)
    return _Engine(session, tokenizer)
