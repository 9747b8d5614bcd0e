"""What chat does when a person goes, or may no longer do what they did."""

import asyncio
from collections.abc import AsyncIterator

from youworker_app.chat.export import OwnConversations
from youworker_app.chat.live import LiveRuns
from youworker_app.chat.repository import erase_chats
from youworker_app.core.db import UnitOfWork
from youworker_app.core.exports import ExportedFile
from youworker_app.core.ports import Erasure


class ChatData:
    """A person's conversations: messages, what they cite, and the runs that wrote them. Fulfils `PersonalData`."""

    name = "conversations"
    tables = frozenset({"chat_sessions", "messages", "citations", "runs"})

    def __init__(self, own: OwnConversations) -> None:
        self._own = own

    def export(self, user_id: str) -> AsyncIterator[ExportedFile]:
        """Every conversation."""
        return self._own.export(user_id)

    async def erase(self, unit: UnitOfWork, user_id: str) -> Erasure:
        """Nobody else ever had any of it."""
        return Erasure(await erase_chats(unit, user_id))


class RunningAnswers:
    """Answers that are being written. Fulfils `RunningWork`."""

    def __init__(self, runs: LiveRuns) -> None:
        self._runs = runs

    async def stop(self, user_id: str) -> None:
        """All of the person's answers end: what each was made from may be out of their sight now. What is written stays."""
        # One that is cancelled before its first step would never come to its end, where it is saved and told.
        await asyncio.sleep(0)
        tasks = []
        for run in self._runs.of(user_id):
            if run.task is not None:
                run.stop_requested = True
                run.task.cancel()
                tasks.append(run.task)
        if tasks:
            await asyncio.wait(tasks)
