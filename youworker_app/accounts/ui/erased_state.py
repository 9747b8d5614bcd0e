"""The page after the end of an account: for somebody who is nobody any more, with the receipt that their address opens."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import reflex as rx

from youworker_app.accounts.erasures import Erasures
from youworker_app.accounts.schemas import ErasureReceipt
from youworker_app.core.errors import NotFound
from youworker_app.core.registry import service
from youworker_app.ui import i18n
from youworker_app.ui.base_state import BaseState


@dataclass(frozen=True)
class GoneItem:
    """How many of something went."""

    table: str
    count: int


@dataclass(frozen=True)
class ReceiptItem:
    """A receipt as it is shown."""

    id: str = ""
    started_at: str = ""
    erased_at: str = ""
    finished_at: str = ""
    key_count: int = 0


# Tables by the names that people know; what is not here was never a thing of theirs to see.
_KNOWN = {
    "users": "erased.account",
    "login_sessions": "erased.logins",
    "api_keys": "erased.api_keys",
    "identities": "erased.identities",
    "chat_sessions": "erased.conversations",
    "messages": "erased.messages",
    "documents": "erased.documents",
    "stored_files": "erased.files",
    "chunks": "erased.passages",
    "memberships": "erased.memberships",
    "data_exports": "erased.exports",
    "audit_names": "erased.names",
}


class ErasedState(BaseState):
    """`token` is the one of the address; an empty receipt is one that there is not."""

    token: str = ""
    receipt: ReceiptItem = ReceiptItem()
    gone: list[GoneItem] = []

    @rx.event
    async def open(self) -> None:
        """Reads the receipt that the address names."""
        self._speak("")
        await self._address_pays()
        self.token = self.router.url.query_parameters.get("receipt", "")[:64]
        self.receipt, self.gone = ReceiptItem(), []
        try:
            found = await service(Erasures).receipt(self.token)
        except NotFound:
            return
        self.receipt, self.gone = _item(found), _gone(found, self.language)


def _item(found: ErasureReceipt) -> ReceiptItem:
    return ReceiptItem(
        found.id,
        _iso(found.started_at),
        _iso(found.erased_at),
        _iso(found.finished_at),
        len(found.key_ids),
    )


def _iso(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def _gone(found: ErasureReceipt, language: str) -> list[GoneItem]:
    sums: Counter[str] = Counter()
    for rows in found.destroyed.values():
        sums.update(rows)
    return [GoneItem(i18n.text(language, key), sums[table]) for table, key in _KNOWN.items() if sums[table]]
