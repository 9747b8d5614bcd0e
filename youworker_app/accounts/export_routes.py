"""/v1/account/export: all that is the caller's own, as a zip."""

from collections.abc import AsyncIterator

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from youworker_app.accounts.errors import ExportNotMade
from youworker_app.accounts.exports import ExportService
from youworker_app.accounts.schemas import ExportView
from youworker_app.api.actor import CurrentActor
from youworker_app.api.described import errors
from youworker_app.core.exports import json_text
from youworker_app.core.registry import service

router = APIRouter(prefix="/account/export")

_ZIP = {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}


@router.post("", status_code=202)
async def start_export(actor: CurrentActor) -> ExportView:
    """Begins to make the zip, in place of an earlier one; one that is being made goes on. GET answers it when it is ready."""
    return await service(ExportService).start(actor)


@router.get("/state")
async def export_state(actor: CurrentActor) -> ExportView:
    """How far it has come; 404 where there is none, or none any more."""
    return await service(ExportService).get(actor)


@router.get(
    "",
    response_class=StreamingResponse,
    responses={
        200: {"description": "The zip.", **_ZIP},
        202: {"description": "It is being made.", "model": ExportView},
        **errors(409, 503),
    },
)
async def download_export(actor: CurrentActor) -> Response:
    """The zip when it is ready; 202 and how far it has come until then; 404 where there is none, or none any more."""
    exports = service(ExportService)
    view = await exports.get(actor)
    if view.state == "failed":
        raise ExportNotMade(reason=view.error)
    if view.state != "ready":
        return Response(json_text(view), 202, media_type="application/json", headers={"retry-after": "2"})
    content = await exports.open(actor)
    first = await anext(content.stream, b"")
    headers = {
        "content-disposition": f'attachment; filename="youworker-export-{view.created_at:%Y-%m-%d}.zip"',
        "content-length": str(view.size_bytes),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    return StreamingResponse(_joined(first, content.stream), media_type="application/zip", headers=headers)


@router.delete("", status_code=204)
async def discard_export(actor: CurrentActor) -> None:
    """Takes it away, made or not."""
    await service(ExportService).discard(actor)


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
