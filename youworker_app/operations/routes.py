"""/health: alive for anyone, in detail for root. Outside /v1, where monitors look for it."""

from typing import Any

from fastapi import APIRouter

from youworker_app.api.actor import CurrentActor
from youworker_app.api.described import errors
from youworker_app.core.registry import service
from youworker_app.operations.service import HealthService

router = APIRouter(prefix="/health", tags=["operations"])


@router.get("")
async def live() -> dict[str, str]:
    return await service(HealthService).live()


@router.get("/detailed", responses=errors(400, 401, 403, 429))
async def detailed(actor: CurrentActor) -> dict[str, Any]:
    """Root, or root's key with the scope admin."""
    return await service(HealthService).detailed(actor)
