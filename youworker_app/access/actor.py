"""Who asks. An Actor is made by `authenticate` alone and carries everything that a policy needs to know."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from youworker_app.core.errors import Forbidden


class Scope(StrEnum):
    """What an API key may be narrowed to."""

    CHAT_READ = "chat:read"
    CHAT_WRITE = "chat:write"
    DOCUMENTS_READ = "documents:read"
    DOCUMENTS_WRITE = "documents:write"
    GROUPS_READ = "groups:read"
    GROUPS_WRITE = "groups:write"
    ANALYTICS_READ = "analytics:read"
    ADMIN = "admin"


class ScopeMissing(Forbidden):
    code, template = "SCOPE_MISSING", "This API key lacks the scope {scope}."


@dataclass(frozen=True)
class Actor:
    """A signed-in person, by browser (`scopes` is None: all) or by API key (`scopes` narrows).

    `key_line` is set for a key that is narrowed to groups, and says which line of keys it belongs to: `group_ids` are then
    those of the key, and what is the person's own outside of them is out of sight. `entered_at`: seconds of the monotonic
    clock, from before it was asked who this is.
    """

    user_id: str
    username: str
    is_root: bool = False
    group_ids: frozenset[str] = frozenset()
    admin_group_ids: frozenset[str] = frozenset()
    scopes: frozenset[Scope] | None = None
    key_line: str = ""
    credential_id: str = field(default="", compare=False)
    language: str = field(default="", compare=False)
    key_expires_at: datetime | None = field(default=None, compare=False)
    entered_at: float = field(default=0.0, compare=False)


def require_scope(actor: Actor, scope: Scope) -> None:
    """Raises ScopeMissing (403) when the actor's key lacks the scope. Asked before anything is looked up."""
    if actor.scopes is not None and scope not in actor.scopes:
        raise ScopeMissing(scope=scope.value)
