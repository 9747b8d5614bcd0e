"""The trail as a table for spreadsheets: no cell begins as a formula, whatever somebody called themselves."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Final

from youworker_app.audit.schemas import EventView

HEADINGS: Final = (
    "time",
    "actor",
    "actor id",
    "address",
    "key or session",
    "action",
    "outcome",
    "resource type",
    "resource id",
    "about",
    "about id",
    "details",
    "correlation id",
    "block",
    "event id",
)
# A spreadsheet takes what begins so for a formula, or for the end of a cell (OWASP, CSV injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def row_of(event: EventView) -> tuple[str, ...]:
    """The cells of an event, in the order of HEADINGS."""
    return (
        event.at.isoformat(),
        event.actor or "",
        event.actor_id or "",
        event.address,
        event.credential_id,
        event.action,
        event.outcome,
        event.resource_type,
        event.resource_id,
        event.subject or "",
        event.subject_id or "",
        json.dumps(dict(event.details), sort_keys=True, ensure_ascii=False) if event.details else "",
        event.correlation_id,
        "" if event.block is None else str(event.block),
        event.id,
    )


def csv_line(cells: Sequence[str]) -> str:
    """One line (RFC 4180); a cell that could be a formula begins with an apostrophe."""
    written = io.StringIO()
    csv.writer(written).writerow([_plain(cell) for cell in cells])
    return written.getvalue()


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell
