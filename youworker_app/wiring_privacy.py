"""The part of the composition root that makes what people have over their own data: clearing, exporting, keeping for a time."""

from youworker_app.audit.service import AuditService
from youworker_app.chat.history import HistoryService
from youworker_app.chat.live import LiveRuns
from youworker_app.chat.ports import RunningAnswers
from youworker_app.core import registry
from youworker_app.core.db import Database
from youworker_app.core.events import EventBus


def wire_privacy(db: Database, audit: AuditService, bus: EventBus, runs: LiveRuns) -> None:
    """Makes and registers it."""
    registry.provide(HistoryService, HistoryService(db, RunningAnswers(runs), audit, bus))
