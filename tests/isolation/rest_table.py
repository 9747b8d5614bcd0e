"""The REST half of the matrix: for every route, what its ids name, which scope it asks for, and from which level it answers.

A route is in one of the four tables or public. `{a_id}` in a route is filled from a target of the row's kind.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.house import PASSWORD
from tests.isolation.company import ACTIVE
from tests.isolation.rules import Level
from youworker_app.access.actor import Scope

NOTHING, VIEW, DOWNLOAD, OWN = Level.NOTHING, Level.VIEW, Level.DOWNLOAD, Level.OWN
READ, WRITE = Scope.DOCUMENTS_READ, Scope.DOCUMENTS_WRITE


@dataclass(frozen=True)
class Row:
    """Below `needs` the answer is that of an unknown id, but from `sees` on it is 403.

    `done`: the statuses that mean that the thing was found and the caller may do this; 409 and 422 where the company's
    things are past it. `ends`: nothing is as before afterwards, so each who may do it does it in a company of their own.
    """

    kind: str
    scope: Scope
    needs: Level
    sees: Level = Level.OWN
    done: frozenset[int] = frozenset({200})
    body: Mapping[str, Any] | None = None
    ends: bool = False


BY_ID: Final[Mapping[str, Row]] = {
    "GET /v1/documents/{document_id}": Row("document", READ, VIEW),
    "PATCH /v1/documents/{document_id}": Row("document", WRITE, OWN, VIEW, body={"title": "renamed"}),
    "DELETE /v1/documents/{document_id}": Row("document", WRITE, OWN, VIEW, frozenset({204}), ends=True),
    "GET /v1/documents/{document_id}/chunks": Row("document", READ, VIEW),
    "GET /v1/files/{file_id}/metadata": Row("file", READ, VIEW),
    "GET /v1/files/{file_id}/download": Row("file", READ, DOWNLOAD),
    # Most of the documents are texts, which have no pages.
    "GET /v1/files/{file_id}/pages/{page}.png": Row("page", READ, VIEW, done=frozenset({200, 422})),
    "GET /v1/ingest/jobs/{job_id}": Row("job", READ, OWN),
    "POST /v1/ingest/jobs/{job_id}/cancel": Row("job", WRITE, OWN, done=frozenset({409})),
    "POST /v1/ingest/jobs/{job_id}/retry": Row("job", WRITE, OWN, done=frozenset({409})),
    "GET /v1/sessions/{session_id}": Row("session", Scope.CHAT_READ, OWN),
    "PATCH /v1/sessions/{session_id}": Row("session", Scope.CHAT_WRITE, OWN, body={"title": "renamed"}),
    "DELETE /v1/sessions/{session_id}": Row(
        "session", Scope.CHAT_WRITE, OWN, done=frozenset({204}), ends=True
    ),
    "GET /v1/sessions/{session_id}/messages": Row("session", Scope.CHAT_READ, OWN),
    "GET /v1/chat/runs/{run_id}/events": Row("run", Scope.CHAT_READ, OWN),
    "POST /v1/chat/runs/{run_id}/stop": Row("run", Scope.CHAT_WRITE, OWN, done=frozenset({204})),
    "POST /v1/account/api-keys/{key_id}/rotate": Row(
        "key", Scope.ADMIN, OWN, done=frozenset({201}), ends=True
    ),
    "DELETE /v1/account/api-keys/{key_id}": Row("key", Scope.ADMIN, OWN, done=frozenset({204}), ends=True),
    "DELETE /v1/account/sessions/{login_id}": Row(
        "login", Scope.ADMIN, OWN, done=frozenset({204}), ends=True
    ),
    "GET /v1/groups/{group_id}": Row("group", Scope.GROUPS_READ, VIEW),
    "DELETE /v1/groups/{group_id}": Row("group", Scope.GROUPS_WRITE, OWN, VIEW, frozenset({204}), ends=True),
    "GET /v1/groups/{group_id}/members": Row("group", Scope.GROUPS_READ, VIEW),
    "POST /v1/groups/{group_id}/members": Row(
        "group", Scope.GROUPS_WRITE, OWN, VIEW, frozenset({201}), {"username": "former"}, ends=True
    ),
    "PUT /v1/groups/{group_id}/members/{user_id}": Row(
        "member", Scope.GROUPS_WRITE, OWN, VIEW, frozenset({204, 409}), {"role": "member"}, ends=True
    ),
    "DELETE /v1/groups/{group_id}/members/{user_id}": Row(
        "leaver", Scope.GROUPS_WRITE, OWN, VIEW, frozenset({204, 409}), ends=True
    ),
    # For root alone: who is not root is told so before anything is looked up.
    "PATCH /v1/users/{user_id}": Row(
        "user", Scope.ADMIN, OWN, NOTHING, frozenset({200, 409}), {"is_active": False}, ends=True
    ),
    "POST /v1/users/{user_id}/reset": Row("user", Scope.ADMIN, OWN, NOTHING, frozenset({201}), ends=True),
    "DELETE /v1/users/{user_id}": Row("user", Scope.ADMIN, OWN, NOTHING, frozenset({204, 409}), ends=True),
}


@dataclass(frozen=True)
class Own:
    """A route without an id in its path: whatever it answers is the caller's own, or it is for root alone."""

    scope: Scope | None
    body: Mapping[str, Any] | None = None
    for_root: bool = False
    done: int = 200
    files: bool = False


