"""What a test can make the next answer do, once, by `POST /_fault {"kind": …, "after": pieces}`.

stall: silence. error: Ollama's error line. drop: the connection breaks. garbage: not JSON. away: 503.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass

KINDS = frozenset({"stall", "error", "drop", "garbage", "away"})
OUT_OF_MEMORY = "model requires more system memory (5.6 GiB) than is available (1.2 GiB)"


class Dropped(Exception):
    """Raised inside a response, so that the connection breaks off."""


@dataclass(frozen=True)
class Fault:
    kind: str
    after: int = 0


class Faults:
    def __init__(self) -> None:
        self._next: Fault | None = None

    def set(self, fault: Fault | None) -> None:
        self._next = fault

    def take(self) -> Fault | None:
        fault, self._next = self._next, None
        return fault


async def spoiled(lines: AsyncGenerator[bytes, None], fault: Fault) -> AsyncGenerator[bytes, None]:
    """The lines until `fault.after` of them have passed, then the fault."""
    passed = 0
    async for line in lines:
        if passed >= fault.after:
            break
        passed += 1
        yield line
    await lines.aclose()
    match fault.kind:
        case "stall":
            await asyncio.Event().wait()
        case "error":
            yield json.dumps({"error": OUT_OF_MEMORY}).encode() + b"\n"
        case "garbage":
            yield b"<html>not a model</html>\n"
        case _:
            raise Dropped
