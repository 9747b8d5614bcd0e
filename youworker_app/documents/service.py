"""What people do with documents: list, read, change, delete, open pages and originals."""

from collections.abc import Collection

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.access.permissions import Permission, require
from youworker_app.access.rights import Right
from youworker_app.audit.service import AuditService
from youworker_app.core.crypto import open_sealed
from youworker_app.core.db import Database
from youworker_app.core.errors import DependencyAway, Detail
from youworker_app.core.events import Event, EventBus, user_topic
from youworker_app.core.keys import DataKeys
from youworker_app.core.paging import Page, PageRequest, cursor_for
from youworker_app.core.telemetry import get_logger
from youworker_app.documents.errors import NoPagePicture, RangeInvalid
from youworker_app.documents.passage_repository import PassageRepository
from youworker_app.documents.repository import DocumentRepository
from youworker_app.documents.schemas import (
    ChunkView,
    DocumentFilter,
    DocumentView,
    FileContent,
    FileView,
    Locator,
    Passage,
)
from youworker_app.documents.views import chunk_aad, document_view, passage_view
from youworker_app.gateways.blobs.protocol import BlobStore
from youworker_app.gateways.parsing.errors import PageNotFound
from youworker_app.gateways.parsing.media_types import PDF
from youworker_app.gateways.parsing.protocol import DocumentParser
from youworker_app.gateways.vectors.protocol import VectorStore

log = get_logger(__name__)


