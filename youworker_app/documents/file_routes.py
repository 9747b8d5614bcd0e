"""/v1/files: what is known of an original, its bytes, and its pages as pictures.

Access can be taken away at any time, so nothing here is kept by a browser without asking again.
"""

import hashlib
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Path
from starlette.responses import Response, StreamingResponse

from youworker_app.api.actor import CurrentActor
from youworker_app.api.described import errors
from youworker_app.api.errors import answer
from youworker_app.api.params import OpaqueId
from youworker_app.core.registry import service
from youworker_app.documents.errors import RangeInvalid
from youworker_app.documents.filenames import content_disposition
from youworker_app.documents.ranges import matches, wanted_range
from youworker_app.documents.schemas import FileContent, FileView
from youworker_app.documents.service import DocumentService

router = APIRouter(prefix="/files", tags=["files"])

_ASK_AGAIN = "private, no-cache"
_INERT = "default-src 'none'; sandbox"
_BYTES = {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
_PICTURE = {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}


@router.get("/{file_id}/metadata")
async def get_metadata(actor: CurrentActor, file_id: OpaqueId) -> FileView:
    return await service(DocumentService).get_file(actor, file_id)


@router.get(
    "/{file_id}/download",
    response_class=StreamingResponse,
    responses={
        200: {"description": "The original.", **_BYTES},
        206: {"description": "The bytes asked for.", **_BYTES},
        304: {"description": "Unchanged."},
        **errors(409, 416, 503),
    },
)
async def download(
    actor: CurrentActor,
    file_id: OpaqueId,
    wanted: Annotated[str | None, Header(alias="Range")] = None,
    if_range: Annotated[str | None, Header()] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    documents = service(DocumentService)
    file = await documents.get_file(actor, file_id)
    if matches(if_none_match, file.etag):
        return Response(status_code=304, headers=_headers(file))
    span = wanted_range(wanted, if_range, etag=file.etag, size=file.size_bytes)
    start, end = span or (0, file.size_bytes)
    try:
        content = await documents.open_file(actor, file_id, start=start, end=end)
    except RangeInvalid as error:
        refused = answer(error)
        refused.headers["Content-Range"] = f"bytes */{file.size_bytes}"
        return refused
    return await _streamed(content, is_part=span is not None)


@router.get(
    "/{file_id}/pages/{page}.png",
    response_class=Response,
    responses={
        200: {"description": "The page, the passage boxed.", **_PICTURE},
        304: {"description": "Unchanged."},
        **errors(409, 503),
    },
)
async def page_picture(
    actor: CurrentActor,
    file_id: OpaqueId,
    page: Annotated[int, Path(ge=1, le=1_000_000)],
    chunk_id: OpaqueId | None = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    documents = service(DocumentService)
    file = await documents.get_file(actor, file_id)
    digest = hashlib.sha256(f"{file.etag}|{page}|{chunk_id or ''}".encode()).hexdigest()
    headers = {"ETag": f'"{digest[:32]}"', "Cache-Control": _ASK_AGAIN}
    if matches(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    picture = await documents.page_picture(actor, file_id, page, chunk_id=chunk_id)
    inert = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": _INERT}
    return Response(picture, media_type="image/png", headers=headers | inert)


async def _streamed(content: FileContent, *, is_part: bool) -> Response:
    """The answer once the first bytes are there, so that damaged content is an ordinary error."""
    first = await anext(content.stream, b"")
    file = content.file
    headers = _headers(file) | {
        # Said here, since a text's character set is not known and must not be guessed.
        "Content-Type": file.mime_type,
        "Content-Length": str(content.end - content.start),
        "Content-Disposition": content_disposition(file.filename),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": _INERT,
    }
    if is_part:
        headers["Content-Range"] = f"bytes {content.start}-{content.end - 1}/{file.size_bytes}"
    return StreamingResponse(_joined(first, content.stream), 206 if is_part else 200, headers)


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _headers(file: FileView) -> dict[str, str]:
    return {"ETag": file.etag, "Cache-Control": _ASK_AGAIN, "Accept-Ranges": "bytes"}
