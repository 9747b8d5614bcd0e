"""All SQL of conversations, messages, citations and runs. Contents arrive here sealed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, select, tuple_
from sqlmodel import col

from youworker_app.access.repository import Repository
from youworker_app.access.visible import (
    SystemReason,
    count_visible,
    erase_rows,
    insert_rows,
    own_wrapped_key,
    system_scope,
    update_visible,
    visible,
)
from youworker_app.chat.errors import AnswerInterrupted
from youworker_app.core.clock import now
from youworker_app.core.db import UnitOfWork
from youworker_app.core.errors import NotFound
from youworker_app.core.ids import new_id
from youworker_app.core.names import is_plain_text
from youworker_app.models.accounts import User
from youworker_app.models.chat import ChatSession, Citation, Message, Run

SessionRow = ChatSession
MessageRow = Message
CitationRow = Citation
RunRow = Run


@dataclass(frozen=True)
class NewCitation:
    """Which passage `[n]` points at."""

    n: int
    document_id: str
    chunk_id: str
    mark_start: int | None
    mark_end: int | None
    score: float


class ChatRepository(Repository):
    """One person's conversations."""

    async def wrapped_key(self) -> bytes:
        """The actor's own wrapped data key."""
        return await own_wrapped_key(self._unit, self._actor)

    # --- sessions

    async def add_session(self, sealed_title: bytes) -> str:
        """A new conversation of the actor; its id."""
        moment = now()
        row = {
            "id": new_id(),
            "owner_id": self._actor.user_id,
            "key_line": self._actor.key_line or None,
            "sealed_title": sealed_title,
            "created_at": moment,
            "updated_at": moment,
        }
        await self._session.execute(insert_rows(ChatSession), [row])
        return str(row["id"])

    async def get_session(self, session_id: str) -> ChatSession:
        """One of the actor's conversations. Raises NotFound."""
        return await self._get(ChatSession, session_id)

    async def lock_session(self, session_id: str) -> ChatSession:
        """One of the actor's conversations, to be written in: another writer waits. Raises NotFound."""
        if not is_plain_text(session_id):
            raise NotFound
        statement = (
            visible(ChatSession, self._actor).where(col(ChatSession.id) == session_id).with_for_update()
        )
        row = (await self._session.execute(statement)).scalar_one_or_none()
        if row is None:
            raise NotFound
        return row

    async def list_sessions(self, after: tuple[datetime, str] | None, limit: int) -> list[ChatSession]:
        """Latest first, at most `limit`."""
        statement = visible(ChatSession, self._actor)
        if after is not None:
            statement = statement.where(tuple_(col(ChatSession.updated_at), col(ChatSession.id)) < after)
        statement = statement.order_by(col(ChatSession.updated_at).desc(), col(ChatSession.id).desc()).limit(
            limit
        )
        return list((await self._session.execute(statement)).scalars())

    async def count_sessions(self) -> int:
        """How many conversations the actor has."""
        return (await self._session.execute(count_visible(ChatSession, self._actor))).scalar_one()

    async def messages_after(self, session_id: str, position: int, limit: int) -> list[Message]:
        """Messages of one of the actor's conversations behind a position, in order."""
        statement = visible(Message, self._actor).where(
            col(Message.session_id) == session_id, col(Message.position) > position
        )
        found = await self._session.execute(statement.order_by(col(Message.position)).limit(limit))
        return list(found.scalars())

    async def is_held(self) -> bool:
        """Whether what the actor asked and was answered has to stay. Stays so until the unit ends."""
        statement = visible(User, self._actor).where(col(User.id) == self._actor.user_id)
        held = statement.with_only_columns(col(User.held_at)).with_for_update(read=True)
        return (await self._session.execute(held)).scalar_one() is not None

    async def clear(self) -> dict[str, int]:
        """Removes everything that the actor asked and was answered. Returns how many rows of each table."""
        return await erase_chats(self._unit, self._actor.user_id)

    async def delete_session(self, session: ChatSession) -> None:
        """Removes a conversation with its messages, citations and runs."""
        await self._session.delete(session)

    # --- messages

    async def add_turn(
        self, session_id: str, position: int, question: bytes, answer: bytes
    ) -> tuple[str, str]:
        """A sealed question at `position`, and after it the answer, which is being written. Returns the ids of both."""
        asked = _message(session_id, position, "user", question, "complete")
        answering = _message(session_id, position + 1, "assistant", answer, "running")
        await self._session.execute(insert_rows(Message), [asked, answering])
        return str(asked["id"]), str(answering["id"])

    async def get_message(self, message_id: str) -> Message:
        """One of the actor's messages. Raises NotFound."""
        return await self._get(Message, message_id)

    async def change_message(self, message_id: str, **values: object) -> None:
        """Writes columns of one of the actor's messages, without reading it. Raises NotFound."""
        await self._change(Message, message_id, values)

    async def list_messages(self, session_id: str, before: int | None, limit: int) -> list[Message]:
        """The latest messages before a position, newest first, at most `limit`."""
        statement = visible(Message, self._actor).where(col(Message.session_id) == session_id)
        if before is not None:
            statement = statement.where(col(Message.position) < before)
        return list(
            (
                await self._session.execute(statement.order_by(col(Message.position).desc()).limit(limit))
            ).scalars()
        )

    # --- citations

    async def add_citations(self, message_id: str, citations: Sequence[NewCitation]) -> None:
        """Keeps what an answer is written from, in one statement; an answer has none before."""
        rows = [{"id": new_id(), "message_id": message_id, **vars(each)} for each in citations]
        await self._session.execute(insert_rows(Citation), rows)

    async def citations(self, message_ids: Sequence[str]) -> list[Citation]:
        """The citations of several messages, in order."""
        statement = visible(Citation, self._actor).where(col(Citation.message_id).in_(list(message_ids)))
        return list((await self._session.execute(statement.order_by(col(Citation.n)))).scalars())

    # --- runs

    async def add_run(self, session_id: str, message_id: str) -> str:
        """A run that begins now; its id."""
        row = {
            "id": new_id(),
            "session_id": session_id,
            "message_id": message_id,
            "owner_id": self._actor.user_id,
            "state": "running",
            "started_at": now(),
            "ended_at": None,
        }
        await self._session.execute(insert_rows(Run), [row])
        return str(row["id"])

    async def get_run(self, run_id: str) -> Run:
        """One of the actor's runs. Raises NotFound."""
        return await self._get(Run, run_id)

    async def end_run(self, run_id: str, state: str) -> None:
        """One of the actor's runs ends now. Raises NotFound."""
        await self._change(Run, run_id, {"state": state, "ended_at": now()})

    async def is_answering(self, session_id: str) -> bool:
        """Whether an answer is being written in the conversation."""
        statement = count_visible(
            Run, self._actor, col(Run.session_id) == session_id, col(Run.state) == "running"
        )
        return bool((await self._session.execute(statement)).scalar_one())

    async def runs_of(self, message_ids: Sequence[str]) -> dict[str, Run]:
        """The run that wrote each message."""
        statement = visible(Run, self._actor).where(col(Run.message_id).in_(list(message_ids)))
        return {run.message_id: run for run in (await self._session.execute(statement)).scalars()}

    async def _change(self, model: type[Message | Run], row_id: str, values: Mapping[str, object]) -> None:
        statement = update_visible(model, self._actor).where(col(model.id) == row_id).values(**values)
        result = await self._session.execute(statement, execution_options={"synchronize_session": False})
        if not cast("CursorResult[Any]", result).rowcount:
            raise NotFound


