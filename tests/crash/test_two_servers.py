"""Two servers over one data folder: the second one says why it may not, the first one does not notice."""

import asyncio
from pathlib import Path

import pytest

from tests.crash.harness import living
from tests.crash.journal import PRIVATE
from tests.crash.outside import check_outside
from tests.crash.workload import Desk
from tests.e2e.product import Product, free_port

pytestmark = pytest.mark.timeout(300)


async def test_the_second_is_refused_and_follows_at_once_when_the_first_is_killed(tmp_path: Path) -> None:
    async with living(tmp_path, "two") as life:
        assert await life.start()
        await life.found()
        second = Product(life.product.data, life.models.url, life.product.settings, free_port())
        before = len(life.product.log)
        assert not await asyncio.to_thread(second.launch)
        second.wait()
        said = life.product.log[before:]
        assert (
            f"YouWorker cannot start: Another YouWorker is running on the data folder {second.data}" in said
        )
        assert "Traceback" not in said
        anna = life.people["anna"]
        paper = Desk(life.rng).paper("anna", PRIVATE, passages=1)
        await anna.upload([paper])
        assert paper.id
        await life.kill()
        try:
            assert await asyncio.to_thread(second.launch), second.log
        finally:
            second.end()
        assert await life.start()
        await check_outside(life)
