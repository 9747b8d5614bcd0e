"""A disk that is full at the very first start: one sentence and an end, and once there is room the start is like any other."""

from pathlib import Path

import httpx
import pytest

from tests.e2e.product import Product
from tests.e2e.test_disk_full import MIB, NOTE, RESERVE, SmallDisk, ollama, refused, small_disk
from tests.e2e.test_stop import person, ready, uploaded
from tests.fake_ollama import FakeOllama

__all__ = ["ollama", "small_disk"]

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def product(tmp_path: Path, small_disk: SmallDisk, ollama: FakeOllama) -> Product:
    """Its log is elsewhere: that it can say something must not depend on the disk that is full."""
    (small_disk.folder / "data").mkdir()
    (tmp_path / "data").symlink_to(small_disk.folder / "data")
    settings = {"YOUWORKER_STORAGE_RESERVE_BYTES": str(RESERVE), "YOUWORKER_EMBEDDING_BACKEND": "ollama"}
    return Product(tmp_path / "data", ollama_url=ollama.url, settings=settings)


async def works(client: httpx.AsyncClient) -> None:
    await ready(client, [await uploaded(client, NOTE, "boiler.txt")])


@pytest.mark.parametrize(("left", "why"), [(0, "No space left on device"), (128 * 1024, "disk is full")])
async def test_it_is_told_and_the_next_start_is_well(
    product: Product, small_disk: SmallDisk, left: int, why: str
) -> None:
    """Without a byte, and with room for a part of what a first start writes."""
    small_disk.take(product, left)
    assert not product.launch()
    assert product.ended() == 1
    told = [line for line in product.log.splitlines() if "YouWorker cannot start" in line]
    assert len(told) == 1
    assert why in told[0]
    assert "ake room" in told[0]
    assert "Traceback" not in product.log
    small_disk.give_back(product)
    product.start()
    try:
        async with person(product) as client:
            await works(client)
    finally:
        product.end()


async def test_room_for_the_database_alone_is_a_start_and_the_rest_follows_when_there_is_more(
    product: Product, small_disk: SmallDisk
) -> None:
    small_disk.take(product, 4 * MIB)
    product.start()
    try:
        async with person(product) as client:
            assert (await refused(client, NOTE))["code"] == "STORAGE_FULL"
            assert (await client.get("/health/detailed")).json()["checks"]["search_index"]["state"] == "away"
            small_disk.give_back(product)
            await works(client)
    finally:
        product.end()
    assert "Traceback" not in product.log
