"""SQL of documents whose owner or group goes: past what anybody may see, for the ports alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Update, exists, select, update
from sqlmodel import SQLModel, col

from youworker_app.access.visible import SystemReason, erase_rows, system_scope
from youworker_app.core.db import UnitOfWork
from youworker_app.models.accounts import EncryptionKey, User
from youworker_app.models.documents import Chunk, Document, DocumentTag, StoredFile
from youworker_app.models.groups import Membership
from youworker_app.models.jobs import Job

_AT_ONCE = 500  # ids in one statement: databases bound their number


@dataclass(frozen=True)
class HandedOver:
    """A group's documents that a person leaves to an admin of it."""

    group_id: str
    heir_id: str
    documents: int


@dataclass(frozen=True)
class ErasedFile:
    """A stored file that goes, and the data key that goes with it."""

    id: str
    key_id: str


@dataclass(frozen=True)
class HeldDocument:
    """A document in a group that is about to go."""

    id: str
    owner_id: str
    is_private: bool


async def hand_over(unit: UnitOfWork, user_id: str) -> list[HandedOver]:
    """Gives what a person shared with groups to an admin of each: one who can sign in, the longest-standing first."""
    shared = (
        col(Document.owner_id) == user_id,
        col(Document.is_private).is_(False),
        col(Document.deleted_at).is_(None),
    )
    statement = (
        select(col(Membership.group_id), col(Membership.user_id))
        .join(User, col(User.id) == col(Membership.user_id))
        .where(
            col(Membership.group_id).in_(select(col(Document.group_id)).where(*shared)),
            col(Membership.role) == "admin",
            col(Membership.user_id) != user_id,
        )
        .order_by(col(User.is_active).desc(), col(Membership.joined_at), col(Membership.id))
    )
    heirs: dict[str, str] = {}
    for group_id, heir_id in await _all(unit, statement):
        heirs.setdefault(group_id, heir_id)
    given = []
    for group_id, heir_id in heirs.items():
        change = update(Document).where(*shared, col(Document.group_id) == group_id).values(owner_id=heir_id)
        given.append(HandedOver(group_id, heir_id, await _change(unit, change)))
    return given


async def owned_ids(unit: UnitOfWork, user_id: str) -> list[str]:
    """Ids of all documents of a person."""
    return [
        row[0] for row in await _all(unit, select(col(Document.id)).where(col(Document.owner_id) == user_id))
    ]


async def erase_documents(unit: UnitOfWork, user_id: str) -> tuple[dict[str, int], list[ErasedFile]]:
    """All documents of a person, and the files, with their keys, on which nobody else's stand.

    Returns how many rows of each table, and the files.
    """
    own = select(col(Document.id)).where(col(Document.owner_id) == user_id)
    files = [ErasedFile(*row) for row in await _all(unit, _files_of(user_id))]
    counts = {
        "chunks": await erase_rows(unit, Chunk, col(Chunk.document_id).in_(own)),
        "document_tags": await erase_rows(unit, DocumentTag, col(DocumentTag.document_id).in_(own)),
        "jobs": await erase_rows(unit, Job, col(Job.document_id).in_(own)),
        "documents": await erase_rows(unit, Document, col(Document.owner_id) == user_id),
    }
    return counts | await _erase_files(unit, files), files


def _files_of(user_id: str) -> Any:
    """(id, key) of the files that only a person's documents stand on, and of those in their own space."""
    on_file = select(col(Document.id)).where(col(Document.file_id) == col(StoredFile.id))
    theirs = exists(on_file.where(col(Document.owner_id) == user_id))
    others = exists(on_file.where(col(Document.owner_id) != user_id))
    in_space = col(StoredFile.space) == f"u:{user_id}"
    return select(col(StoredFile.id), col(StoredFile.key_id)).where(in_space | theirs, ~others)


async def _erase_files(unit: UnitOfWork, files: Sequence[ErasedFile]) -> dict[str, int]:
    return {
        "stored_files": await _erase_by_id(unit, StoredFile, [each.id for each in files]),
        "encryption_keys": await _erase_by_id(unit, EncryptionKey, [each.key_id for each in files]),
    }


async def _erase_by_id(unit: UnitOfWork, model: type[SQLModel], ids: Sequence[str]) -> int:
    key: Any = model.id  # type: ignore[attr-defined]
    parts = [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]
    return sum([await erase_rows(unit, model, col(key).in_(part)) for part in parts])


async def hold_in_group(unit: UnitOfWork, group_id: str) -> list[HeldDocument]:
    """Holds every document that is in a group, private ones too."""
    statement = (
        select(Document)
        .where(col(Document.group_id) == group_id)
        .order_by(col(Document.created_at), col(Document.id))
    )
    rows = await _all(unit, statement.with_for_update())
    return [HeldDocument(row.id, row.owner_id, row.is_private) for (row,) in rows]


async def take_out(unit: UnitOfWork, group_id: str) -> int:
    """Takes what is private out of the group that it was in. Returns how many documents."""
    change = update(Document).where(col(Document.group_id) == group_id, col(Document.is_private).is_(True))
    return await _change(unit, change.values(group_id=None))


async def _change(unit: UnitOfWork, statement: Update) -> int:
    result: Any = await unit.session.execute(
        system_scope(statement, SystemReason.ERASURE), execution_options={"synchronize_session": False}
    )
    return int(result.rowcount)


async def _all(unit: UnitOfWork, statement: Any) -> Sequence[Any]:
    return (await unit.session.execute(system_scope(statement, SystemReason.ERASURE))).all()
