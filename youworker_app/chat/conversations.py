"""Conversations as people keep them: list, find, rename, delete, read."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.access.permissions import Permission, require
from youworker_app.accounts.errors import AccountHeld
from youworker_app.audit.service import AuditService
from youworker_app.chat.errors import SessionTitleInvalid
from youworker_app.chat.live import LiveRuns
from youworker_app.chat.repository import ChatRepository, CitationRow, MessageRow, RunRow
from youworker_app.chat.schemas import MessageView, SessionView
from youworker_app.chat.vault import Vault, vault_of
from youworker_app.chat.views import citation_by_right, message_view, session_view, stored_citation
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.events import Event, EventBus, user_topic
from youworker_app.core.keys import DataKeys
from youworker_app.core.paging import Page, PageRequest, cursor_for
from youworker_app.documents.service import DocumentService

_TITLE_CHARS = 200
_SEARCHED = 2_000  # titles are sealed, so a search opens them: 2,000 take about 20 ms


@dataclass(frozen=True)
class _Kept:
    """Messages with what belongs to them, as they were at one moment; `vault` opens them."""

    rows: list[MessageRow]
    citations: list[CitationRow]
    runs: dict[str, RunRow]
    vault: Vault


class ConversationService:
    """One person's conversations; nobody else's are ever reached."""

    def __init__(
        self,
        db: Database,
        keys: DataKeys,
        documents: DocumentService,
        runs: LiveRuns,
        audit: AuditService,
        bus: EventBus,
    ) -> None:
        self._db, self._keys, self._documents = db, keys, documents
        self._runs, self._audit, self._bus = runs, audit, bus

    async def list_sessions(self, actor: Actor, q: str | None, page: PageRequest) -> Page[SessionView]:
        """Latest first; `q` looks in the titles of the latest 2,000. Raises Malformed on a foreign cursor."""
        require_scope(actor, Scope.CHAT_READ)
        limit = _SEARCHED if q else page.limit + 1
        async with self._db.read() as unit:
            repository = ChatRepository(unit, actor)
            vault = await vault_of(repository, self._keys)
            rows = await repository.list_sessions(page.position(), limit)
        views = [session_view(row, vault) for row in rows]
        if q:
            views = [view for view in views if q.casefold() in view.title.casefold()]
        items = tuple(views[: page.limit])
        more = len(views) > page.limit
        return Page(items, cursor_for(items[-1].updated_at, items[-1].id) if more else None)

    async def get_session(self, actor: Actor, session_id: str) -> SessionView:
        """One conversation. Raises NotFound."""
        require_scope(actor, Scope.CHAT_READ)
        async with self._db.read() as unit:
            repository = ChatRepository(unit, actor)
            return session_view(
                await repository.get_session(session_id), await vault_of(repository, self._keys)
            )

    async def rename_session(self, actor: Actor, session_id: str, title: str) -> SessionView:
        """The conversation under its new title. Raises NotFound, SessionTitleInvalid."""
        require_scope(actor, Scope.CHAT_WRITE)
        cleaned = _clean(title)
        async with self._db.write() as unit:
            repository = ChatRepository(unit, actor)
            session = await repository.get_session(session_id)
            require(actor, Permission.CHANGE_CHAT, session)
            vault = await vault_of(repository, self._keys)
            session.sealed_title = vault.seal(cleaned)
            self._announce(unit, actor, session_id)
            return session_view(session, vault)

    async def delete_session(self, actor: Actor, session_id: str) -> None:
        """Removes a conversation; an answer that is being written in it stops. Raises NotFound, AccountHeld."""
        require_scope(actor, Scope.CHAT_WRITE)
        async with self._db.write() as unit:
            repository = ChatRepository(unit, actor)
            session = await repository.get_session(session_id)
            require(actor, Permission.CHANGE_CHAT, session)
            if await repository.is_held():
                raise AccountHeld
            await repository.delete_session(session)
            await self._audit.record(
                unit, actor, "chat.deleted", resource_type="session", resource_id=session_id
            )
            self._announce(unit, actor, session_id)
        for run in self._runs.of(actor.user_id):
            if run.session_id == session_id and run.task is not None:
                run.stop_requested = True
                run.task.cancel()

    async def list_messages(self, actor: Actor, session_id: str, page: PageRequest) -> Page[MessageView]:
        """The newest page first, in order of time inside a page; the cursor leads to older ones. Raises NotFound."""
        return (await self.open_session(actor, session_id, page))[1]

    async def open_session(
        self, actor: Actor, session_id: str, page: PageRequest
    ) -> tuple[SessionView, Page[MessageView]]:
        """One conversation with a page of its messages, as `list_messages` gives them. Raises NotFound."""
        require_scope(actor, Scope.CHAT_READ)
        async with self._db.read() as unit:
            repository = ChatRepository(unit, actor)
            session = await repository.get_session(session_id)
            rows = await repository.list_messages(session.id, page.number(), page.limit + 1)
            shown = rows[: page.limit]
            kept = await self._kept(repository, list(reversed(shown)))
        views = await self._views(actor, kept)
        older = str(shown[-1].position) if len(rows) > page.limit else None
        return session_view(session, kept.vault), Page(tuple(views), older)

    async def get_message(self, actor: Actor, message_id: str) -> MessageView:
        """One message with its citations. Raises NotFound."""
        require_scope(actor, Scope.CHAT_READ)
        async with self._db.read() as unit:
            repository = ChatRepository(unit, actor)
            kept = await self._kept(repository, [await repository.get_message(message_id)])
        return (await self._views(actor, kept))[0]

    async def by_right(
        self, actor: Actor, citations: Sequence[Mapping[str, object]]
    ) -> list[dict[str, object]]:
        """Citations of an answer's events as the actor may see them now. What they quote never changes, so rights alone are
        asked for: an answer's first word waits for this."""
        rights = await self._documents.passage_rights(actor, [str(each["chunk_id"]) for each in citations])
        return [citation_by_right(each, rights.get(str(each["chunk_id"]))) for each in citations]

    async def _kept(self, repository: ChatRepository, rows: list[MessageRow]) -> _Kept:
        ids = [row.id for row in rows if row.role == "assistant"]
        vault = await vault_of(repository, self._keys)
        return _Kept(rows, await repository.citations(ids), await repository.runs_of(ids), vault)

    async def _views(self, actor: Actor, kept: _Kept) -> list[MessageView]:
        passages = await self._documents.read_passages(actor, {each.chunk_id for each in kept.citations})
        return [
            message_view(
                row,
                kept.vault,
                kept.runs.get(row.id),
                [stored_citation(each, passages) for each in kept.citations if each.message_id == row.id],
            )
            for row in kept.rows
        ]

    def _announce(self, unit: UnitOfWork, actor: Actor, session_id: str) -> None:
        unit.after_commit(
            lambda: self._bus.publish(user_topic(actor.user_id), Event("sessions_changed", session_id))
        )


def _clean(title: str) -> str:
    visible = "".join(
        char for char in title if unicodedata.category(char) not in {"Cc", "Cs"} or char.isspace()
    )
    cleaned = " ".join(unicodedata.normalize("NFC", visible).split())
    if not 1 <= len(cleaned) <= _TITLE_CHARS:
        raise SessionTitleInvalid
    return cleaned
