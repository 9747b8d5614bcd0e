"""Anchors in a file: one JSON line a block, appended and on the disk when `put` returns. Mode 0600."""

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final, TypeAlias

from youworker_app.gateways.anchors.protocol import Anchor, AnchorsAway

_Work: TypeAlias = Callable[[bytes], bytes]
_TAIL_BYTES: Final = 64 * 1024


class FileAnchors:
    """An `AnchorStore` over a file, which is made where it is missing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def put(self, anchors: Sequence[Anchor]) -> None:
        lines = "".join(json.dumps(asdict(anchor)) + "\n" for anchor in anchors)
        await self._in_thread(self._append, lines.encode())

    async def newest(self) -> Anchor | None:
        tail = await self._in_thread(self._tail, b"")
        # A line that was torn by a full disk tells nothing.
        return next((found for line in reversed(tail.splitlines()) if (found := _read(line))), None)

    async def close(self) -> None:
        """It is open only while it is written."""

    async def _in_thread(self, work: _Work, given: bytes) -> bytes:
        try:
            return await asyncio.to_thread(work, given)
        except OSError as error:
            raise AnchorsAway(reason=os.strerror(error.errno or 0)) from error

    def _append(self, lines: bytes) -> bytes:
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(size - 1)
                lines = lines if file.read(1) == b"\n" else b"\n" + lines
            left = memoryview(lines)
            while left:
                left = left[file.write(left) or 0 :]
            os.fsync(file.fileno())
        return b""

    def _tail(self, _given: bytes) -> bytes:
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _TAIL_BYTES))
                return file.read()
        except FileNotFoundError:
            return b""


def _read(line: bytes) -> Anchor | None:
    try:
        told = json.loads(line)
        return Anchor(int(told["seq"]), str(told["mac"]), str(told["sealed_at"]))
    except (ValueError, TypeError, KeyError):
        return None
