"""`require()`: may this actor do this to this object? Objects come from `visible()`, so what is not seen is 404 before."""

from enum import StrEnum

from sqlmodel import SQLModel

from youworker_app.access.actor import Actor
from youworker_app.core.errors import Forbidden, NotFound
from youworker_app.models.chat import ChatSession, Run
from youworker_app.models.documents import Document
from youworker_app.models.groups import Group


class Permission(StrEnum):
    """What can be asked of `require`."""

    CHANGE_DOCUMENT = "change document"
    DELETE_DOCUMENT = "delete document"
    ADD_TO_GROUP = "add to group"
    CHANGE_CHAT = "change chat"
    STOP_RUN = "stop run"
    ADMINISTER = "administer"
    KEEP_TO_ONESELF = "keep to oneself"


class RootOnly(Forbidden):
    code, template = "ROOT_ONLY", "Only the installation's administrator can do this."


class OwnerOnly(Forbidden):
    code, template = "OWNER_ONLY", "Only the owner can do this."


class KeyNarrowed(Forbidden):
    code = "KEY_NARROWED"
    template = "This API key is narrowed to groups: it makes, moves and removes nothing outside of them."


def require(actor: Actor, permission: Permission, subject: SQLModel | None = None) -> None:
    """Raises Forbidden (403) when the actor sees the subject but may not do this, NotFound where it is not theirs to see."""
    match permission, subject:
        case Permission.ADMINISTER, None:
            _demand(actor.is_root, RootOnly())
        case Permission.KEEP_TO_ONESELF, None:
            _demand(not actor.key_line, KeyNarrowed())
        case ((Permission.CHANGE_DOCUMENT | Permission.DELETE_DOCUMENT), Document()):
            _demand(subject.owner_id == actor.user_id, OwnerOnly())
        case Permission.ADD_TO_GROUP, Group():
            _demand(subject.id in actor.group_ids, NotFound())
        case Permission.CHANGE_CHAT, ChatSession():
            _demand(subject.owner_id == actor.user_id, NotFound())
        case Permission.STOP_RUN, Run():
            _demand(subject.owner_id == actor.user_id, NotFound())
        case _:
            raise Forbidden


def _demand(granted: bool, error: Exception) -> None:
    if not granted:
        raise error
