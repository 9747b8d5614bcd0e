"""All SQL of passages."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import col

from youworker_app.access.rights import Right
from youworker_app.access.visible import (
    SystemReason,
    count_visible,
    delete_visible,
    insert_rows,
    system_scope,
    visible,
)
from youworker_app.documents.repository import GrantingRepository
from youworker_app.documents.schemas import NewPassage
from youworker_app.models.accounts import EncryptionKey
from youworker_app.models.documents import Chunk, Document, StoredFile


@dataclass(frozen=True)
class PassageRow:
    """A passage with its document, its file, the file's wrapped key, and the right that its reader has."""

    chunk: Chunk
    document: Document
    file: StoredFile
    wrapped_key: bytes
    right: Right


class PassageRepository(GrantingRepository):
    """Passages as one actor sees them."""

    async def clear(self, document_id: str) -> None:
        """Takes all passages of a document away; the caller has asked `require()`."""
        await self._session.execute(
            delete_visible(Chunk, self._actor).where(col(Chunk.document_id) == document_id)
        )

    async def append(self, document_id: str, passages: Sequence[NewPassage]) -> None:
        """Adds passages to a document in one statement; the caller has asked `require()`."""
        rows = [
            {
                "id": passage.chunk_id,
                "document_id": document_id,
                "ordinal": passage.ordinal,
                "unit": passage.unit,
                "page": passage.page,
                "start": passage.start,
                "end": passage.end,
                "locator": dict(vars(passage.locator)),
                "sealed_text": passage.sealed_text,
            }
            for passage in passages
        ]
        if rows:
            await self._session.execute(insert_rows(Chunk), rows)

    async def languages(self) -> list[str]:
        """The languages that documents here are in, of any owner: a count without content."""
        statement = select(col(Document.language)).distinct()
        return list((await self._session.execute(system_scope(statement, SystemReason.COUNTS))).scalars())

    async def count(self, document_id: str) -> int:
        """How many visible passages a document has."""
        statement = count_visible(Chunk, self._actor, col(Chunk.document_id) == document_id)
        return (await self._session.execute(statement)).scalar_one()

    async def list_chunks(self, document_id: str, after_ordinal: int, limit: int) -> list[Chunk]:
        """Passages of a document in order, `limit` + 1 at most. The caller has got the document with VIEW."""
        statement = visible(Chunk, self._actor).where(
            col(Chunk.document_id) == document_id, col(Chunk.ordinal) > after_ordinal
        )
        return list(
            (await self._session.execute(statement.order_by(col(Chunk.ordinal)).limit(limit + 1))).scalars()
        )

    async def list_sealed(
        self, document_id: str, after_ordinal: int, limit: int
    ) -> list[tuple[str, int, dict[str, str], bytes]]:
        """(id, ordinal, locator, sealed text) of the next passages of a document: what is embedded, without the rest."""
        statement = (
            visible(Chunk, self._actor)
            .where(col(Chunk.document_id) == document_id, col(Chunk.ordinal) > after_ordinal)
            .order_by(col(Chunk.ordinal))
            .limit(limit)
            .with_only_columns(col(Chunk.id), col(Chunk.ordinal), col(Chunk.locator), col(Chunk.sealed_text))
        )
        rows = (await self._session.execute(statement)).all()
        return [(chunk_id, ordinal, locator, sealed) for chunk_id, ordinal, locator, sealed in rows]

    async def passages(self, chunk_ids: Collection[str]) -> list[PassageRow]:
        """The passages among `chunk_ids` that the actor may be answered from, each with the right that they have."""
        asked = Right.ASK
        statement = (
            visible(Chunk, self._actor, right=asked, joined=(Document, StoredFile, EncryptionKey))
            .join(Document, col(Document.id) == col(Chunk.document_id))
            .join(StoredFile, col(StoredFile.id) == col(Document.file_id))
            .join(EncryptionKey, col(EncryptionKey.id) == col(StoredFile.key_id))
            .where(col(Chunk.id).in_(list(chunk_ids)))
            .with_only_columns(Chunk, Document, StoredFile, col(EncryptionKey.wrapped))
        )
        found = (await self._session.execute(statement)).all()
        rights = await self._rights([document for _, document, _, _ in found])
        return [
            PassageRow(chunk, document, file, wrapped, rights[document.id])
            for chunk, document, file, wrapped in found
        ]
