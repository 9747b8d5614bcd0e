"""Ollama's HTTP for answers and embeddings: not through Ollama's own client, which costs more than the call (docs/adr/0012).

Owns the connections, which stay open from call to call, what each request carries, and that what is read has an end. Sets no
time limit but that of connecting, repeats nothing and makes no `AppError`.
"""

import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

import aiohttp
import httpx
import orjson

from youworker_app.core.telemetry import correlation_id

_KEPT_S = 60.0
_LONGEST_REASON = 1_000_000
_HEADERS = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}


class Refused(Exception):
    """Ollama said why it does not answer, or does not go on. `status` is 0 where it came in the middle."""

    def __init__(self, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.status = reason, status


class NotOllama(Exception):
    """What came is not what Ollama sends."""


class OllamaHttp:
    """POSTs to one Ollama. `address` is its place without the name and password that `url` may carry: it can be shown.

    Proxies of the environment are not asked, which is aiohttp's own way, and redirects are refusals: what is sent goes to
    this address alone. `api_key` is for an Ollama behind a proxy that asks for one.
    """

    def __init__(self, url: str, *, connect_timeout_s: float, api_key: str = "") -> None:
        parts = urlsplit(url)
        self.address = parts.netloc.rpartition("@")[2]
        self.authorization = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._headers = _HEADERS | self.authorization
        if api_key:
            parts = parts._replace(netloc=self.address)  # one of the two, and a key is the newer one
        self._base = parts.geturl().rstrip("/")
        self._connect_timeout_s = connect_timeout_s
        self._session: aiohttp.ClientSession | None = None  # can be made only where a loop runs

    async def post(self, path: str, body: Mapping[str, object]) -> aiohttp.ClientResponse:
        """An answer that begins well; whoever asked reads and closes it. Raises Refused and aiohttp's own errors."""
        if self._session is None:
            self._session = _session(self._base, self._connect_timeout_s)
        response = await self._session.post(
            self._base + path, data=orjson.dumps(body), headers=self._carried(), allow_redirects=False
        )
        if 200 <= response.status < 300:
            return response
        try:
            raise Refused(_reason(await read_whole(response, _LONGEST_REASON)), response.status)
        except NotOllama:
            raise Refused("", response.status) from None
        finally:
            response.close()

    async def ask(self, path: str, body: Mapping[str, object], *, most: int) -> bytes:
        """A whole answer of at most `most` bytes. Raises NotOllama for more of them, and what `post` raises."""
        response = await self.post(path, body)
        try:
            return await read_whole(response, most)
        finally:
            response.close()  # where it was read to its end, the connection serves the next call already

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _carried(self) -> dict[str, str]:
        if current := correlation_id.get():
            return {**self._headers, "X-Correlation-ID": current}
        return self._headers


async def read_whole(response: aiohttp.ClientResponse, most: int) -> bytes:
    """What is left of an answer. Raises NotOllama where that is more than `most` bytes, which are not waited for."""
    parts, size = [], 0
    while part := await response.content.readany():
        size += len(part)
        if size > most:
            raise NotOllama
        parts.append(part)
    return b"".join(parts)


def sendable(text: str) -> str:
    """Half a surrogate pair cannot be sent as JSON in UTF-8."""
    return text.encode(errors="replace").decode()


def _session(url: str, connect_timeout_s: float) -> aiohttp.ClientSession:
    """A new connection costs as much as the rest of a call: they stay open for the next ones.

    Reads wait without limit here: how long silence may last is the caller's to say. Certificates are those that the list of
    models goes by.
    """
    trusted: ssl.SSLContext | bool = True
    if urlsplit(url).scheme == "https":
        trusted = httpx.create_ssl_context(trust_env=False)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEPT_S, ssl=trusted),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout_s),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def _reason(body: bytes) -> str:
    try:
        return str(orjson.loads(body)["error"])
    except (ValueError, TypeError, LookupError):
        return body.decode(errors="replace")
