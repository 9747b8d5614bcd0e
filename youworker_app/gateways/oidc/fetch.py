"""Asks a provider over HTTP within bounds: a time for the whole answer, a size, no redirect, JSON or nothing."""

import asyncio
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import orjson

from youworker_app.gateways.oidc.protocol import ProviderAnswerWrong, ProviderAway

MOST_BYTES: Final = 256 * 1024
_HEADERS: Final = {"accept": "application/json", "accept-encoding": "identity"}


class BoundedHttp:
    """JSON objects from a provider. `ca_file` holds the certificates that its own is checked by; none: the usual ones."""

    def __init__(
        self,
        *,
        timeout_s: float,
        ca_file: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._timeout_s, self._ca_file, self._transport = timeout_s, ca_file, transport
        self._client: httpx.AsyncClient | None = (
            None  # reading certificates takes a while: only who signs in waits
        )

    async def get(self, url: str, *, bearer: str = "") -> Mapping[str, Any]:
        """Raises ProviderAway when there is no whole answer in time, ProviderAnswerWrong for one that cannot be used."""
        headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
        return await self._ask("GET", url, headers, b"")

    async def post(self, url: str, headers: Mapping[str, str], body: str) -> Mapping[str, Any]:
        """A form. Raises as `get` does."""
        form = {"content-type": "application/x-www-form-urlencoded", **headers}
        return await self._ask("POST", url, form, body.encode())

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def _ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, Any]:
        if self._client is None:
            self._client = self._opened()
        try:
            async with asyncio.timeout(self._timeout_s):
                status, raw = await self._read(self._client, method, url, headers, body)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise ProviderAway from error
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise ProviderAway
        if status != httpx.codes.OK:
            raise ProviderAnswerWrong(f"status {status}")
        try:
            found = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise ProviderAnswerWrong("not JSON") from error
        if not isinstance(found, dict):
            raise ProviderAnswerWrong("not a JSON object")
        return found

    @staticmethod
    async def _read(
        client: httpx.AsyncClient, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        # Raw: what was compressed all the same could become any size.
        read = bytearray()
        async with client.stream(
            method, url, headers={**_HEADERS, **headers}, content=body or None
        ) as response:
            async for piece in response.aiter_raw():
                read += piece
                if len(read) > MOST_BYTES:
                    raise ProviderAnswerWrong("too large")
            return response.status_code, bytes(read)

    def _opened(self) -> httpx.AsyncClient:
        verify: ssl.SSLContext | bool = True
        if self._ca_file is not None:
            verify = ssl.create_default_context(cafile=str(self._ca_file))
        return httpx.AsyncClient(
            timeout=self._timeout_s,
            verify=verify,
            transport=self._transport,
            # To this address alone: no proxy from the environment, no redirect.
            trust_env=False,
            follow_redirects=False,
        )