WITHOUT_ID: Final[Mapping[str, Own]] = {
    "GET /v1/auth/me": Own(None),
    "GET /v1/account": Own(None),
    "PATCH /v1/account": Own(Scope.ADMIN, {"theme": "dark"}),
    "DELETE /v1/account/history": Own(Scope.CHAT_WRITE),
    # The wrong password: whose account it is, is proved before anything goes.
    "DELETE /v1/account": Own(Scope.ADMIN, {"password": "nonsense"}, done=403),
    # An export has no id: whoever asks, asks for their own. Here nobody has one when it is asked for.
    "POST /v1/account/export": Own(Scope.ADMIN, done=202),
    "GET /v1/account/export/state": Own(Scope.ADMIN, done=404),
    "GET /v1/account/export": Own(Scope.ADMIN, done=404),
    "DELETE /v1/account/export": Own(Scope.ADMIN, done=404),
    "GET /v1/erasures": Own(Scope.ADMIN, for_root=True),
    "GET /v1/account/api-keys": Own(Scope.ADMIN),
    "POST /v1/account/api-keys": Own(Scope.ADMIN, {"name": "new", "scopes": ["chat:read"]}, done=201),
    # The same password again, so that the next carrier's present one is right too.
    "POST /v1/account/password": Own(Scope.ADMIN, {"present_password": PASSWORD, "new_password": PASSWORD}),
    "GET /v1/account/doors": Own(Scope.ADMIN),
    "GET /v1/account/sessions": Own(Scope.ADMIN),
    "DELETE /v1/account/sessions": Own(Scope.ADMIN, done=204),
    "GET /v1/users": Own(Scope.ADMIN, for_root=True),
    "POST /v1/users": Own(
        Scope.ADMIN, {"username": "newcomer", "password": "a long pass phrase"}, for_root=True, done=201
    ),
    "GET /v1/audit": Own(Scope.ADMIN, for_root=True),
    "GET /v1/audit/sums": Own(Scope.ADMIN, for_root=True),
    "GET /v1/audit/export": Own(Scope.ADMIN, for_root=True),
    "GET /v1/audit/verify": Own(Scope.ADMIN, for_root=True),
    "GET /health/detailed": Own(Scope.ADMIN, for_root=True),
    "GET /v1/groups/me": Own(Scope.GROUPS_READ),
    "POST /v1/groups": Own(Scope.GROUPS_WRITE, {"name": "circle of {person} by {carrier}"}, done=201),
    "GET /v1/documents": Own(READ),
    "POST /v1/search": Own(READ, {"query": "What does the rule say that is counted twice?", "limit": 50}),
    "POST /v1/ingest/upload": Own(WRITE, done=202, files=True),
    "POST /v1/chat": Own(Scope.CHAT_WRITE, {"message": "What does the rule say?"}),
    "GET /v1/models": Own(Scope.CHAT_READ),
    "GET /v1/sessions": Own(Scope.CHAT_READ),
    "POST /v1/auth/logout": Own(None, done=204),
}


@dataclass(frozen=True)
class Field:
    """A place beside the path that takes an id or a word of something: query, json or form.

    With something of others in it the answer is the same as with something that does not exist.
    """

    entry: str
    place: str
    name: str
    kind: str
    ids: str
    many: bool = False
    below: Level = Level.ASK
    body: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""  # the kind that the caller's own path names
    is_same: bool = True


_QUERY: Final = {"query": "What does the rule say that is counted twice?", "limit": 50}
_QUESTION: Final = {"message": "What does the rule say?"}

FIELDS: Final = (
    Field("GET /v1/documents", "query", "group_id", "place", "group_id"),
    Field("GET /v1/documents", "query", "tag", "word", "tag", below=VIEW),
    Field("GET /v1/documents", "query", "collection", "word", "tag", below=VIEW),
    Field("GET /v1/documents", "query", "q", "word", "name", below=VIEW),
    Field("PATCH /v1/documents/{document_id}", "json", "group_id", "group", "group_id", path="document"),
    Field("GET /v1/files/{file_id}/pages/{page}.png", "query", "chunk_id", "chunk", "chunk_id", path="page"),
    Field("POST /v1/ingest/upload", "form", "group_id", "group", "group_id"),
    Field("POST /v1/ingest/upload", "query", "group_id", "group", "group_id"),
    Field("POST /v1/search", "json", "group_id", "group", "group_id", body=_QUERY),
    Field("POST /v1/search", "json", "group_ids", "group", "group_id", many=True, body=_QUERY),
    Field("POST /v1/search", "json", "document_ids", "document", "document_id", many=True, body=_QUERY),
    Field("POST /v1/search", "json", "tags", "word", "tag", many=True, body=_QUERY),
    Field("POST /v1/search", "json", "collection", "word", "tag", body=_QUERY),
    # Another word finds other passages, so that these two differ; nothing of others may be in them all the same.
    Field("POST /v1/search", "json", "query", "word", "text", is_same=False),
    Field("POST /v1/chat", "json", "message", "word", "text", is_same=False),
    Field("POST /v1/chat", "json", "session_id", "session", "session_id", body=_QUESTION),
    Field("POST /v1/chat", "json", "group_ids", "group", "group_id", many=True, body=_QUESTION),
    Field("POST /v1/chat", "json", "document_ids", "document", "document_id", many=True, body=_QUESTION),
    Field("GET /v1/sessions", "query", "q", "title", "title"),
    Field("PUT /v1/groups/{group_id}/members/{user_id}", "path", "user_id", "person", "user_id", path="group",
          body={"role": "admin"}),
    Field("DELETE /v1/groups/{group_id}/members/{user_id}", "path", "user_id", "person", "user_id", path="group"),
)  # fmt: skip

MATRIX: Final = frozenset(BY_ID) | frozenset(WITHOUT_ID)
WHO_MAY: Final = {False: ACTIVE, True: ("root",)}
