"""/v1/ingest: files come in as a stream, and jobs are followed, cancelled and tried again."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.api.actor import CurrentActor
from youworker_app.api.described import errors
from youworker_app.api.params import OpaqueId
from youworker_app.core.errors import AppError, Detail, Forbidden, NotFound, Unauthenticated
from youworker_app.core.registry import service
from youworker_app.core.settings import IngestionSettings, Settings
from youworker_app.core.stopping import ServerStopping, Stopping
from youworker_app.core.telemetry import get_logger
from youworker_app.documents.filenames import safe_filename
from youworker_app.documents.service import DocumentService
from youworker_app.ingestion.body import PatientBody
from youworker_app.ingestion.multipart import MultipartReader, TooMuchLeft, boundary_of
from youworker_app.ingestion.schemas import JobView, UploadedItem
from youworker_app.ingestion.service import IngestionService
from youworker_app.ingestion.upload_errors import UploadAbandoned, UploadStalled, UploadWithoutFiles
from youworker_app.ingestion.upload_form import IncomingFile, UploadFields, UploadForm

log = get_logger(__name__)
router = APIRouter(prefix="/ingest", tags=["ingestion"])

_LEAST_DISCARDED = 64 * 1024 * 1024

# What is wrong with the sender or the place is wrong for every file, so it answers the request as a whole.
_NOT_THE_FILES = (NotFound, Forbidden, Unauthenticated)
_FORM = {
    "type": "object",
    "required": ["files"],
    "properties": {
        "group_id": {"type": "string"},
        "is_private": {"type": "boolean"},
        "tags": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Repeated, or separated by commas.",
        },
        "collection": {"type": "string"},
        "files": {
            "type": "array",
            "items": {"type": "string", "format": "binary"},
            "description": "After the fields.",
        },
    },
}


@dataclass(frozen=True)
class ItemError:
    code: str
    message: str
    details: dict[str, Detail]


@dataclass(frozen=True)
class UploadItem:
    """One file: taken (ids), the same as one that is there (`duplicate_of`), or refused (`error`)."""

    filename: str
    document_id: str | None = None
    job_id: str | None = None
    duplicate_of: str | None = None
    error: ItemError | None = None


@dataclass(frozen=True)
class UploadAnswer:
    """`complete` is false when the rest of the request was not read, after a file far past the limit."""

    items: tuple[UploadItem, ...]
    complete: bool = True


async def fields_of_address(  # a plain function would be called in a thread
    group_id: Annotated[str, Query()] = "",
    is_private: Annotated[str, Query()] = "",
    tags: Annotated[tuple[str, ...], Query()] = (),
    collection: Annotated[str, Query()] = "",
) -> UploadFields:
    """The form's fields, for clients that cannot send them before the files."""
    fields = UploadFields()
    for name, value in (("group_id", group_id), ("is_private", is_private), ("collection", collection)):
        fields.add(name, value)
    for tag in tags:
        fields.add("tags", tag)
    return fields


@router.post(
    "/upload",
    status_code=202,
    responses=errors(409, 503),
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}},
)
async def upload(
    request: Request, actor: CurrentActor, fields: Annotated[UploadFields, Depends(fields_of_address)]
) -> UploadAnswer:
    """Takes files, each on its own: one bad file fails alone. Fields come before the files, or in the address.

    A request with a single file that is refused answers with that file's error. An answer other than 202 means that nothing
    of the request was kept (but see UPLOAD_STALLED and SERVER_STOPPING).
    """
    require_scope(actor, Scope.DOCUMENTS_WRITE)
    settings = service(Settings).ingestion
    boundary = boundary_of(request.headers.get("content-type", ""))
    body = PatientBody(request.stream(), settings.upload_idle_s, settings.upload_min_bytes_per_s)
    with service(Stopping).holding(body.give_up, is_work=True):
        reader = MultipartReader(body.chunks(), boundary, max_discarded=_most_discarded(settings))
        form = UploadForm(reader, fields, max_files=settings.max_files_per_upload)
        return await _UploadRun(actor, form).answer()


@router.get("/jobs/{job_id}")
async def get_job(actor: CurrentActor, job_id: OpaqueId) -> JobView:
    return await service(IngestionService).get_job(actor, job_id)


@router.post("/jobs/{job_id}/cancel", responses=errors(409))
async def cancel_job(actor: CurrentActor, job_id: OpaqueId) -> JobView:
    return await service(IngestionService).cancel_job(actor, job_id)


@router.post("/jobs/{job_id}/retry", responses=errors(409))
async def retry_job(actor: CurrentActor, job_id: OpaqueId) -> JobView:
    return await service(IngestionService).retry_job(actor, job_id)


class _UploadRun:
    """One upload request on its way through the service."""

    def __init__(self, actor: Actor, form: UploadForm) -> None:
        self._actor, self._form = actor, form
        self._items: list[UploadItem] = []
        self._alone: AppError | None = None

    async def answer(self) -> UploadAnswer:
        try:
            complete = await self._take_all()
        except (UploadAbandoned, UploadStalled, ServerStopping):
            raise  # not the request's fault: what arrived whole was acknowledged to the disk and stays
        except AppError:
            await self._take_back()
            raise
        if not self._items:
            raise UploadWithoutFiles
        if len(self._items) == 1 and self._alone is not None:
            raise self._alone
        return UploadAnswer(tuple(self._items), complete)

    async def _take_all(self) -> bool:
        try:
            while (file := await self._form.next_file()) is not None:
                self._items.append(await self._take(file))
        except TooMuchLeft:
            return False
        return True

    async def _take(self, file: IncomingFile) -> UploadItem:
        try:
            wanted = self._form.fields.for_file(file.filename)
            return _item(await service(IngestionService).upload(self._actor, wanted, file.content))
        except AppError as error:
            if self._form.failure is not None or isinstance(error, _NOT_THE_FILES):
                raise
            self._alone = error
            log.info("file_refused", code=error.code)
            return UploadItem(
                safe_filename(file.filename), error=ItemError(error.code, error.message, error.details)
            )

    async def _take_back(self) -> None:
        """The request as such was wrong: nothing of it stays."""
        for item in self._items:
            if item.document_id is not None and item.duplicate_of is None:
                await service(DocumentService).delete_document(self._actor, item.document_id)


def _item(taken: UploadedItem) -> UploadItem:
    return UploadItem(taken.filename, taken.document_id, taken.job_id, taken.duplicate_of)


def _most_discarded(settings: IngestionSettings) -> int:
    return max(settings.max_file_bytes, _LEAST_DISCARDED)
