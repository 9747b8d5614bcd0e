"""/maintenance/audit, for the socket in the data folder alone: the trail is verified, and an old stretch retired.

Answers tell numbers of blocks and ids of events, never what happened or who did it.
"""

from collections.abc import AsyncGenerator
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import StreamingResponse

from youworker_app.api.local import in_lines
from youworker_app.audit.trail import Trail
from youworker_app.core.clock import now
from youworker_app.core.registry import service
from youworker_app.gateways.anchors.protocol import Anchor

router = APIRouter(prefix="/audit")


@router.post("/verify")
async def verify(
    request: Request, block: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0, mac: str = ""
) -> StreamingResponse:
    """One line: `{"report": …}`, a TrailReport. `block` and `mac` are an anchor that was kept elsewhere."""
    return in_lines(request, _verified(Anchor(block, mac, "") if block else None))


@router.post("/retire")
async def retire(request: Request, days: Annotated[int, Query(ge=1, le=36_500)]) -> StreamingResponse:
    """One line: `{"retired": {"blocks", "events"}}`: what was older than so many days."""
    return in_lines(request, _retired(days))


async def _verified(known: Anchor | None) -> AsyncGenerator[dict[str, Any], None]:
    yield {"report": asdict(await service(Trail).verifier.verify(known))}


async def _retired(days: int) -> AsyncGenerator[dict[str, Any], None]:
    retired = await service(Trail).retirement.retire(None, now() - timedelta(days=days))
    yield {"retired": asdict(retired)}
