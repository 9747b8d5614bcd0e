"""The body of an upload as it comes in: how long it may be silent, how slow it may be, and what ends it early."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from starlette.requests import ClientDisconnect

from youworker_app.core.stopping import ServerStopping
from youworker_app.ingestion.upload_errors import UploadAbandoned, UploadStalled, UploadTooSlow


class PatientBody:
    """A request's chunks, with a limit to the silence between them.

    Once it was waited for longer than `seconds` in all, `min_bytes_per_s` have to have come on average: a trickle would never
    be silent. What the server itself takes between two chunks is no waiting.
    """

    def __init__(self, chunks: AsyncGenerator[bytes, None], seconds: float, min_bytes_per_s: int = 0) -> None:
        self._chunks, self._seconds, self._min_bytes_per_s = chunks, seconds, min_bytes_per_s
        self._waited, self._received = 0.0, 0
        self._waiting: asyncio.Timeout | None = None
        self._is_given_up = False

    def give_up(self) -> None:
        """Ends the body where it is: the server stops."""
        self._is_given_up = True
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(asyncio.get_running_loop().time())

    async def chunks(self) -> AsyncIterator[bytes]:
        """Raises UploadStalled after `seconds` of silence, UploadTooSlow, UploadAbandoned, ServerStopping."""
        while True:
            chunk = await self._next()
            if chunk is None:
                return
            self._received += len(chunk)
            if self._waited > self._seconds and self._received < self._waited * self._min_bytes_per_s:
                raise UploadTooSlow(bytes_per_s=self._min_bytes_per_s)
            if chunk:
                yield chunk

    async def _next(self) -> bytes | None:
        if self._is_given_up:
            raise ServerStopping
        clock = asyncio.get_running_loop().time
        begun = clock()
        try:
            async with asyncio.timeout(self._seconds) as self._waiting:
                return await anext(self._chunks, None)
        except TimeoutError as error:
            if self._is_given_up:
                raise ServerStopping from error
            raise UploadStalled(seconds=round(self._seconds)) from error
        except ClientDisconnect as error:
            raise UploadAbandoned from error
        finally:
            self._waiting = None
            self._waited += clock() - begun
