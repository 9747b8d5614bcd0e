"""What documents do when a person goes, or a group."""

from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial

from youworker_app.audit.service import AuditService
from youworker_app.core.db import UnitOfWork
from youworker_app.core.errors import NotFound
from youworker_app.core.events import Event, EventBus, user_topic
from youworker_app.core.exports import ExportedFile
from youworker_app.core.ports import Erasure, MoveFirst, Step
from youworker_app.documents.erasure_repository import (
    HandedOver,
    erase_documents,
    hand_over,
    hold_in_group,
    owned_ids,
    take_out,
)
from youworker_app.documents.export import OwnedDocuments
from youworker_app.documents.sharing import SharingService
from youworker_app.gateways.blobs.protocol import BlobStore
from youworker_app.gateways.vectors.protocol import VectorStore


class DocumentData:
    """A person's documents, with their files and passages. Fulfils `PersonalData`."""

    name = "documents"
    tables = frozenset({"documents", "document_tags", "chunks", "stored_files", "encryption_keys", "jobs"})

    def __init__(
        self,
        blobs: BlobStore,
        vectors: VectorStore,
        audit: AuditService,
        bus: EventBus,
        owned: OwnedDocuments,
    ) -> None:
        self._blobs, self._vectors, self._audit, self._bus = blobs, vectors, audit, bus
        self._owned = owned

    def export(self, user_id: str) -> AsyncIterator[ExportedFile]:
        """What the person owns."""
        return self._owned.export(user_id)

    async def erase(self, unit: UnitOfWork, user_id: str) -> Erasure:
        """What is shared with a group goes to an admin of it, if it has another one; everything else is erased.

        A file goes, with its key, when no document of others stands on it; its bytes and the vectors go after the commit.
        """
        for given in await hand_over(unit, user_id):
            await self._tell(unit, given)
        document_ids = await owned_ids(unit, user_id)
        counts, files = await erase_documents(unit, user_id)
        steps: list[Step] = [partial(self._vectors.delete_document, each) for each in document_ids]
        steps += [partial(self._blobs.delete, each.id) for each in files]
        return Erasure(counts, tuple(steps), tuple(each.key_id for each in files))

    async def _tell(self, unit: UnitOfWork, given: HandedOver) -> None:
        await self._audit.record(
            unit,
            None,
            "documents.handed_over",
            resource_type="group",
            resource_id=given.group_id,
            details={"user_id": given.heir_id, "documents": given.documents},
        )
        unit.after_commit(lambda: self._bus.publish(user_topic(given.heir_id), Event("documents_changed")))


class GroupDocuments:
    """What lies in a group goes back to its owners, private. Fulfils `GroupContents`."""

    tables = frozenset({"documents", "stored_files"})

    def __init__(self, sharing: SharingService) -> None:
        self._sharing = sharing

    async def release(self, unit: UnitOfWork, group_id: str) -> Erasure:
        """Raises MoveFirst while anything is shared: each file is copied under a key of its owner's space first."""
        held = await hold_in_group(unit, group_id)
        shared = [each for each in held if not each.is_private]
        if shared:
            raise MoveFirst([partial(self._return, each.owner_id, each.id) for each in shared])
        return Erasure({"documents": await take_out(unit, group_id)})

    async def _return(self, owner_id: str, document_id: str) -> None:
        with suppress(NotFound):  # deleted by its owner meanwhile
            await self._sharing.return_to_owner(owner_id, document_id)
