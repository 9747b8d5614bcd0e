"""Stopping and repeating the reading of a document."""

import reflex as rx
from reflex.event import EventSpec

from youworker_app.core.registry import service
from youworker_app.documents.ui.state import DocumentsState
from youworker_app.ingestion.service import IngestionService
from youworker_app.ui.base_state import BaseState


class WorkState(BaseState):
    """Holds nothing: the list shows what came of it."""

    @rx.event
    async def retry(self, job_id: str) -> EventSpec:
        """Reads a document again whose reading failed or was stopped."""
        actor = await self._actor()
        await service(IngestionService).retry_job(actor, job_id)
        return DocumentsState.refresh()

    @rx.event
    async def stop(self, job_id: str) -> EventSpec:
        """Stops the reading."""
        actor = await self._actor()
        await service(IngestionService).cancel_job(actor, job_id)
        return DocumentsState.refresh()
