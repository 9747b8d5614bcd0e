"""SQL of what the search index should hold, whoever it belongs to: for its maintenance alone, shown to nobody."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from youworker_app.access.vectors import visibility_of
from youworker_app.access.visible import SystemReason, system_scope
from youworker_app.core.db import UnitOfWork
from youworker_app.models.accounts import EncryptionKey
from youworker_app.models.documents import Chunk, Document, StoredFile

ChunkRow = Chunk  # the name by which others speak of a row that a repository gave them


@dataclass(frozen=True)
class IndexedDocument:
    """A document as the index should know it. `is_ready`: all its passages belong into the index."""

    id: str
    visibility: tuple[str, ...]
    is_ready: bool


@dataclass(frozen=True)
class SourceRow:
    """What is needed to read a document's passages."""

    document: Document
    file: StoredFile
    wrapped_key: bytes
    indexed: IndexedDocument


_COLUMNS = (
    col(Document.id),
    col(Document.owner_id),
    col(Document.group_id),
    col(Document.is_private),
    col(Document.state),
)


async def passage_counts(unit: UnitOfWork) -> dict[str, tuple[IndexedDocument, int]]:
    """Every document by id, with how many passages it has."""
    statement = (
        select(*_COLUMNS, func.count(col(Chunk.id)))
        .join(Chunk, col(Chunk.document_id) == col(Document.id), isouter=True)
        .group_by(*_COLUMNS)
    )
    return {row[0]: (_indexed(row), row[5]) for row in await _all(unit, statement)}


async def documents_of(unit: UnitOfWork, chunk_ids: Collection[str]) -> dict[str, IndexedDocument]:
    """The documents of those passages that are there, by the passage's id."""
    statement = (
        select(*_COLUMNS, col(Chunk.id))
        .join(Chunk, col(Chunk.document_id) == col(Document.id))
        .where(col(Chunk.id).in_(list(chunk_ids)))
    )
    return {row[5]: _indexed(row) for row in await _all(unit, statement)}


async def find_document(unit: UnitOfWork, document_id: str) -> IndexedDocument | None:
    """A document, or None."""
    found = await _all(unit, select(*_COLUMNS).where(col(Document.id) == document_id))
    return _indexed(found[0]) if found else None


async def chunk_ids_of(unit: UnitOfWork, document_id: str) -> set[str]:
    """Ids of a document's passages."""
    statement = select(col(Chunk.id)).where(col(Chunk.document_id) == document_id)
    return {row[0] for row in await _all(unit, statement)}


async def find_source(unit: UnitOfWork, document_id: str) -> SourceRow | None:
    """A document with its file and the file's wrapped key; None when it is gone."""
    statement = (
        select(Document, StoredFile, col(EncryptionKey.wrapped))
        .join(StoredFile, col(StoredFile.id) == col(Document.file_id))
        .join(EncryptionKey, col(EncryptionKey.id) == col(StoredFile.key_id))
        .where(col(Document.id) == document_id)
    )
    found = await _all(unit, statement)
    if not found:
        return None
    document, file, wrapped = found[0]
    return SourceRow(document, file, wrapped, _indexed_row(document))


async def list_chunks(
    unit: UnitOfWork, document_id: str, *, after_ordinal: int, limit: int
) -> list[ChunkRow]:
    """The next passages of a document in order, sealed."""
    statement = (
        select(Chunk)
        .where(col(Chunk.document_id) == document_id, col(Chunk.ordinal) > after_ordinal)
        .order_by(col(Chunk.ordinal))
        .limit(limit)
    )
    return [row[0] for row in await _all(unit, statement)]


async def _all(unit: UnitOfWork, statement: Any) -> list[Any]:
    return list((await unit.session.execute(system_scope(statement, SystemReason.INDEX))).all())


def _indexed(row: Any) -> IndexedDocument:
    visibility = visibility_of(owner_id=row[1], group_id=row[2], is_private=row[3])
    return IndexedDocument(row[0], visibility, row[4] == "ready")


def _indexed_row(row: Document) -> IndexedDocument:
    return _indexed((row.id, row.owner_id, row.group_id, row.is_private, row.state))
