"""Long work that the installation tells in JSON lines, as it comes."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx

from youworker_app.console.problems import Problem, sentence_of


async def lines_of(client: httpx.AsyncClient, path: str) -> AsyncIterator[dict[str, Any]]:
    """The lines that a POST answers, for as long as it takes. Raises Problem for the error that one may hold."""
    async with client.stream("POST", path, timeout=httpx.Timeout(None, connect=5)) as response:
        if response.is_error:
            await response.aread()
            raise Problem(sentence_of(response))
        async for line in response.aiter_lines():
            told = json.loads(line)
            if "error" in told:
                raise Problem(str(told["error"]["message"]))
            yield told
