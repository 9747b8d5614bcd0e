"""/maintenance/master-key, for the socket in the data folder alone. No key is ever sent: the server makes the new one itself."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import StreamingResponse

from youworker_app.accounts.key_rotation import KeyRotation
from youworker_app.api.local import in_lines
from youworker_app.core.registry import service

router = APIRouter(prefix="/master-key")


@router.post("/rotate")
async def rotate(request: Request) -> StreamingResponse:
    """A line `{"progress": …}` (RotationProgress) for each step, the last with `is_done`."""
    return in_lines(request, _rotated())


async def _rotated() -> AsyncGenerator[dict[str, Any], None]:
    async with aclosing(service(KeyRotation).rotate()) as steps:
        async for progress in steps:
            yield {"progress": asdict(progress)}
