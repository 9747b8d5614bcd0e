"""/v1/audit: the trail for root: events, sums of what people read, a CSV file, and whether it is whole."""

from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime
from starlette.responses import StreamingResponse

from youworker_app.api.actor import CurrentActor
from youworker_app.api.described import errors
from youworker_app.api.paging import PageQuery
from youworker_app.api.params import ShortText
from youworker_app.audit.reader import AuditReader
from youworker_app.audit.schemas import EventFilter, EventView, Span, SumsView, TrailReport
from youworker_app.core.paging import Page, PageRequest
from youworker_app.core.registry import service
from youworker_app.gateways.anchors.protocol import Anchor

router = APIRouter(prefix="/audit", tags=["audit"])

_CSV = {"content": {"text/csv": {"schema": {"type": "string"}}}}


def event_filter(
    actor: ShortText = "",
    action: ShortText = "",
    resource: ShortText = "",
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
    reason: ShortText = "",
) -> EventFilter:
    """Which events are asked for."""
    return EventFilter(actor.strip(), action.strip(), resource.strip(), since, until, reason)


FilterQuery: TypeAlias = Annotated[EventFilter, Depends(event_filter)]


@router.get("")
async def list_events(actor: CurrentActor, wanted: FilterQuery, page: PageQuery) -> Page[EventView]:
    """Root only. What people read, search and ask is left out, unless a setting allows it and a `reason` is given."""
    return await service(AuditReader).list_events(actor, wanted, page)


@router.get("/sums")
async def sums(
    actor: CurrentActor,
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
) -> SumsView:
    """Root only. How often people read, searched and asked, all together and over whole days."""
    return await service(AuditReader).sums(actor, since, until)


@router.get(
    "/export", response_class=StreamingResponse, responses={200: {"description": "A CSV file.", **_CSV}}
)
async def export(actor: CurrentActor, wanted: FilterQuery) -> StreamingResponse:
    """Root only. The same events as a CSV file."""
    lines = await service(AuditReader).export(actor, wanted)
    headers = {"content-disposition": 'attachment; filename="audit.csv"', "cache-control": "no-store"}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/verify", responses=errors(503))
async def verify(
    actor: CurrentActor,
    block: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    mac: Annotated[str, Query(max_length=64)] = "",
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
    cursor: ShortText | None = None,
) -> TrailReport:
    """Root only. A long trail is verified part by part: while there is a `next_cursor`, ask again with it as `cursor`.

    `block` and `mac` are an anchor that was kept elsewhere, to be compared at the end.
    """
    known = Anchor(block, mac, "") if block is not None else None
    span = Span(since, until, after_block(cursor))
    return await service(AuditReader).verify(actor, known, span)


def after_block(cursor: str | None) -> int:
    """The block after which to go on. Raises Malformed."""
    return PageRequest(1, cursor).number() or 0
