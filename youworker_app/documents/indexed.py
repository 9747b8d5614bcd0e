"""What the search index should hold, as SQL says: for the index's maintenance, which works for nobody in particular.

Nothing that is read here is shown to anyone: keywords and texts go into the index and nowhere else.
"""

from collections.abc import Collection

from youworker_app.core.crypto import open_sealed
from youworker_app.core.db import UnitOfWork
from youworker_app.core.keys import DataKeys
from youworker_app.documents import index_repository as rows
from youworker_app.documents.index_repository import IndexedDocument
from youworker_app.documents.schemas import Locator, PlainPassage, SourceFile
from youworker_app.documents.views import chunk_aad

Indexed = IndexedDocument


class IndexedDocuments:
    """Reads past what people may see, inside a unit of the caller's."""

    def __init__(self, keys: DataKeys) -> None:
        self._keys = keys

    async def counts(self, unit: UnitOfWork) -> dict[str, tuple[Indexed, int]]:
        """Every document by id, with how many passages it has."""
        return await rows.passage_counts(unit)

    async def of_chunks(self, unit: UnitOfWork, chunk_ids: Collection[str]) -> dict[str, Indexed]:
        """The documents of those passages that are there, by the passage's id."""
        return await rows.documents_of(unit, chunk_ids)

    async def find(self, unit: UnitOfWork, document_id: str) -> Indexed | None:
        """One document, or None when it is gone."""
        return await rows.find_document(unit, document_id)

    async def chunk_ids(self, unit: UnitOfWork, document_id: str) -> set[str]:
        """Ids of a document's passages."""
        return await rows.chunk_ids_of(unit, document_id)

    async def passages(
        self, unit: UnitOfWork, document_id: str, *, after_ordinal: int, limit: int
    ) -> tuple[SourceFile, list[PlainPassage]] | None:
        """The next passages in the clear, with the document as it stands; None when it is gone."""
        found = await rows.find_source(unit, document_id)
        if found is None:
            return None
        document, key = found.document, self._keys.unwrap(found.wrapped_key)
        source = SourceFile(
            document.id,
            document.title,
            document.filename,
            document.language,
            found.file.id,
            found.file.media_type,
            key,
            found.indexed.visibility,
        )
        chunks = await rows.list_chunks(unit, document_id, after_ordinal=after_ordinal, limit=limit)
        return source, [
            PlainPassage(
                row.id,
                row.ordinal,
                Locator(**row.locator),
                open_sealed(key, row.sealed_text, chunk_aad(row.id)).decode(),
            )
            for row in chunks
        ]
