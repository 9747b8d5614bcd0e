"""The search index follows what SQL says about who may find a document: after a change, or as soon as the index is back.

The keywords are read from SQL each time and never handed over: of two who change a document at once, neither knows of the other.
"""

import asyncio
from contextlib import suppress

from youworker_app.core.db import Database
from youworker_app.core.errors import DependencyAway
from youworker_app.core.telemetry import get_logger
from youworker_app.documents.indexed import IndexedDocuments
from youworker_app.gateways.vectors.protocol import VectorStore

log = get_logger(__name__)

_PAUSE_S = 2.0


class IndexFollowing:
    """Remembers in memory what could not be told yet; a start compares keywords, so that a crash forgets nothing."""

    def __init__(
        self, db: Database, documents: IndexedDocuments, index: VectorStore, *, pause_s: float = _PAUSE_S
    ) -> None:
        self._db, self._documents, self._index, self._pause_s = db, documents, index, pause_s
        self._due: dict[str, object] = {}  # by document, a mark of the last change
        self._catching_up: asyncio.Task[None] | None = None

    @property
    def is_behind(self) -> bool:
        """Whether there is a change that the index does not know yet."""
        return bool(self._due)

    def note(self, document_id: str) -> None:
        """A change was committed. It is followed in a moment even if nobody asks for it: whoever made it may be gone."""
        self._due[document_id] = object()
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = asyncio.create_task(self._catch_up())

    async def follow(self, document_id: str) -> None:
        """Tells the index now, or later when it is away. The change itself is made and safe."""
        try:
            await self._follow(document_id)
        except DependencyAway as error:
            log.warning("index_follows_later", document_id=document_id, code=error.code)

    async def stop(self) -> None:
        """At a stop: the next start finds what is late."""
        if self._catching_up is not None:
            self._catching_up.cancel()
            with suppress(asyncio.CancelledError):
                await self._catching_up

    async def _catch_up(self) -> None:
        while self._due:
            await asyncio.sleep(self._pause_s)
            with suppress(DependencyAway):
                for document_id in list(self._due):
                    await self._follow(document_id)

    async def _follow(self, document_id: str) -> None:
        change = self._due.get(document_id)
        await follow_visibility(self._db, self._documents, self._index, document_id)
        # One that was noted meanwhile is another's to follow.
        if self._due.get(document_id) is change:
            self._due.pop(document_id, None)


async def follow_visibility(
    db: Database, documents: IndexedDocuments, index: VectorStore, document_id: str
) -> None:
    """Gives a document's points the keywords that SQL says, or removes them with the document.

    Until what was written is what SQL says afterwards: somebody may move or delete the document in the same moment. Whoever
    writes last reads once more after it, so that what stays is right however many do this at once.
    """
    written: tuple[str, ...] | None = None
    while True:
        async with db.read() as unit:
            document = await documents.find(unit, document_id)
        if document is None:
            return await index.delete_document(document_id)
        if document.visibility == written:
            return None
        await index.set_visibility(document_id, document.visibility)
        written = document.visibility
