"""All SQL of passages."""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from sqlalchemy import Executable, bindparam, select
from sqlmodel import col

from youworker_app.access.actor import Actor
from youworker_app.access.rights import Right, right_of
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

_Sharing: TypeAlias = tuple[str, str | None, int | None]
"""A document's owner, its group, and what the owner grants the group's members."""


class PassageRow(NamedTuple):
    """A passage with what its reader needs of its document and file; `wrapped_key` is the file's. In the order of the
    statement that reads it."""

    chunk_id: str
    document_id: str
    ordinal: int
    page: int | None
    start: int
    end: int
    locator: dict[str, str]
    sealed_text: bytes
    owner_id: str
    group_id: str | None
    is_private: bool
    member_right: int | None
    filename: str
    title: str
    language: str
    file_id: str
    media_type: str
    wrapped_key: bytes


_PASSAGE_COLUMNS = (
    col(Chunk.id),
    col(Chunk.document_id),
    col(Chunk.ordinal),
    col(Chunk.page),
    col(Chunk.start),
    col(Chunk.end),
    col(Chunk.locator),
    col(Chunk.sealed_text),
    col(Document.owner_id),
    col(Document.group_id),
    col(Document.is_private),
    col(Document.member_right),
    col(Document.filename),
    col(Document.title),
    col(Document.language),
    col(StoredFile.id),
    col(StoredFile.media_type),
    col(EncryptionKey.wrapped),
)


@lru_cache(maxsize=512)
def _passages_of(actor: Actor) -> Executable:
    """The statement, kept for an actor as `visible()` keeps the policies: making it costs more than running it."""
    return (
        visible(Chunk, actor, right=Right.ASK, joined=(Document, StoredFile, EncryptionKey))
        .join(Document, col(Document.id) == col(Chunk.document_id))
        .join(StoredFile, col(StoredFile.id) == col(Document.file_id))
        .join(EncryptionKey, col(EncryptionKey.id) == col(StoredFile.key_id))
        .where(col(Chunk.id).in_(bindparam("chunk_ids", expanding=True)))
        .with_only_columns(*_PASSAGE_COLUMNS)
    )


@lru_cache(maxsize=512)
def _rights_on(actor: Actor) -> Executable:
    return (
        visible(Chunk, actor, right=Right.ASK, joined=(Document,))
        .join(Document, col(Document.id) == col(Chunk.document_id))
        .where(col(Chunk.id).in_(bindparam("chunk_ids", expanding=True)))
        .with_only_columns(
            col(Chunk.id), col(Document.owner_id), col(Document.group_id), col(Document.member_right)
        )
    )


@lru_cache(maxsize=512)
def _any_document_of(actor: Actor) -> Executable:
    return visible(Document, actor, right=Right.ASK).with_only_columns(col(Document.id)).limit(1)


class PassageRepository(GrantingRepository):
    """Passages as one actor sees them."""

    async def has_documents(self) -> bool:
        """Whether there is a document at all that the actor may be answered from."""
        return (await self._session.execute(_any_document_of(self._actor))).first() is not None

    async def clear(self, document_ids: Collection[str]) -> None:
        """Takes all passages of documents away; the caller has asked `require()`."""
        wanted = col(Chunk.document_id).in_(list(document_ids))
        await self._session.execute(delete_visible(Chunk, self._actor).where(wanted))

    async def append(self, passages: Mapping[str, Sequence[NewPassage]]) -> None:
        """Adds passages to documents, given by id, in one statement; the caller has asked `require()`."""
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
            for document_id, added in passages.items()
            for passage in added
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

    async def passages(self, chunk_ids: Collection[str]) -> list[tuple[PassageRow, Right]]:
        """The passages among `chunk_ids` that the actor may be answered from, each with the right that they have.

        Values, not rows that a session watches: a question reads two dozen, and changes none.
        """
        found = await self._session.execute(_passages_of(self._actor), {"chunk_ids": list(chunk_ids)})
        rows = list(map(PassageRow._make, found))
        rights = await self._rights_of({(row.owner_id, row.group_id, row.member_right) for row in rows})
        return [(row, rights[row.owner_id, row.group_id, row.member_right]) for row in rows]

    async def rights(self, chunk_ids: Collection[str]) -> dict[str, Right]:
        """Of the passages that `passages` would find: the right that the actor has, by id."""
        statement = _rights_on(self._actor)
        found = (await self._session.execute(statement, {"chunk_ids": list(chunk_ids)})).all()
        shared: dict[str, _Sharing] = {row[0]: (row[1], row[2], row[3]) for row in found}
        rights = await self._rights_of(set(shared.values()))
        return {chunk_id: rights[sharing] for chunk_id, sharing in shared.items()}

    async def _rights_of(self, shared: Collection[_Sharing]) -> dict[_Sharing, Right]:
        defaults = await self._group_rights({group_id for _, group_id, _ in shared})
        return {
            (owner_id, group_id, member_right): right_of(
                self._actor,
                owner_id=owner_id,
                group_right=defaults.get(group_id or ""),
                member_right=member_right,
            )
            for owner_id, group_id, member_right in shared
        }
