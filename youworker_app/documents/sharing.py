"""Changing a document: title, tags, and who sees it. A move between spaces copies the file under a new key."""

import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.access.authenticate import actor_in_absence
from youworker_app.access.permissions import Permission, require
from youworker_app.access.rights import Right
from youworker_app.audit.service import AuditService
from youworker_app.core.crypto import open_sealed, seal
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.errors import Detail, NotFound
from youworker_app.core.events import Event, EventBus, user_topic
from youworker_app.core.ids import new_id
from youworker_app.core.keys import DataKeys
from youworker_app.documents.errors import PrivateInGroup, TagInvalid, TitleInvalid
from youworker_app.documents.following import IndexFollowing
from youworker_app.documents.passage_repository import PassageRepository
from youworker_app.documents.repository import DocumentRepository, DocumentRow
from youworker_app.documents.schemas import ChangeDocument, DocumentView, NewFile
from youworker_app.documents.views import chunk_aad, document_view
from youworker_app.gateways.blobs.errors import BlobMissing
from youworker_app.gateways.blobs.protocol import BlobStore

MAX_TAGS = 50
_DOWNLOAD = Right.DOWNLOAD
_ALL = 1_000_000_000


def space_of(owner_id: str, group_id: str | None, *, is_private: bool) -> str:
    """The space in which the same content is one stored file: the owner's own, or the group's."""
    return f"g:{group_id}" if group_id and not is_private else f"u:{owner_id}"


def clean_tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    """Trimmed, normalised (NFKC), each once. Raises TagInvalid."""
    cleaned = dict.fromkeys(_visible(tag) for tag in tags)
    if len(cleaned) > MAX_TAGS or any(not 1 <= len(tag) <= 64 for tag in cleaned):
        raise TagInvalid
    return tuple(cleaned)


def clean_title(title: str) -> str:
    """Trimmed and normalised (NFC). Raises TitleInvalid."""
    cleaned = _visible(title, form="NFC")
    if not 1 <= len(cleaned) <= 512:
        raise TitleInvalid
    return cleaned


def _visible(text: str, *, form: str = "NFKC") -> str:
    normal = unicodedata.normalize(form, text)  # type: ignore[arg-type]
    return " ".join(
        "".join(char for char in normal if unicodedata.category(char) not in {"Cc", "Cf", "Cs"}).split()
    )


def _exchange(stray: list[str], erased: list[str]) -> None:
    stray[:] = erased


@dataclass(frozen=True)
class _Plan:
    """Where a document is to go, and the row that this was decided by."""

    row: DocumentRow
    group_id: str | None
    is_private: bool


def _place(row: DocumentRow) -> tuple[str, str | None, bool, str]:
    """What a move changes."""
    document = row.document
    return document.owner_id, document.group_id, document.is_private, row.file.id


