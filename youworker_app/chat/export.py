"""What chat gives to a person's export: every conversation, what was asked and answered, and what each answer cites."""

from collections import defaultdict
from collections.abc import AsyncIterator

from youworker_app.access.actor import Actor
from youworker_app.access.authenticate import actor_for_user
from youworker_app.chat.repository import ChatRepository, CitationRow
from youworker_app.chat.vault import Vault, vault_of
from youworker_app.core.db import Database
from youworker_app.core.exports import ExportedFile, json_head, json_list
from youworker_app.core.keys import DataKeys

_AT_ONCE = 100


class OwnConversations:
    """A citation names its document and passage, and quotes neither: what is one's own stands with the documents, and what
    others own is not in one's export.
    """

    def __init__(self, db: Database, keys: DataKeys) -> None:
        self._db, self._keys = db, keys

    async def export(self, user_id: str) -> AsyncIterator[ExportedFile]:
        """A file `conversations/<id>.json` for each."""
        after, done = None, 0
        async with self._db.read() as unit:
            actor = await actor_for_user(unit, user_id)
            repository = ChatRepository(unit, actor)
            vault, total = await vault_of(repository, self._keys), await repository.count_sessions()
        while True:
            async with self._db.read() as unit:
                rows = await ChatRepository(unit, actor).list_sessions(after, _AT_ONCE)
            for row in rows:
                done += 1
                about: dict[str, object] = {"id": row.id, "title": vault.open(row.sealed_title)}
                about |= {"created_at": row.created_at, "updated_at": row.updated_at}
                messages = self._messages(actor, row.id, vault)
                head, share = json_head(about, "messages"), min(done / max(total, 1), 1.0)
                yield json_list(f"conversations/{row.id}.json", messages, head=head, share=share)
            if len(rows) < _AT_ONCE:
                return
            after = (rows[-1].updated_at, rows[-1].id)

    async def _messages(self, actor: Actor, session_id: str, vault: Vault) -> AsyncIterator[object]:
        after = -1
        while True:
            async with self._db.read() as unit:
                repository = ChatRepository(unit, actor)
                rows = await repository.messages_after(session_id, after, _AT_ONCE)
                cited: dict[str, list[CitationRow]] = defaultdict(list)
                for each in await repository.citations([row.id for row in rows]):
                    cited[each.message_id].append(each)
            for row in rows:
                yield {
                    "id": row.id,
                    "role": row.role,
                    "content": vault.open(row.sealed_content),
                    "state": row.state,
                    "model": row.model,
                    "created_at": row.created_at,
                    "citations": [
                        {"n": each.n, "document_id": each.document_id, "passage_id": each.chunk_id}
                        for each in cited[row.id]
                    ],
                }
            if len(rows) < _AT_ONCE:
                return
            after = rows[-1].position
