"""/v1/account/history: all of one's conversations."""

from fastapi import APIRouter

from youworker_app.api.actor import CurrentActor
from youworker_app.api.described import errors
from youworker_app.chat.history import HistoryCleared, HistoryService
from youworker_app.core.registry import service

router = APIRouter(prefix="/account/history", tags=["accounts"])


@router.delete("", responses=errors(409))
async def clear_history(actor: CurrentActor) -> HistoryCleared:
    """Removes every conversation of the caller's; answers that are being written end first."""
    return await service(HistoryService).clear(actor)
