"""The policies: for every table, which rows an actor may see. There is no table without one.

Pure SQL expressions. `visible()` applies them, nothing else does. A policy may read other tables: `COVERS` names them, so
that the query fence knows what a stamped statement may touch.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true
from sqlmodel import SQLModel, col

from youworker_app.access.actor import Actor
from youworker_app.access.rights import Right
from youworker_app.models.accounts import (
    ApiKey,
    ApiKeyGroup,
    EncryptionKey,
    Identity,
    InstallationFact,
    LoginSession,
    ProviderSession,
    User,
)
from youworker_app.models.audit import AuditBlock, AuditEvent
from youworker_app.models.chat import ChatSession, Citation, Message, Run
from youworker_app.models.documents import Chunk, Document, DocumentTag, StoredFile
from youworker_app.models.groups import Group, Membership
from youworker_app.models.jobs import Job
from youworker_app.models.privacy import DataExport, ErasureRecord

Policy: TypeAlias = Callable[[Actor, Right], ColumnElement[bool]]

_DOCUMENT_TABLES = frozenset({"documents", "groups"})


def _colleagues(actor: Actor, right: Right) -> ColumnElement[bool]:
    # That a colleague of a name exists is known to the whole company.
    return true() if actor.user_id else false()


def _nobody(actor: Actor, right: Right) -> ColumnElement[bool]:
    return false()


def _own(column: Any) -> Policy:
    """What is a person's own and belongs to no group: a key that is narrowed to groups has none of it."""
    return lambda actor, right: false() if actor.key_line else col(column) == actor.user_id


def _own_groups(column: Any) -> Policy:
    return lambda actor, right: col(column).in_(sorted(actor.group_ids))


def document_policy(actor: Actor, right: Right) -> ColumnElement[bool]:
    """The owner always; a group's members where neither the group nor the owner grants less than `right`.

    By a key that is narrowed to groups, the owner's own are those that these groups share.
    """
    granting = select(col(Group.id)).where(
        col(Group.id).in_(sorted(actor.group_ids)),
        col(Group.default_right) >= int(right),
    )
    shared = and_(
        col(Document.is_private).is_(False),
        col(Document.group_id).in_(granting),
        func.coalesce(col(Document.member_right), int(Right.DOWNLOAD)) >= int(right),
    )
    mine = col(Document.owner_id) == actor.user_id
    if actor.key_line:
        in_sight = col(Document.group_id).in_(sorted(actor.group_ids))
        mine = and_(mine, col(Document.is_private).is_(False), in_sight)
    return and_(col(Document.deleted_at).is_(None), or_(mine, shared))


def _of_documents(column: Any, key: Any = Document.id) -> Policy:
    return lambda actor, right: col(column).in_(select(key).where(document_policy(actor, right)))


def _encryption_keys(actor: Actor, right: Right) -> ColumnElement[bool]:
    files = select(col(StoredFile.key_id)).where(_of_documents(StoredFile.id, Document.file_id)(actor, right))
    own = select(col(User.key_id)).where(col(User.id) == actor.user_id)
    return or_(col(EncryptionKey.id).in_(own), col(EncryptionKey.id).in_(files))


def _chats(actor: Actor, right: Right) -> ColumnElement[bool]:
    """One's own. By a key that is narrowed to groups, those that nobody but its line of keys has asked anything in: others
    were answered from more than it may see."""
    mine = col(ChatSession.owner_id) == actor.user_id
    if not actor.key_line:
        return mine
    return and_(mine, col(ChatSession.key_line) == actor.key_line) if actor.group_ids else false()


def _of_own_chats(column: Any) -> Policy:
    return lambda actor, right: col(column).in_(select(col(ChatSession.id)).where(_chats(actor, right)))


def _runs(actor: Actor, right: Right) -> ColumnElement[bool]:
    mine = col(Run.owner_id) == actor.user_id
    return and_(mine, _of_own_chats(Run.session_id)(actor, right)) if actor.key_line else mine


def _jobs(actor: Actor, right: Right) -> ColumnElement[bool]:
    mine = col(Job.requester_id) == actor.user_id
    return and_(mine, _of_documents(Job.document_id)(actor, right)) if actor.key_line else mine


def _citations(actor: Actor, right: Right) -> ColumnElement[bool]:
    messages = select(col(Message.id)).where(_of_own_chats(Message.session_id)(actor, right))
    return col(Citation.message_id).in_(messages)


def _of_own_logins(actor: Actor, right: Right) -> ColumnElement[bool]:
    own = select(col(LoginSession.id)).where(col(LoginSession.user_id) == actor.user_id)
    return col(ProviderSession.login_session_id).in_(own)


POLICIES: Mapping[type[SQLModel], Policy] = {
    User: _colleagues,
    LoginSession: _own(LoginSession.user_id),
    Identity: _own(Identity.user_id),
    ProviderSession: _of_own_logins,
    ApiKey: _own(ApiKey.owner_id),
    ApiKeyGroup: _own(ApiKeyGroup.owner_id),
    EncryptionKey: _encryption_keys,
    InstallationFact: _nobody,
    Group: _own_groups(Group.id),
    Membership: _own_groups(Membership.group_id),
    StoredFile: _of_documents(StoredFile.id, Document.file_id),
    Document: document_policy,
    DocumentTag: _of_documents(DocumentTag.document_id),
    Chunk: _of_documents(Chunk.document_id),
    ChatSession: _chats,
    Message: _of_own_chats(Message.session_id),
    Citation: _citations,
    Run: _runs,
    Job: _jobs,
    AuditEvent: _own(AuditEvent.actor_id),
    AuditBlock: _nobody,
    DataExport: _own(DataExport.owner_id),
    ErasureRecord: _nobody,
}

_READS: Mapping[type[SQLModel], frozenset[str]] = {
    EncryptionKey: _DOCUMENT_TABLES | {"users", "stored_files"},
    ProviderSession: frozenset({"login_sessions"}),
    Document: _DOCUMENT_TABLES,
    StoredFile: _DOCUMENT_TABLES,
    DocumentTag: _DOCUMENT_TABLES,
    Chunk: _DOCUMENT_TABLES,
    Message: frozenset({"chat_sessions"}),
    Citation: frozenset({"chat_sessions", "messages"}),
}
# What they read more, of who came with a key that is narrowed to groups.
_READS_NARROWED: Mapping[type[SQLModel], frozenset[str]] = {
    Run: frozenset({"chat_sessions"}),
    Job: _DOCUMENT_TABLES,
}


def covered_tables(model: type[SQLModel], *, is_narrowed: bool = False) -> frozenset[str]:
    """The tables that a statement under this model's policy may name; `is_narrowed`: for a key narrowed to groups."""
    more = _READS_NARROWED.get(model, frozenset()) if is_narrowed else frozenset()
    return _READS.get(model, frozenset()) | more | {str(model.__tablename__)}
