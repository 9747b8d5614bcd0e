"""For each named moment, the one step that leads through it; and what people see of it afterwards, beside what always holds."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Final

from tests.crash.harness import PATIENCE_S, Life
from tests.crash.journal import PRIVATE, Paper
from tests.crash.people import Gone
from tests.crash.workload import Desk

Step = Callable[[], Awaitable[None]]
Scene = Callable[[Life], Awaitable[Step]]
_PASSAGES = 40  # two batches of the pipeline, three of the embedder


async def upload(life: Life) -> Step:
    """Anna uploads a text of two batches, with two short ones."""
    desk = Desk(life.rng)
    papers = [desk.paper("anna", PRIVATE, passages=count) for count in (_PASSAGES, 1, 1)]
    return partial(life.people["anna"].upload, papers)


async def move(life: Life) -> Step:
    """Anna moves what she has read in full into her group."""
    return partial(life.people["anna"].move, await _read(life), life.groups["north"])


async def delete(life: Life) -> Step:
    """Anna deletes something."""
    return partial(life.people["anna"].delete, await _read(life))


async def ask(life: Life) -> Step:
    """Anna asks and listens."""
    return partial(life.people["anna"].ask, Desk(life.rng).question())


SCENES: Final[Mapping[str, tuple[Scene, int]]] = {
    "bytes half written": (upload, 1),
    "bytes written, not named": (upload, 1),
    "bytes stored, no row": (upload, 1),
    "rows written, not committed": (upload, 0),
    "committed, not delivered": (upload, 0),
    "file read, passages not kept": (upload, 0),
    "passages written, not committed": (upload, 0),
    "passages kept, reading not": (upload, 0),
    "passages in, none embedded": (upload, 0),
    "batch embedded, not written": (upload, 1),
    "batch written, not noted": (upload, 0),
    "all embedded, not finished": (upload, 0),
    "copy stored, not exchanged": (move, 0),
    "moved, index not told": (move, 0),
    "moved, index told": (move, 0),
    "old bytes not deleted": (move, 0),
    "deleted, vectors there": (delete, 0),
    "vectors deleted, bytes there": (delete, 0),
    "asked, not begun": (ask, 0),
    "evidence kept, nothing written": (ask, 0),
    "answer half said": (ask, 30),
    "answer said, end not kept": (ask, 0),
    "answer kept, end not told": (ask, 0),
    "before a commit": (upload, 2),
    "after a commit": (delete, 0),
}


async def play(life: Life, point: str) -> None:
    """Has the server die at the point, in the scene that leads there."""
    scene, passes = SCENES[point]
    step = await scene(life)
    life.arm(point, passes)
    with suppress(Gone):
        await step()
    await life.dead()
    assert life.disarm(), f"nobody came past '{point}'"


async def go_on_from_half_an_answer(life: Life) -> None:
    """What was said before the server died is there and marked, and its question can be asked again where it stands."""
    anna, broken = life.people["anna"], life.journal.talks[-1]
    messages = f"/v1/sessions/{broken.session_id}/messages"
    before = (await anna.get(messages))["items"]
    assert (before[-1]["state"], before[-1]["id"]) == ("interrupted", broken.message_id)
    assert before[-1]["content"], "nothing was kept of what had been said"
    await anna.ask(broken.question, session_id=broken.session_id)
    after = (await anna.get(messages))["items"]
    assert after[: len(before)] == before
    assert [message["state"] for message in after[len(before) :]] == ["complete", "complete"]


async def _read(life: Life) -> Paper:
    """A new document of Anna's that has been read to its end."""
    anna = life.people["anna"]
    paper = Desk(life.rng).paper("anna", PRIVATE, passages=2)
    await anna.upload([paper])
    async with asyncio.timeout(PATIENCE_S):
        while (await anna.get(f"/v1/documents/{paper.id}"))["state"] != "ready":
            await asyncio.sleep(0.02)
    return paper
