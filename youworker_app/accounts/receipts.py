"""An erasure's receipt as a text to keep."""

from collections.abc import Iterator
from datetime import datetime

from youworker_app.accounts.schemas import ErasureReceipt


def receipt_text(receipt: ErasureReceipt) -> str:
    """Lines of plain text, in English."""
    return "\n".join(_lines(receipt)) + "\n"


def _lines(receipt: ErasureReceipt) -> Iterator[str]:
    yield "YouWorker: erasure receipt"
    yield f"Number: {receipt.id}"
    yield f"Asked for by: {'the person' if receipt.is_own else 'an administrator'}"
    yield f"Begun: {_time(receipt.started_at)}"
    yield f"Rows and keys destroyed: {_time(receipt.erased_at)}"
    yield f"Stored bytes and vectors destroyed: {_time(receipt.finished_at)}"
    yield ""
    yield "Destroyed:"
    for part, rows in receipt.destroyed.items():
        for table, count in rows.items():
            yield f"  {part}: {table}: {count}"
    yield ""
    yield f"Data keys destroyed: {len(receipt.key_ids)}"
    yield from (f"  {key_id}" for key_id in receipt.key_ids)
    yield ""
    yield "Kept: the audit trail, without the name; this receipt, which names nobody."


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "under way"
