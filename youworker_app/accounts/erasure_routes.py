"""/v1: the end of one's own account, and the receipts of erasures."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel
from starlette.responses import PlainTextResponse

from youworker_app.accounts.erasures import Erasures
from youworker_app.accounts.own_erasure import OwnErasureService
from youworker_app.accounts.receipts import receipt_text
from youworker_app.accounts.schemas import ErasureReceipt
from youworker_app.api.actor import CurrentActor
from youworker_app.api.cookies import clear_session
from youworker_app.api.costs import address_pays
from youworker_app.api.described import errors
from youworker_app.api.paging import PageQuery
from youworker_app.api.params import OpaqueId
from youworker_app.core.paging import Page
from youworker_app.core.registry import service

router = APIRouter()

_TEXT = {"content": {"text/plain": {"schema": {"type": "string"}}}}


class EraseBody(BaseModel):
    """May be left out in the session of a sign-in that has just happened; who has no password here signs in anew just before."""

    password: str = ""


class ErasedAnswer(BaseModel):
    """`receipt_token` opens the receipt again at GET /v1/erasures/{receipt_token}; it is told this once."""

    receipt: ErasureReceipt
    receipt_token: str


@router.delete("/account", responses=errors(409, 429))
async def erase_account(
    request: Request, response: Response, actor: CurrentActor, body: EraseBody | None = None
) -> ErasedAnswer:
    """Erases the caller for good. What they shared with a group stays with its admins; groups of nobody else go."""
    erased = await service(OwnErasureService).erase_account(actor, body.password if body else "")
    clear_session(request, response)
    return ErasedAnswer(receipt=erased.receipt, receipt_token=erased.token)


@router.get("/erasures")
async def list_erasures(actor: CurrentActor, page: PageQuery) -> Page[ErasureReceipt]:
    """Root only. The receipts of everybody who was erased; they name nobody."""
    return await service(Erasures).list_receipts(actor, page)


@router.get(
    "/erasures/{receipt_token}",
    response_model=ErasureReceipt,
    responses={200: _TEXT},
    dependencies=[Depends(address_pays)],
)
async def get_receipt(
    receipt_token: OpaqueId,
    form: Annotated[Literal["json", "text"], Query(alias="format")] = "json",
    language: Literal["en", "it"] = "en",
) -> ErasureReceipt | PlainTextResponse:
    """The receipt that the token opens, for whoever holds it: they have no account any more. `language` is the text's."""
    receipt = await service(Erasures).receipt(receipt_token)
    if form == "json":
        return receipt
    headers = {
        "content-disposition": 'attachment; filename="erasure-receipt.txt"',
        "cache-control": "no-store",
    }
    return PlainTextResponse(receipt_text(receipt, language), headers=headers)
