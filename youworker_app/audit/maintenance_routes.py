"""/maintenance/audit, for the socket in the data folder alone: the trail is verified, and an old stretch retired.

Answers tell numbers of blocks and ids of events, never what happened or who did it.
"""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime
from starlette.responses import StreamingResponse

from youworker_app.api.local import in_lines
from youworker_app.audit.schemas import Span
from youworker_app.audit.trail import Trail
from youworker_app.core.clock import now
from youworker_app.core.registry import service
from youworker_app.gateways.anchors.protocol import Anchor

router = APIRouter(prefix="/audit")

_TELL_EVERY_S: Final = 1.0


@router.post("/verify")
async def verify(
    request: Request,
    block: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    mac: str = "",
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
) -> StreamingResponse:
    """Lines `{"report": …}`, each a TrailReport, once a second; the last one has no `next_cursor`.

    `block` and `mac` are an anchor that was kept elsewhere.
    """
    return in_lines(request, _verified(Anchor(block, mac, "") if block else None, Span(since, until)))


@router.post("/retire")
async def retire(request: Request, days: Annotated[int, Query(ge=1, le=36_500)]) -> StreamingResponse:
    """One line: `{"retired": {"blocks", "events"}}`: what was older than so many days."""
    return in_lines(request, _retired(days))


async def _verified(known: Anchor | None, span: Span) -> AsyncGenerator[dict[str, Any], None]:
    told_at = time.monotonic()
    async with aclosing(service(Trail).verifier.steps(known, span)) as steps:
        async for report in steps:
            if report.next_cursor is None or time.monotonic() - told_at >= _TELL_EVERY_S:
                told_at = time.monotonic()
                yield {"report": asdict(report)}


async def _retired(days: int) -> AsyncGenerator[dict[str, Any], None]:
    retired = await service(Trail).retirement.retire(None, now() - timedelta(days=days))
    yield {"retired": asdict(retired)}