def _message(session_id: str, position: int, role: str, sealed: bytes, state: str) -> dict[str, object]:
    return {
        "id": new_id(),
        "session_id": session_id,
        "position": position,
        "role": role,
        "sealed_content": sealed,
        "state": state,
        "model": "",
        "error_code": "",
        "error_details": {},
        "usage": {},
        "created_at": now(),
    }


async def erase_chats(unit: UnitOfWork, user_id: str) -> dict[str, int]:
    """Everything that a person asked and was answered. Returns how many rows of each table."""
    sessions = select(col(ChatSession.id)).where(col(ChatSession.owner_id) == user_id)
    messages = select(col(Message.id)).where(col(Message.session_id).in_(sessions))
    return {
        "citations": await erase_rows(unit, Citation, col(Citation.message_id).in_(messages)),
        "runs": await erase_rows(unit, Run, col(Run.owner_id) == user_id),
        "messages": await erase_rows(unit, Message, col(Message.session_id).in_(sessions)),
        "chat_sessions": await erase_rows(unit, ChatSession, col(ChatSession.owner_id) == user_id),
    }


async def retire_chats(unit: UnitOfWork, before: datetime, limit: int) -> tuple[dict[str, int], set[str]]:
    """Deletes some of the conversations that nobody has written in since `before`, but for people on hold.

    Returns how many conversations and messages, and whose they were.
    """
    held = select(col(User.id)).where(col(User.held_at).is_not(None))
    answering = select(col(Run.session_id)).where(col(Run.state) == "running")
    wanted = (
        select(col(ChatSession.id), col(ChatSession.owner_id))
        .where(
            col(ChatSession.updated_at) < before,
            col(ChatSession.owner_id).not_in(held),
            col(ChatSession.id).not_in(answering),
        )
        .order_by(col(ChatSession.updated_at), col(ChatSession.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = (await unit.session.execute(system_scope(wanted, SystemReason.RETENTION))).all()
    ids = [row[0] for row in rows]
    messages = select(col(Message.id)).where(col(Message.session_id).in_(ids))
    await erase_rows(unit, Citation, col(Citation.message_id).in_(messages))
    await erase_rows(unit, Run, col(Run.session_id).in_(ids))
    counts = {
        "messages": await erase_rows(unit, Message, col(Message.session_id).in_(ids)),
        "conversations": await erase_rows(unit, ChatSession, col(ChatSession.id).in_(ids)),
    }
    return counts, {row[1] for row in rows}


async def interrupt_unfinished(unit: UnitOfWork) -> int:
    """At start: runs that a stopped process left are marked, their partial answers too. Returns how many."""
    runs = select(Run).where(col(Run.state) == "running")
    rows = list((await unit.session.execute(system_scope(runs, SystemReason.RECOVERY))).scalars())
    for run in rows:
        run.state, run.ended_at = "interrupted", now()
    messages = select(Message).where(col(Message.state) == "running")
    for message in (await unit.session.execute(system_scope(messages, SystemReason.RECOVERY))).scalars():
        message.state, message.error_code = "interrupted", AnswerInterrupted.code
        message.error_details = {"message": AnswerInterrupted().message}
    return len(rows)
