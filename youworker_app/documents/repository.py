"""All SQL of documents, stored files and passages."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Executable, Select, and_, bindparam, func, or_, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from youworker_app.access.actor import Actor
from youworker_app.access.repository import Repository
from youworker_app.access.rights import Right, right_of
from youworker_app.access.visible import SystemReason, delete_visible, insert_rows, system_scope, visible
from youworker_app.core.clock import now
from youworker_app.core.errors import NotFound
from youworker_app.core.ids import new_id
from youworker_app.documents.schemas import DocumentFilter, NewDocument, NewFile
from youworker_app.models.accounts import EncryptionKey, User
from youworker_app.models.documents import Document, DocumentTag, StoredFile
from youworker_app.models.groups import Group
from youworker_app.models.jobs import Job


@dataclass(frozen=True)
class DocumentRow:
    """A document with what its view needs from other tables."""

    document: Document
    file: StoredFile
    owner: str
    job: Job | None
    tags: tuple[str, ...]
    right: Right


@dataclass(frozen=True)
class FiledDocument:
    """A document with its stored file and that file's wrapped key."""

    document: Document
    file: StoredFile
    wrapped_key: bytes


# Built once: each upload asks it.
_STORED = system_scope(
    select(StoredFile).where(
        col(StoredFile.space) == bindparam("space"), col(StoredFile.content_hash) == bindparam("content_hash")
    ),
    SystemReason.DEDUPLICATION,
)


@lru_cache(maxsize=512)
def _with_files(actor: Actor, right: Right) -> Executable:
    """Kept for an actor as `visible()` keeps the policies: making it costs more than running it."""
    return (
        visible(Document, actor, right=right, joined=(StoredFile, EncryptionKey))
        .join(StoredFile, col(StoredFile.id) == col(Document.file_id))
        .join(EncryptionKey, col(EncryptionKey.id) == col(StoredFile.key_id))
        .where(col(Document.id).in_(bindparam("document_ids", expanding=True)))
        .with_only_columns(Document, StoredFile, col(EncryptionKey.wrapped))
    )


class GrantingRepository(Repository):
    """A repository that tells which right its actor has on documents in hand."""

    async def _rights(self, documents: Sequence[Document]) -> dict[str, Right]:
        defaults = await self._group_rights({document.group_id for document in documents})
        return {
            document.id: right_of(
                self._actor,
                owner_id=document.owner_id,
                group_right=defaults.get(document.group_id or ""),
                member_right=document.member_right,
            )
            for document in documents
        }

    async def _group_rights(self, group_ids: Collection[str | None]) -> dict[str, int]:
        """What the groups that the actor may see grant their members, by id."""
        named = sorted(filter(None, group_ids))
        if not named:
            return {}
        statement = visible(Group, self._actor).where(col(Group.id).in_(named))
        rows = await self._session.execute(
            statement.with_only_columns(col(Group.id), col(Group.default_right))
        )
        return {row[0]: row[1] for row in rows}


