"""The server is killed while the index is rebuilt: the next one goes on where it was, and searches go on."""

import asyncio
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.crash.harness import PATIENCE_S, Life, living
from tests.crash.inside import check_inside
from tests.crash.journal import PRIVATE, Paper
from tests.e2e.product import ROOT

pytestmark = pytest.mark.timeout(300)

_DOCUMENTS, _PASSAGES = 1, 192
_BATCH = 32  # passages that are embedded before they are written


async def begun(life: Life) -> asyncio.subprocess.Process:
    """`youworker vectors reindex`, as an administrator calls it beside the running server."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "youworker_app.cli", "vectors", "reindex",
        cwd=ROOT, env=life.product.environment(), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def embedded(life: Life, count: int) -> None:
    """Waits until so many texts have been embedded."""
    async with asyncio.timeout(PATIENCE_S):
        while len(life.models.embedded) < count:
            await asyncio.sleep(0.005)


async def rebuilt(life: Life) -> None:
    """Waits until the new generation is the only one."""
    async with asyncio.timeout(PATIENCE_S):
        while sorted(path.name for path in (life.product.data / "vectors").iterdir()) != ["2", "lock"]:
            await asyncio.sleep(0.05)


async def finds(life: Life, papers: list[Paper]) -> None:
    """Each is found by its mark."""
    for paper in papers:
        answer = await life.people["anna"].call("POST", "/v1/search", json={"query": paper.mark})
        assert {item["document_id"] for item in answer.json()["items"]} == {paper.id}, answer.text


@pytest.mark.parametrize("kills", [1, pytest.param(4, marks=pytest.mark.long)])
async def test_a_rebuilding_goes_on_after_kills(tmp_path: Path, kills: int) -> None:
    async with living(tmp_path, "rebuilding") as life:
        assert await life.start()
        await life.found()
        papers = await read(life)
        before = list(life.models.embedded)
        life.models.embed_pause_s = 0.1
        command = await begun(life)
        for number in range(1, kills + 1):
            await embedded(life, len(before) + number * _DOCUMENTS * _PASSAGES // (kills + 1))
            await life.kill()
            assert await life.start()
            await finds(life, papers)
        _, told = await command.communicate()
        assert (command.returncode, b"The server stopped in the middle." in told) == (1, True), told
        life.models.embed_pause_s = 0.0
        await rebuilt(life)
        await finds(life, papers)
        check_embedded_anew(Counter(life.models.embedded[len(before) :]), before, papers, kills)
        await life.stop()
        await check_inside(life)


async def read(life: Life) -> list[Paper]:
    """Some texts of Anna's, read to their end."""
    anna, papers = life.people["anna"], []
    for number in range(_DOCUMENTS):
        mark = f"zq{number:012x}"
        words = "The lease says what the tenant of the warehouse owes each month of the year. " * 7
        content = "\n\n".join(f"{mark} {number} {words}" for number in range(_PASSAGES)).encode()
        papers.append(Paper("anna", f"{mark}.txt", content, mark, {PRIVATE}))
    await anna.upload(papers)
    async with asyncio.timeout(PATIENCE_S):
        while {view["state"] for view in await anna.get_all("/v1/documents")} != {"ready"}:
            await asyncio.sleep(0.02)
    return papers


def check_embedded_anew(again: Counter[str], before: list[str], papers: list[Paper], kills: int) -> None:
    """Every passage was, and a kill cost at most the batch that was under way."""
    passages = [text for text in before if any(text.startswith(f"{paper.mark}\n") for paper in papers)]
    assert len(passages) == _DOCUMENTS * _PASSAGES
    repeated = {text: again[text] - 1 for text in passages}
    assert min(repeated.values()) == 0
    assert sum(repeated.values()) <= kills * _BATCH
