"""Calls to a Qdrant server: the client, what is told of failures, and what is tried again.

Everything that the store asks for can be asked for twice: points are written and deleted by their ids, keywords are set.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import httpx
from qdrant_client import AsyncQdrantClient
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from youworker_app.core.telemetry import correlation_id, get_logger
from youworker_app.gateways.vectors.errors import VectorIndexLost, VectorKeyRefused, VectorStoreAway

log = get_logger(__name__)
Answer = TypeVar("Answer")

_ATTEMPTS = 3
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 1.0
_TOLD: dict[int | None, type[VectorStoreAway]] = {
    401: VectorKeyRefused,
    403: VectorKeyRefused,
    404: VectorIndexLost,  # every path that is asked for after `prepare` is below the collection
}
_PASSING = frozenset({500, 502, 503, 504})


def connect(url: str, api_key: str, timeout_s: float) -> AsyncQdrantClient:
    """A client for a server, not yet connected. `timeout_s` bounds each call; an empty key means none."""
    return AsyncQdrantClient(
        url=url,
        api_key=api_key or None,
        timeout=max(1, round(timeout_s)),
        # The client's own version check would ask at once and warn; `prepare` asks itself.
        check_compatibility=False,
        # Vectors go to this address alone: no proxy from the environment.
        trust_env=False,
        event_hooks={"request": [_carry_correlation]},
    )


async def asked(call: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer, asked for again where the connection broke or the server stumbled. Raises VectorStoreAway.

    Not after a time limit: who is slow is not helped by being asked more often.
    """
    attempts = AsyncRetrying(
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_exponential_jitter(multiplier=_FIRST_WAIT_S, max=_LONGEST_WAIT_S, jitter=_FIRST_WAIT_S),
        retry=retry_if_exception(_passes),
        reraise=True,
    )
    async with translated():
        return await attempts(call)


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """What goes wrong on the way to the server, in this product's words."""
    try:
        yield
    except (ApiException, QdrantException, httpx.HTTPError) as error:
        status = error.status_code if isinstance(error, UnexpectedResponse) else None
        # The class alone: the client puts the server's whole answer into the text.
        log.warning("vector_server_failed", kind=type(_cause(error)).__name__, status=status)
        raise _TOLD.get(status, VectorStoreAway) from error


def _passes(error: BaseException) -> bool:
    if isinstance(error, UnexpectedResponse):
        return error.status_code in _PASSING
    cause = _cause(error)
    return isinstance(cause, httpx.TransportError) and not isinstance(cause, httpx.TimeoutException)


def _cause(error: BaseException) -> BaseException:
    return error.source if isinstance(error, ResponseHandlingException) else error


async def _carry_correlation(request: httpx.Request) -> None:
    if current := correlation_id.get():
        request.headers["X-Correlation-ID"] = current