class DocumentRepository(GrantingRepository):
    """Documents as one actor sees them."""

    async def get(self, document_id: str, *, right: Right = Right.VIEW) -> Document:
        """One visible document. Raises NotFound."""
        return await self._get(Document, document_id, right=right)

    async def get_row(self, document_id: str) -> DocumentRow:
        """One visible document with everything that its view shows. Raises NotFound."""
        rows = await self._rows(self._rows_statement().where(col(Document.id) == document_id))
        if not rows:
            raise NotFound
        return rows[0]

    async def get_row_locked(self, document_id: str) -> DocumentRow:
        """One visible document, to be changed: another writer waits until this unit ends. Raises NotFound."""
        statement = visible(Document, self._actor).where(col(Document.id) == document_id).with_for_update()
        await self._session.execute(statement)
        return await self.get_row(document_id)

    async def list_rows(
        self, wanted: DocumentFilter, after: tuple[datetime, str] | None, limit: int
    ) -> list[DocumentRow]:
        """Newest first, `limit` + 1 rows at most, so that the caller knows whether more follow."""
        statement = _narrowed(self._rows_statement(tagged=wanted.tag is not None), wanted)
        if after is not None:
            statement = statement.where(tuple_(col(Document.created_at), col(Document.id)) < after)
        return await self._rows(
            statement.order_by(col(Document.created_at).desc(), col(Document.id).desc()).limit(limit + 1)
        )

    def _rows_statement(self, *, tagged: bool = False) -> Select[Document]:
        # Joined models come under their own policies; a colleague's job is not visible, so jobs are read apart.
        joined = (StoredFile, User, DocumentTag) if tagged else (StoredFile, User)
        return (
            visible(Document, self._actor, joined=joined)
            .join(StoredFile, col(StoredFile.id) == col(Document.file_id))
            .join(User, col(User.id) == col(Document.owner_id))
        )

    async def _rows(self, statement: Select[Document]) -> list[DocumentRow]:
        found = (
            await self._session.execute(statement.with_only_columns(Document, StoredFile, col(User.username)))
        ).all()
        ids = [document.id for document, _, _ in found]
        jobs = await self._jobs(ids)
        tags = await self._tags(ids)
        rights = await self._rights([document for document, _, _ in found])
        return [
            DocumentRow(doc, file, owner, jobs.get(doc.id), tags.get(doc.id, ()), rights[doc.id])
            for doc, file, owner in found
        ]

    async def _jobs(self, document_ids: Sequence[str]) -> dict[str, Job]:
        statement = (
            visible(Job, self._actor)
            .where(col(Job.document_id).in_(document_ids))
            .order_by(col(Job.created_at))
        )
        return {
            job.document_id: job
            for job in (await self._session.execute(statement)).scalars()
            if job.document_id
        }

    async def _tags(self, document_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        statement = visible(DocumentTag, self._actor).where(col(DocumentTag.document_id).in_(document_ids))
        tags: dict[str, tuple[str, ...]] = {}
        for row in (await self._session.execute(statement.order_by(col(DocumentTag.tag)))).scalars():
            tags[row.document_id] = (*tags.get(row.document_id, ()), row.tag)
        return tags

    async def set_tags(self, document_id: str, tags: Collection[str]) -> None:
        """Replaces the document's tags; the caller has asked `require()`."""
        await self._session.execute(
            delete_visible(DocumentTag, self._actor).where(col(DocumentTag.document_id) == document_id)
        )
        await self.add_tags(document_id, tags)

    async def add_tags(self, document_id: str, tags: Collection[str]) -> None:
        """Adds tags that the document does not have; the caller has asked `require()`."""
        if tags:
            rows = [{"document_id": document_id, "tag": tag} for tag in tags]
            await self._session.execute(insert_rows(DocumentTag), rows)

    async def find_group(self, group_id: str) -> Group:
        """One of the actor's groups. Raises NotFound."""
        return await self._get(Group, group_id)

    async def add_document(self, document: NewDocument, file_id: str) -> str:
        """A new document over a stored file; the caller has asked `require()`. Returns its id."""
        document_id = new_id()
        row = {
            "id": document_id,
            "title": document.title,
            "author": "",
            "filename": document.filename,
            "file_id": file_id,
            "owner_id": self._actor.user_id,
            "group_id": document.group_id,
            "is_private": document.is_private,
            "member_right": None,
            "state": "queued",
            "pages": None,
            "language": "",
            "collection": document.collection,
            "created_at": now(),
            "deleted_at": None,
        }
        await self._session.execute(insert_rows(Document), [row])
        return document_id

    # --- files

    async def add_new_file(self, file: NewFile, wrapped_key: bytes) -> tuple[StoredFile, bool]:
        """A new stored file with its key, or the one that another writer added a moment ago: (file, whether it is new)."""
        moment = now()
        key = {"id": new_id(), "purpose": "file", "wrapped": wrapped_key, "created_at": moment}
        row: dict[str, Any] = {
            "id": file.file_id,
            "space": file.space,
            "content_hash": file.content_hash,
            "size_bytes": file.size_bytes,
            "media_type": file.media_type,
            "key_id": key["id"],
            "created_at": moment,
        }
        try:
            async with self._session.begin_nested():
                await self._session.execute(insert_rows(EncryptionKey), [key])
                await self._session.execute(insert_rows(StoredFile), [row])
        except IntegrityError:
            existing = await self.find_stored(file.space, file.content_hash)
            if existing is None:
                raise
            return existing, False
        return StoredFile(**row), True

    async def all_file_ids(self) -> set[str]:
        """Ids of all stored files, for the sweep at start."""
        statement = system_scope(select(col(StoredFile.id)), SystemReason.RECOVERY)
        return set((await self._session.execute(statement)).scalars())

    async def find_stored(self, space: str, content_hash: str) -> StoredFile | None:
        """The file with this content in one space (the caller's own, or a group of theirs), by keyed hash."""
        wanted = {"space": space, "content_hash": content_hash}
        return (await self._session.execute(_STORED, wanted)).scalar_one_or_none()

    async def find_same(self, file_id: str, group_id: str | None) -> Document | None:
        """The oldest visible document over this file in the same place."""
        statement = visible(Document, self._actor).where(
            col(Document.file_id) == file_id,
            col(Document.group_id) == group_id,
            col(Document.state) != "failed",
        )
        return (
            await self._session.execute(statement.order_by(col(Document.created_at)).limit(1))
        ).scalar_one_or_none()

    async def get_file(self, file_id: str, *, right: Right) -> tuple[StoredFile, Document, bytes]:
        """A stored file, the document through which the actor sees it, and its wrapped key. Raises NotFound."""
        statement = (
            visible(Document, self._actor, right=right, joined=(StoredFile, EncryptionKey))
            .join(StoredFile, col(StoredFile.id) == col(Document.file_id))
            .join(EncryptionKey, col(EncryptionKey.id) == col(StoredFile.key_id))
            .where(col(Document.file_id) == file_id)
            .order_by(col(Document.created_at))
            .limit(1)
            .with_only_columns(StoredFile, Document, col(EncryptionKey.wrapped))
        )
        found = (await self._session.execute(statement)).one_or_none()
        if found is None:
            raise NotFound
        file, document, wrapped = found
        return file, document, wrapped

    async def with_files(self, document_ids: Collection[str], *, right: Right) -> dict[str, FiledDocument]:
        """Those of the documents on which the actor has the right, with their files, by id."""
        statement = _with_files(self._actor, right)
        found: Any = await self._session.execute(statement, {"document_ids": list(document_ids)})
        return {document.id: FiledDocument(document, file, wrapped) for document, file, wrapped in found}

    async def own_ids(self) -> list[str]:
        """Ids of all that the actor owns, oldest first."""
        statement = visible(Document, self._actor).where(col(Document.owner_id) == self._actor.user_id)
        ids = statement.order_by(col(Document.created_at), col(Document.id)).with_only_columns(
            col(Document.id)
        )
        return list((await self._session.execute(ids)).scalars())

    async def is_there(self, document_id: str) -> bool:
        """Whether the document exists at all."""
        statement = select(func.count()).select_from(Document).where(col(Document.id) == document_id)
        return bool(
            (await self._session.execute(system_scope(statement, SystemReason.RECOVERY))).scalar_one()
        )

    async def give_up(self, document_id: str) -> None:
        """Marks a document that is not ready as failed."""
        statement = select(Document).where(
            col(Document.id) == document_id, col(Document.state).in_(("queued", "working"))
        )
        row = (
            await self._session.execute(system_scope(statement, SystemReason.RECOVERY))
        ).scalar_one_or_none()
        if row is not None:
            row.state = "failed"

    async def hand_back(self, document_ids: Collection[str]) -> None:
        """Marks those of the documents that are being worked on as queued."""
        statement = select(Document).where(
            col(Document.id).in_(list(document_ids)), col(Document.state) == "working"
        )
        for row in (await self._session.execute(system_scope(statement, SystemReason.RECOVERY))).scalars():
            row.state = "queued"

    async def wrapped_key(self, file: StoredFile) -> bytes:
        """The wrapped key of a file that the caller found by its content in a space of their own."""
        statement = select(col(EncryptionKey.wrapped)).where(col(EncryptionKey.id) == file.key_id)
        return (await self._session.execute(system_scope(statement, SystemReason.DEDUPLICATION))).scalar_one()

    async def is_referenced(self, file_id: str) -> bool:
        """Whether any document at all still stands on this file."""
        statement = select(func.count()).select_from(Document).where(col(Document.file_id) == file_id)
        return bool(
            (await self._session.execute(system_scope(statement, SystemReason.DEDUPLICATION))).scalar_one()
        )

    async def delete_document(self, document: Document) -> None:
        """Removes the row; passages, tags and jobs go with it."""
        # A job's own units lock it before its document: the other way round, PostgreSQL would have to end one of the two.
        jobs = select(col(Job.id)).where(col(Job.document_id) == document.id).with_for_update()
        await self._session.execute(system_scope(jobs, SystemReason.ERASURE))
        await self._session.delete(document)
        await self._session.flush()

    async def delete_file(self, file: StoredFile) -> None:
        """Removes the file's row and the key that could read its bytes."""
        statement = select(EncryptionKey).where(col(EncryptionKey.id) == file.key_id)
        key = (await self._session.execute(system_scope(statement, SystemReason.DEDUPLICATION))).scalar_one()
        await self._session.delete(file)
        await self._session.flush()
        await self._session.delete(key)

    async def narrowed_ids(self, wanted: DocumentFilter, group_ids: Collection[str] | None) -> list[str]:
        """Ids of documents that may answer and satisfy the filter."""
        statement = _narrowed(
            visible(
                Document, self._actor, right=Right.ASK, joined=() if wanted.tag is None else (DocumentTag,)
            ),
            wanted,
        )
        if group_ids is not None:
            statement = statement.where(
                col(Document.group_id).in_(list(group_ids)), col(Document.is_private).is_(False)
            )
        return list((await self._session.execute(statement.with_only_columns(col(Document.id)))).scalars())


def _narrowed(statement: Select[Document], wanted: DocumentFilter) -> Select[Document]:
    if wanted.group_id is not None:
        statement = statement.where(
            and_(col(Document.group_id) == wanted.group_id, col(Document.is_private).is_(False))
        )
    if wanted.collection is not None:
        statement = statement.where(col(Document.collection) == wanted.collection)
    if wanted.state is not None:
        statement = statement.where(col(Document.state) == wanted.state)
    if wanted.tag is not None:
        statement = statement.join(DocumentTag, col(DocumentTag.document_id) == col(Document.id))
        statement = statement.where(col(DocumentTag.tag) == wanted.tag)
    if wanted.q:
        pattern = "%" + wanted.q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").lower() + "%"
        names = (func.lower(Document.title), func.lower(Document.filename))
        statement = statement.where(or_(*(name.like(pattern, escape="\\") for name in names)))
    return statement
