"""What ingestion needs of documents: register an upload, read its bytes, put its passages in, say how it went.

Called with the requester's actor, often inside a unit of ingestion's own step.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from youworker_app.access.actor import Actor
from youworker_app.access.authenticate import actor_again
from youworker_app.access.permissions import Permission, require
from youworker_app.access.rights import Right
from youworker_app.access.vectors import visibility_of
from youworker_app.audit.service import AuditService
from youworker_app.core.crypto import open_sealed, seal
from youworker_app.core.db import UnitOfWork
from youworker_app.core.errors import NotFound
from youworker_app.core.ids import new_id
from youworker_app.core.keys import DataKeys
from youworker_app.documents.passage_repository import PassageRepository
from youworker_app.documents.repository import DocumentRepository, FiledDocument
from youworker_app.documents.schemas import (
    Locator,
    NewDocument,
    NewFile,
    NewPassage,
    PlainPassage,
    Reading,
    SourceFile,
)
from youworker_app.documents.views import chunk_aad

T = TypeVar("T")


@dataclass(frozen=True)
class Registered:
    """What became of an upload."""

    document_id: str
    file_is_new: bool
    is_duplicate: bool


class DocumentIntake:
    """Documents on their way in."""

    def __init__(self, keys: DataKeys, audit: AuditService) -> None:
        self._keys, self._audit = keys, audit

    async def require_place(self, unit: UnitOfWork, actor: Actor, group_id: str | None) -> None:
        """Raises NotFound unless the actor may add documents to the group, Unauthenticated when they may no longer work here."""
        # An upload can take long: it is asked as they stand now, not as they stood when it began.
        present = await actor_again(unit, actor)
        if group_id is not None:
            group = await DocumentRepository(unit, present).find_group(group_id)
            require(present, Permission.ADD_TO_GROUP, group)

    async def register(
        self, unit: UnitOfWork, actor: Actor, file: NewFile, document: NewDocument, *, wrapped_key: bytes
    ) -> Registered:
        """A new document over a new file, over the same content that its space has, or the same document if it is there.

        Safe against another writer of the same content in the same moment. Raises NotFound for a group of others.
        """
        await self.require_place(unit, actor, document.group_id)
        repository = DocumentRepository(unit, actor)
        stored = await repository.find_stored(file.space, file.content_hash)
        is_new = False
        if stored is None:
            stored, is_new = await repository.add_new_file(file, self._keys.current(wrapped_key))
        if not is_new and (same := await repository.find_same(stored.id, document.group_id)):
            return Registered(same.id, file_is_new=False, is_duplicate=True)
        document_id = await repository.add_document(document, stored.id)
        await repository.add_tags(document_id, document.tags)
        await self._audit.record(
            unit,
            actor,
            "document.uploaded",
            resource_type="document",
            resource_id=document_id,
            details={"bytes": file.size_bytes},
        )
        return Registered(document_id, file_is_new=is_new, is_duplicate=False)

    async def source(self, unit: UnitOfWork, actor: Actor, document_id: str) -> SourceFile:
        """Where a document's bytes are, with the key. Raises NotFound."""
        filed = await self._filed(unit, actor, (document_id,))
        return self._source(the_one(document_id, filed))

    async def turn(
        self, unit: UnitOfWork, actor: Actor, document_ids: Collection[str], state: str
    ) -> dict[str, SourceFile]:
        """`source` of documents that go over to this state, working or ready, by id: without those that are not visible."""
        filed = await self._filed(unit, actor, document_ids)
        for each in filed.values():
            each.document.state = state
        await unit.session.flush()  # they are locked before their passages are, as sharing does
        return {document_id: self._source(each) for document_id, each in filed.items()}

    async def put_readings(
        self, unit: UnitOfWork, actor: Actor, readings: Sequence[tuple[SourceFile, Reading]]
    ) -> dict[str, SourceFile]:
        """Writes what reading told of each document; gives the `source` with it, by id.

        Without those that are not visible, or that stand on another file now, under whose key their passages belong.
        """
        filed = await self._filed(unit, actor, [source.document_id for source, _ in readings])
        present = dict[str, SourceFile]()
        for source, reading in readings:
            found = filed.get(source.document_id)
            if found is None or found.file.id != source.file_id:
                continue
            document = found.document
            document.pages, document.language = reading.pages, reading.language
            document.author = reading.author or ""
            if reading.title:
                document.title = reading.title
            present[document.id] = self._source(found)
        return present

    async def _filed(
        self, unit: UnitOfWork, actor: Actor, document_ids: Collection[str]
    ) -> dict[str, FiledDocument]:
        return await DocumentRepository(unit, actor).with_files(document_ids, right=Right.DOWNLOAD)

    def _source(self, filed: FiledDocument) -> SourceFile:
        document, file = filed.document, filed.file
        return SourceFile(
            document.id,
            document.title,
            document.filename,
            document.language,
            file.id,
            file.media_type,
            self._keys.unwrap(filed.wrapped_key),
            visibility_of(
                owner_id=document.owner_id, group_id=document.group_id, is_private=document.is_private
            ),
        )

    def seal_passage(
        self,
        source: SourceFile,
        ordinal: int,
        unit: int,
        page: int | None,
        span: tuple[int, int],
        locator: Locator,
        text: str,
    ) -> NewPassage:
        """A passage with a fresh id, sealed under the file's key."""
        chunk_id = new_id()
        sealed = seal(source.data_key, text.encode(), chunk_aad(chunk_id))
        return NewPassage(chunk_id, ordinal, unit, page, span[0], span[1], locator, sealed)

    async def clear_passages(self, unit: UnitOfWork, actor: Actor, document_ids: Collection[str]) -> None:
        """Takes away what earlier readings left. The caller got the documents' sources in this unit."""
        await PassageRepository(unit, actor).clear(document_ids)

    async def add_passages(
        self, unit: UnitOfWork, actor: Actor, passages: Mapping[str, Sequence[NewPassage]]
    ) -> None:
        """Adds the next passages of documents that are being read, by id. The caller got their sources in this unit."""
        await PassageRepository(unit, actor).append(passages)

    async def read_passages(
        self, unit: UnitOfWork, actor: Actor, source: SourceFile, *, after_ordinal: int, limit: int
    ) -> list[PlainPassage]:
        """The next passages in order, in the clear. The caller got the source in this unit."""
        rows = await PassageRepository(unit, actor).list_sealed(source.document_id, after_ordinal, limit)
        return [
            PlainPassage(
                chunk_id,
                ordinal,
                Locator(**locator),
                open_sealed(source.data_key, sealed, chunk_aad(chunk_id)).decode(),
            )
            for chunk_id, ordinal, locator, sealed in rows
        ]

    async def count_passages(self, unit: UnitOfWork, actor: Actor, document_id: str) -> int:
        """How many passages a document has."""
        return await PassageRepository(unit, actor).count(document_id)

    async def set_state(self, unit: UnitOfWork, actor: Actor, document_id: str, state: str) -> None:
        """queued, working, ready, failed or cancelled. Raises NotFound."""
        document = await DocumentRepository(unit, actor).get(document_id)
        document.state = state

    async def hand_back(self, unit: UnitOfWork, document_ids: Sequence[str]) -> None:
        """Marks documents that were being worked on as waiting."""
        await DocumentRepository(unit, _NOBODY).hand_back(document_ids)

    async def give_up(self, unit: UnitOfWork, document_id: str) -> None:
        """Marks a document failed that nobody is left to read; one that is ready stays so."""
        await DocumentRepository(unit, _NOBODY).give_up(document_id)

    async def is_there(self, unit: UnitOfWork, document_id: str) -> bool:
        """Whether there is such a document, whoever it belongs to now: for vectors that would outlive it."""
        return await DocumentRepository(unit, _NOBODY).is_there(document_id)

    async def stored_file_ids(self, unit: UnitOfWork) -> set[str]:
        """Every stored file's id: for the sweep of blobs that no row knows."""
        return await DocumentRepository(unit, _NOBODY).all_file_ids()


_NOBODY = Actor(user_id="", username="")


def the_one(document_id: str, found: Mapping[str, T]) -> T:
    """What was found of one document. Raises NotFound."""
    if document_id not in found:
        raise NotFound
    return found[document_id]
