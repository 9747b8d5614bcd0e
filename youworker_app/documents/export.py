"""What documents give to a person's export: what they own, with the passages that were read and the original."""

from collections.abc import AsyncIterator
from dataclasses import asdict

from youworker_app.access.actor import Actor
from youworker_app.access.authenticate import actor_for_user
from youworker_app.access.rights import Right
from youworker_app.core.crypto import open_sealed
from youworker_app.core.db import Database
from youworker_app.core.errors import NotFound
from youworker_app.core.exports import ExportedFile, json_head, json_list
from youworker_app.core.keys import DataKeys
from youworker_app.documents.passage_repository import PassageRepository
from youworker_app.documents.repository import DocumentRepository
from youworker_app.documents.views import chunk_aad, document_view
from youworker_app.gateways.blobs.protocol import BlobStore

_AT_ONCE = 200


class OwnedDocuments:
    """Documents that somebody owns, shared or not. What others own is never in an export, whoever may read it."""

    def __init__(self, db: Database, keys: DataKeys, blobs: BlobStore) -> None:
        self._db, self._keys, self._blobs = db, keys, blobs

    async def export(self, user_id: str) -> AsyncIterator[ExportedFile]:
        """For each `documents/<id>.json` (what is known of it, passages) and `documents/<id>/<file name>` (the original)."""
        async with self._db.read() as unit:
            actor = await actor_for_user(unit, user_id)
            ids = await DocumentRepository(unit, actor).own_ids()
        for number, document_id in enumerate(ids):
            try:
                async for file in self._of(actor, document_id, number / len(ids)):
                    yield file
            except NotFound:
                continue  # deleted meanwhile

    async def _of(self, actor: Actor, document_id: str, share: float) -> AsyncIterator[ExportedFile]:
        async with self._db.read() as unit:
            repository = DocumentRepository(unit, actor)
            view = document_view(await repository.get_row(document_id), actor)
            file, _, wrapped = await repository.get_file(view.file_id, right=Right.DOWNLOAD)
        key = self._keys.unwrap(wrapped)
        original = f"documents/{view.id}/{view.filename}"
        head = json_head(asdict(view) | {"original": original}, "passages")
        passages = self._passages(actor, document_id, key)
        yield json_list(f"documents/{view.id}.json", passages, head=head, share=share)
        yield ExportedFile(original, self._blobs.read(file.id, key), share, is_packed=True)

    async def _passages(self, actor: Actor, document_id: str, key: bytes) -> AsyncIterator[object]:
        last = -1
        while True:
            async with self._db.read() as unit:
                rows = await PassageRepository(unit, actor).list_chunks(document_id, last, _AT_ONCE)
            for row in rows[:_AT_ONCE]:
                text = open_sealed(key, row.sealed_text, chunk_aad(row.id)).decode()
                yield {"id": row.id, "page": row.page, "locator": dict(row.locator), "text": text}
            if len(rows) <= _AT_ONCE:
                return
            last = rows[_AT_ONCE - 1].ordinal