class DocumentService:
    """Reading documents and removing them. Changing who sees them: `SharingService`."""

    def __init__(
        self,
        db: Database,
        keys: DataKeys,
        blobs: BlobStore,
        vectors: VectorStore,
        parser: DocumentParser,
        audit: AuditService,
        bus: EventBus,
    ) -> None:
        self._db, self._keys, self._blobs, self._vectors = db, keys, blobs, vectors
        self._parser, self._audit, self._bus = parser, audit, bus

    async def list_documents(
        self, actor: Actor, wanted: DocumentFilter, page: PageRequest
    ) -> Page[DocumentView]:
        """Visible documents, newest first. Raises Malformed on a foreign cursor."""
        require_scope(actor, Scope.DOCUMENTS_READ)
        async with self._db.read() as unit:
            rows = await DocumentRepository(unit, actor).list_rows(wanted, page.position(), page.limit)
        items = tuple(document_view(row, actor) for row in rows[: page.limit])
        more = len(rows) > page.limit
        return Page(items, cursor_for(items[-1].created_at, items[-1].id) if more else None)

    async def get_document(self, actor: Actor, document_id: str) -> DocumentView:
        """One visible document. Raises NotFound."""
        require_scope(actor, Scope.DOCUMENTS_READ)
        async with self._db.read() as unit:
            return document_view(await DocumentRepository(unit, actor).get_row(document_id), actor)

    async def open_document(self, actor: Actor, document_id: str) -> DocumentView:
        """The same for who looks at it: told to the audit trail once there is something to read. Raises NotFound."""
        view = await self.get_document(actor, document_id)
        if view.state == "ready":
            self._note_opened(actor, document_id)
        return view

    async def delete_document(self, actor: Actor, document_id: str) -> None:
        """Removes a document for good; with the last one over a file its key and bytes go. Raises NotFound, OwnerOnly."""
        require_scope(actor, Scope.DOCUMENTS_WRITE)
        erased_file = None
        async with self._db.write() as unit:
            repository = DocumentRepository(unit, actor)
            row = await repository.get_row(document_id)
            require(actor, Permission.DELETE_DOCUMENT, row.document)
            await repository.delete_document(row.document)
            if not await repository.is_referenced(row.file.id):
                await repository.delete_file(row.file)
                erased_file = row.file.id
            await self._audit.record(
                unit, actor, "document.deleted", resource_type="document", resource_id=document_id
            )
            unit.after_commit(
                lambda: self._bus.publish(user_topic(actor.user_id), Event("documents_changed", document_id))
            )
        if erased_file:
            await self._blobs.delete(erased_file)
        try:
            await self._vectors.delete_document(document_id)
        except DependencyAway as error:
            # Nobody finds anything through them, since SQL is asked; the next comparison takes them away.
            log.warning("vectors_left", document_id=document_id, code=error.code)

    async def list_chunks(
        self, actor: Actor, document_id: str, page: PageRequest, *, is_open: bool = False
    ) -> Page[ChunkView]:
        """What the machine read, in order; needs the right to view. Raises NotFound.

        The first page counts as opening the document, unless it `is_open` already.
        """
        require_scope(actor, Scope.DOCUMENTS_READ)
        last = page.number()
        after = -1 if last is None else last
        async with self._db.read() as unit:
            document = await DocumentRepository(unit, actor).get(document_id, right=Right.VIEW)
            _, _, wrapped = await DocumentRepository(unit, actor).get_file(document.file_id, right=Right.VIEW)
            rows = await PassageRepository(unit, actor).list_chunks(document_id, after, page.limit)
        if last is None and not is_open:
            self._note_opened(actor, document_id)
        key = self._keys.unwrap(wrapped)
        items = tuple(
            ChunkView(
                row.id,
                row.ordinal,
                row.page,
                Locator(**row.locator),
                open_sealed(key, row.sealed_text, chunk_aad(row.id)).decode(),
            )
            for row in rows[: page.limit]
        )
        return Page(items, str(items[-1].ordinal) if len(rows) > page.limit else None)

    def _note_opened(self, actor: Actor, document_id: str) -> None:
        self._audit.note(actor, "document.opened", resource_type="document", resource_id=document_id)

    async def read_passages(self, actor: Actor, chunk_ids: Collection[str]) -> dict[str, Passage]:
        """Those of the passages that the actor may be answered from, by id. SQL decides: whatever named the ids can be stale."""
        if not chunk_ids:
            return {}
        async with self._db.read() as unit:
            rows = await PassageRepository(unit, actor).passages(chunk_ids)
        return {row.chunk_id: passage_view(row, right, self._keys) for row, right in rows}

    async def passage_rights(self, actor: Actor, chunk_ids: Collection[str]) -> dict[str, Right]:
        """What `read_passages` would find, without the texts: the actor's right on each, by id."""
        async with self._db.read() as unit:
            return await PassageRepository(unit, actor).rights(chunk_ids)

    async def find_documents(
        self, actor: Actor, wanted: DocumentFilter, group_ids: Collection[str] | None = None
    ) -> list[str]:
        """Ids of the documents that may answer and satisfy the filter."""
        async with self._db.read() as unit:
            return await DocumentRepository(unit, actor).narrowed_ids(wanted, group_ids)

    async def has_documents(self, actor: Actor) -> bool:
        """Whether there is any document that may answer."""
        async with self._db.read() as unit:
            return await PassageRepository(unit, actor).has_documents()

    async def document_languages(self) -> list[str]:
        """The languages that the installation's documents are in."""
        async with self._db.read() as unit:
            return await PassageRepository(unit, _NOBODY).languages()

    async def get_file(self, actor: Actor, file_id: str) -> FileView:
        """The file under the name that the actor sees it by; needs the right to view. Raises NotFound."""
        require_scope(actor, Scope.DOCUMENTS_READ)
        return (await self._file(actor, file_id, Right.VIEW))[0]

    async def open_file(
        self, actor: Actor, file_id: str, *, start: int = 0, end: int | None = None
    ) -> FileContent:
        """The original's bytes [start, end); needs the right to download. Raises NotFound, RangeInvalid."""
        require_scope(actor, Scope.DOCUMENTS_READ)
        view, key = await self._file(actor, file_id, Right.DOWNLOAD)
        stop = view.size_bytes if end is None else min(end, view.size_bytes)
        if not 0 <= start <= stop or (start == view.size_bytes and start > 0):
            raise RangeInvalid(size_bytes=view.size_bytes)
        async with self._db.write() as unit:
            await self._audit.record(
                unit, actor, "file.downloaded", resource_type="document", resource_id=view.document_id
            )
        return FileContent(view, start, stop, self._blobs.read(file_id, key, start=start, end=stop))

    async def page_picture(
        self, actor: Actor, file_id: str, page: int, *, chunk_id: str | None = None
    ) -> bytes:
        """A page as PNG, the passage boxed. Raises NotFound, PageNotFound, NoPagePicture."""
        require_scope(actor, Scope.DOCUMENTS_READ)
        view, key = await self._file(actor, file_id, Right.VIEW)
        if view.mime_type != PDF:
            raise NoPagePicture
        if view.pages is not None and not 1 <= page <= view.pages:
            raise PageNotFound(page=page)
        told: dict[str, Detail] = {"page": page}
        self._audit.note(
            actor, "page.opened", resource_type="document", resource_id=view.document_id, details=told
        )
        marks = await self._marks(actor, view, page, chunk_id)
        data = await self._blobs.read_all(file_id, key)
        async with self._parser.open(data, view.mime_type, preview=True) as document:
            return await document.render_page(page, marks=marks)

    async def _marks(
        self, actor: Actor, view: FileView, page: int, chunk_id: str | None
    ) -> list[tuple[int, int]]:
        if chunk_id is None:
            return []
        async with self._db.read() as unit:
            rows = await PassageRepository(unit, actor).passages([chunk_id])
        return [(row.start, row.end) for row, _ in rows if row.file_id == view.id and row.page == page]

    async def _file(self, actor: Actor, file_id: str, right: Right) -> tuple[FileView, bytes]:
        async with self._db.read() as unit:
            file, document, wrapped = await DocumentRepository(unit, actor).get_file(file_id, right=right)
        view = FileView(
            file.id,
            document.id,
            document.filename,
            file.media_type,
            file.size_bytes,
            document.pages,
            document.created_at,
            etag=f'"{file.content_hash[:32]}"',
        )
        return view, self._keys.unwrap(wrapped)


_NOBODY = Actor(user_id="", username="")
