"""Which of Ollama's models can answer here: asked of Ollama, remembered for a few seconds.

Owns the list and its filters. Asks no model anything.
"""

import asyncio
import time
from collections.abc import Sequence

import httpx
import ollama

from youworker_app.core.telemetry import get_logger
from youworker_app.gateways.llm.errors import ModelAway
from youworker_app.gateways.llm.protocol import ModelInfo

log = get_logger(__name__)

_FRESH_FOR_S = 5.0
_CALL_TIMEOUT_S = 10.0
_MOST_AT_ONCE = 4
# The last three: something else than Ollama answers at that address.
_AWAY = (
    TimeoutError,
    ConnectionError,
    httpx.TransportError,
    ollama.ResponseError,
    ValueError,
    TypeError,
    AttributeError,
)
# Families that only embed, for an Ollama too old to tell capabilities.
_EMBEDDING_FAMILIES = frozenset({"bert", "nomic-bert", "nomic-bert-moe"})


def is_remote(model: str) -> bool:
    """Ollama's cloud models look local and send the conversation to another company: not for this product."""
    tag = model.rpartition(":")[2]
    return tag == "cloud" or tag.endswith("-cloud")


class OllamaCatalogue:
    """The chat-capable models. `context_tokens` is what is asked of Ollama: no model offers more here."""

    def __init__(self, client: ollama.AsyncClient, address: str, *, context_tokens: int) -> None:
        self._client = client
        self._address = address
        self._context_tokens = context_tokens
        self._asking = asyncio.Lock()
        self._few = asyncio.Semaphore(_MOST_AT_ONCE)
        self._shown: dict[str, ollama.ShowResponse] = {}
        self._asked_at = float("-inf")
        self._known: list[ModelInfo] | None = None

    async def list_models(self) -> list[ModelInfo]:
        """Sorted by name. Raises ModelAway. What was found (or that nobody is there) holds for 5 seconds."""
        async with self._asking:
            if time.monotonic() - self._asked_at > _FRESH_FOR_S:
                self._known = await self._ask()
                self._asked_at = time.monotonic()
        if self._known is None:
            raise ModelAway(url=self._address)
        return list(self._known)

    async def _ask(self) -> list[ModelInfo] | None:
        """None when Ollama cannot be reached."""
        try:
            async with asyncio.timeout(_CALL_TIMEOUT_S):
                listed = (await self._client.list()).models
                found = await asyncio.gather(*(self._info(entry) for entry in listed))
        except _AWAY as error:
            log.info("models_unreachable", reason=type(error).__name__)
            return None
        self._forget_others(listed)
        return sorted((info for info in found if info), key=lambda info: info.name)

    async def _info(self, entry: ollama.ListResponse.Model) -> ModelInfo | None:
        """None for a model that cannot chat, that went away meanwhile, or that does not run here."""
        if not entry.model or is_remote(entry.model):
            return None
        try:
            shown = await self._show(entry)
        except ollama.ResponseError as error:
            log.warning("model_not_shown", model=entry.model, status=error.status_code)
            return None
        capabilities = _capabilities(shown)
        if "completion" not in capabilities:
            return None
        size = int(entry.size) if entry.size is not None else None
        return ModelInfo(entry.model, self._context_length(shown), capabilities, size)

    async def _show(self, entry: ollama.ListResponse.Model) -> ollama.ShowResponse:
        """Asked once for each digest: the same digest is the same model."""
        key = entry.digest or entry.model or ""
        if key not in self._shown:
            async with self._few:
                self._shown[key] = await self._client.show(entry.model or "")
        return self._shown[key]

    def _context_length(self, shown: ollama.ShowResponse) -> int | None:
        lengths = [
            value
            for name, value in (shown.modelinfo or {}).items()
            if name.endswith(".context_length") and isinstance(value, int)
        ]
        return min(*lengths, self._context_tokens) if lengths else None

    def _forget_others(self, listed: Sequence[ollama.ListResponse.Model]) -> None:
        current = {entry.digest or entry.model for entry in listed}
        self._shown = {key: shown for key, shown in self._shown.items() if key in current}


def _capabilities(shown: ollama.ShowResponse) -> frozenset[str]:
    if shown.capabilities:
        return frozenset(shown.capabilities)
    family = shown.details.family if shown.details else None
    return frozenset() if family in _EMBEDDING_FAMILIES else frozenset({"completion"})