class SharingService:
    """Changes documents of their owner."""

    def __init__(
        self,
        db: Database,
        keys: DataKeys,
        blobs: BlobStore,
        following: IndexFollowing,
        audit: AuditService,
        bus: EventBus,
    ) -> None:
        self._db, self._keys, self._blobs, self._following = db, keys, blobs, following
        self._audit, self._bus = audit, bus

    async def change_document(self, actor: Actor, document_id: str, change: ChangeDocument) -> DocumentView:
        """The document after the change. Raises NotFound, OwnerOnly, KeyNarrowed, TagInvalid, TitleInvalid,
        PrivateInGroup."""
        require_scope(actor, Scope.DOCUMENTS_WRITE)
        return await self._change(actor, document_id, change)

    async def return_to_owner(self, owner_id: str, document_id: str) -> None:
        """Takes a document out of its group and makes it private, since the group goes. The owner need not be there.

        Raises NotFound when there is no such document of theirs any more.
        """
        async with self._db.read() as unit:
            owner = await actor_in_absence(unit, owner_id)
        await self._change(owner, document_id, ChangeDocument(group_id="", is_private=True), by_owner=False)

    async def _change(
        self, actor: Actor, document_id: str, change: ChangeDocument, *, by_owner: bool = True
    ) -> DocumentView:
        is_done = False
        while not is_done:
            plan = await self._plan(actor, document_id, change)
            try:
                copy = await self._copy_for(actor, plan)
            except (BlobMissing, NotFound):
                if await self._stands(actor, plan):
                    raise
                continue
            # Bytes that no row knows: the copy, until the commit; after it, whoever is told so or not, what it stands in for.
            stray = [copy[0].file_id] if copy else []
            try:
                is_done = await self._apply(actor, plan, change, copy, stray, by_owner=by_owner)
                if is_done:
                    await self._following.follow(document_id)
            finally:
                for blob_id in stray:
                    await self._blobs.delete(blob_id)
        async with self._db.read() as unit:
            return document_view(await DocumentRepository(unit, actor).get_row(document_id), actor)

    async def _plan(self, actor: Actor, document_id: str, change: ChangeDocument) -> _Plan:
        async with self._db.read() as unit:
            repository = DocumentRepository(unit, actor)
            row = await repository.get_row(document_id)
            require(actor, Permission.CHANGE_DOCUMENT, row.document)
            group_id = row.document.group_id if change.group_id is None else (change.group_id or None)
            # Who has left the group may not open to it what they kept in it.
            opens = change.is_private is False and row.document.is_private
            if group_id and (change.group_id or opens):
                require(actor, Permission.ADD_TO_GROUP, await repository.find_group(group_id))
        is_private = row.document.is_private if change.is_private is None else change.is_private
        if group_id is None and change.is_private is False:
            raise PrivateInGroup
        if is_private or group_id is None:
            require(actor, Permission.KEEP_TO_ONESELF)
        return _Plan(row, group_id, is_private or group_id is None)

    async def _stands(self, actor: Actor, plan: _Plan) -> bool:
        """Whether nobody has moved the document since it was planned. Raises NotFound when it is gone."""
        async with self._db.read() as unit:
            row = await DocumentRepository(unit, actor).get_row(plan.row.document.id)
        return _place(row) == _place(plan.row)

    async def _copy_for(self, actor: Actor, plan: _Plan) -> tuple[NewFile, bytes, bytes] | None:
        """A copy where the document changes its space, else None."""
        space = space_of(plan.row.document.owner_id, plan.group_id, is_private=plan.is_private)
        return await self._copy(actor, plan.row, space) if space != plan.row.file.space else None

    async def _copy(self, actor: Actor, row: DocumentRow, space: str) -> tuple[NewFile, bytes, bytes]:
        """The file's bytes again under a new key and id: (file, plain key, wrapped key)."""
        async with self._db.read() as unit:
            _, _, wrapped = await DocumentRepository(unit, actor).get_file(row.file.id, right=_DOWNLOAD)
        plain, new_wrapped = self._keys.new()
        file_id = new_id()
        source: AsyncIterator[bytes] = self._blobs.read(row.file.id, self._keys.unwrap(wrapped))
        receipt = await self._blobs.write(
            file_id,
            plain,
            source,
            hash_key=self._keys.derive(f"content:{space}"),
            max_bytes=row.file.size_bytes,
        )
        file = NewFile(file_id, space, receipt.content_hash.hex(), receipt.size_bytes, row.file.media_type)
        return file, plain, new_wrapped

    async def _apply(
        self,
        actor: Actor,
        plan: _Plan,
        change: ChangeDocument,
        copy: tuple[NewFile, bytes, bytes] | None,
        stray: list[str],
        *,
        by_owner: bool,
    ) -> bool:
        """False when somebody else moved the document since it was planned: nothing is changed then."""
        document_id = plan.row.document.id
        async with self._db.write() as unit:
            repository = DocumentRepository(unit, actor)
            row = await repository.get_row_locked(document_id)
            require(actor, Permission.CHANGE_DOCUMENT, row.document)
            if _place(row) != _place(plan.row):
                return False
            if change.title is not None:
                row.document.title = clean_title(change.title)
            if change.tags is not None:
                await repository.set_tags(document_id, clean_tags(change.tags))
            if copy:
                erased = await self._exchange_file(unit, actor, row, copy)
                unit.after_commit(partial(_exchange, stray, erased))
            told = _changes(row, plan)
            row.document.group_id, row.document.is_private = plan.group_id, plan.is_private
            who, action = (actor, "document.changed") if by_owner else (None, "document.returned")
            await self._audit.record(
                unit, who, action, resource_type="document", resource_id=document_id, details=told
            )
            unit.after_commit(partial(self._following.note, document_id))
            unit.after_commit(
                lambda: self._bus.publish(user_topic(actor.user_id), Event("documents_changed", document_id))
            )
        return True

    async def _exchange_file(
        self, unit: UnitOfWork, actor: Actor, row: DocumentRow, copy: tuple[NewFile, bytes, bytes]
    ) -> list[str]:
        """Puts the document and its passages on the copy, or on the same content that is there. Returns blobs to delete."""
        file, plain, wrapped = copy
        repository, passages = DocumentRepository(unit, actor), PassageRepository(unit, actor)
        erased: list[str] = []
        _, _, old_wrapped = await repository.get_file(row.file.id, right=_DOWNLOAD)
        existing = await repository.find_stored(file.space, file.content_hash)
        is_new = False
        if existing is None:
            existing, is_new = await repository.add_new_file(file, self._keys.current(wrapped))
        if not is_new:
            plain = self._keys.unwrap(await repository.wrapped_key(existing))
            erased.append(file.file_id)
        old_key = self._keys.unwrap(old_wrapped)
        for chunk in await passages.list_chunks(row.document.id, -1, _ALL):
            aad = chunk_aad(chunk.id)
            chunk.sealed_text = seal(plain, open_sealed(old_key, chunk.sealed_text, aad), aad)
        row.document.file_id = existing.id
        await repository.flush()
        if not await repository.is_referenced(row.file.id):
            await repository.delete_file(row.file)
            erased.append(row.file.id)
        return erased


def _changes(row: DocumentRow, plan: _Plan) -> dict[str, Detail]:
    """Whom a document was for before and is for now, where that changes."""
    before: dict[str, Detail] = {"group": row.document.group_id, "private": row.document.is_private}
    after: dict[str, Detail] = {"group": plan.group_id, "private": plan.is_private}
    changed = [name for name in before if before[name] != after[name]]
    return {f"{name}_before": before[name] for name in changed} | {
        f"{name}_after": after[name] for name in changed
    }
