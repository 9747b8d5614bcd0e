"""What domains give to a person's export: files, each made piece by piece, so that none has to fit into memory."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

_INDENT: Final = 1


@dataclass(frozen=True)
class ExportedFile:
    """`path` is what the file would like to be called; whoever packs it makes the name safe. `share`: how far (0 to 1) its
    domain has come with it. `is_packed`: what is packed already, or may be, is not worth packing again.
    """

    path: str
    pieces: AsyncIterator[bytes] = field(compare=False)
    share: float = 1.0
    is_packed: bool = False


def json_file(path: str, value: object, *, share: float = 1.0) -> ExportedFile:
    """A small file of JSON."""

    async def pieces() -> AsyncIterator[bytes]:
        yield json_text(value)

    return ExportedFile(path, pieces(), share)


def json_list(path: str, items: AsyncIterator[object], *, head: str = "", share: float = 1.0) -> ExportedFile:
    """A list of JSON of any length: `head` (an object without its last brace) and `[…]`, and the brace that it lacks."""

    async def pieces() -> AsyncIterator[bytes]:
        yield f"{head}[\n".encode()
        is_first = True
        async for item in items:
            yield (b"" if is_first else b",\n") + json_text(item)
            is_first = False
        yield b"\n]}\n" if head else b"\n]\n"

    return ExportedFile(path, pieces(), share)


def json_head(value: dict[str, object], name: str) -> str:
    """The head of `json_list` for an object whose list is called `name`."""
    return f"{json.dumps(value, default=_plain, ensure_ascii=False)[:-1]}, {json.dumps(name)}: "


def json_text(value: object) -> bytes:
    """JSON in UTF-8; times as ISO 8601."""
    return json.dumps(value, default=_plain, ensure_ascii=False, indent=_INDENT).encode("utf-8", "replace")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return vars(value)
