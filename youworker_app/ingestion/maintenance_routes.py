"""/maintenance/vectors, for the socket in the data folder alone: the index is compared with the database, and rebuilt.

Answers tell counts and ids of documents, never a name or a word of them.
"""

from collections.abc import AsyncGenerator
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import StreamingResponse

from youworker_app.api.local import in_lines
from youworker_app.core.registry import service
from youworker_app.ingestion.maintenance import IndexMaintenance

router = APIRouter(prefix="/vectors")


@router.post("/check")
async def check(request: Request, repair: bool = False) -> StreamingResponse:
    """One line: `{"report": …}`, an IndexReport and whether it `is_clean`."""
    return in_lines(request, _checked(repair=repair))


@router.post("/reindex")
async def reindex(request: Request) -> StreamingResponse:
    """A line `{"progress": …}` (ReindexProgress) for each step, the last with `is_done`."""
    return in_lines(request, _reindexed())


async def _checked(*, repair: bool) -> AsyncGenerator[dict[str, Any], None]:
    report = await service(IndexMaintenance).check(repair=repair)
    yield {"report": {**asdict(report), "is_clean": report.is_clean}}


async def _reindexed() -> AsyncGenerator[dict[str, Any], None]:
    async for progress in service(IndexMaintenance).reindex():
        yield {"progress": asdict(progress)}
