"""A disk without room under the running server: told in words, nothing half is left, and all goes on once there is room.

Two ways to take the room away, since not every machine lets its tests mount: a small file system of its own, filled with
ballast; and a limit to the size of every file that the server may write, set and lifted while it runs.
"""

import asyncio
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from tests.e2e.product import Product
from tests.e2e.test_stop import person, ready, uploaded
from tests.fake_ollama import FakeOllama, fake_ollama

MIB = 1024 * 1024
RESERVE = 16 * MIB
NOTE = b"The boiler in the cellar is serviced in March. Its number is K-4711."
pytestmark = pytest.mark.timeout(120)


class Room(Protocol):
    """Room on the disk that can be taken away and given back."""

    folder: Path

    def take(self, product: Product, left: int) -> None: ...

    def give_back(self, product: Product) -> None: ...


@dataclass
class SmallDisk:
    """A file system of its own."""

    folder: Path

    def take(self, product: Product, left: int) -> None:
        found = os.statvfs(self.folder)
        size = found.f_bavail * found.f_frsize - left
        with (self.folder / "ballast").open("wb") as file, suppress(OSError):
            while size > 0:
                size -= file.write(bytes(min(size, MIB)))
                file.flush()

    def give_back(self, product: Product) -> None:
        (self.folder / "ballast").unlink(missing_ok=True)


@dataclass
class SmallFiles:
    """No file of the server may grow beyond what it holds: for the kernel, one limit of its process."""

    folder: Path

    def take(self, product: Product, left: int) -> None:
        resource.prlimit(product.worker(), resource.RLIMIT_FSIZE, (left, resource.RLIM_INFINITY))

    def give_back(self, product: Product) -> None:
        resource.prlimit(
            product.worker(), resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Mounted for one test; where that is not allowed, the other way says as much of it as can be said there."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounting.returncode != 0:
        pytest.skip("this machine mounts nothing for its tests: see the test with small files")
    yield SmallDisk(folder)
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    """Answers, and embeds."""
    with fake_ollama() as fake:
        yield fake


def started(folder: Path, ollama: FakeOllama) -> Product:
    settings = {
        "YOUWORKER_EMBEDDING_BACKEND": "ollama",
        "YOUWORKER_STORAGE_RESERVE_BYTES": str(RESERVE),
        "YOUWORKER_SERVER_SHUTDOWN_SECONDS": "1",
    }
    return Product(folder / "data", ollama_url=ollama.url, settings=settings).start()


async def refused(client: httpx.AsyncClient, data: bytes) -> dict[str, Any]:
    answer = await client.post("/v1/ingest/upload", files={"files": ("more.txt", data)})
    assert answer.status_code == 503, answer.text
    error: dict[str, Any] = answer.json()["error"]
    return error


async def job_of(client: httpx.AsyncClient, item: dict[str, Any]) -> tuple[str, str]:
    job = (await client.get(f"/v1/ingest/jobs/{item['job_id']}")).raise_for_status().json()
    return job["state"], job["error_code"]


def stored(product: Product) -> list[str]:
    return sorted(path.name for path in (product.data / "blobs").rglob("*") if path.is_file())


async def test_uploads_stop_first_then_the_index_and_the_rest_goes_on(
    small_disk: SmallDisk, ollama: FakeOllama
) -> None:
    product = started(small_disk.folder, ollama)
    try:
        async with person(product) as client:
            first = await uploaded(client, NOTE, "first.txt")
            await ready(client, [first])
            ollama.stop()  # so that the second one is stored and read, and waits to be embedded
            second = await uploaded(client, NOTE + b"2", "second.txt")
            while await job_of(client, second) != ("queued", "EMBEDDING_AWAY"):
                await asyncio.sleep(0.05)
            small_disk.take(product, RESERVE // 4)
            ollama.start()
            while await job_of(client, second) != ("queued", "STORAGE_FULL"):
                await asyncio.sleep(0.05)
            before = stored(product)
            error = await refused(client, NOTE + b"3")
            assert (error["code"], "disk is full" in error["message"]) == ("STORAGE_FULL", True)
            assert stored(product) == before
            # The database has what the others left.
            answer = await client.post("/v1/chat", json={"message": "When is the boiler serviced?"})
            assert answer.json()["state"] == "complete", answer.text
            small_disk.give_back(product)
            await ready(client, [second, await uploaded(client, NOTE + b"3", "third.txt")])
            assert len(stored(product)) == 3
    finally:
        product.end()


async def test_a_disk_without_a_byte_is_told_and_nothing_acknowledged_is_lost(
    small_disk: SmallDisk, ollama: FakeOllama
) -> None:
    product = started(small_disk.folder, ollama)
    try:
        async with person(product) as client:
            first = await uploaded(client, NOTE, "first.txt")
            await ready(client, [first])
            ollama.first_pause_s = 2.0
            asking = asyncio.create_task(
                client.post("/v1/chat", json={"message": "When is the boiler serviced?"})
            )
            await asyncio.sleep(1)
            small_disk.take(product, 0)
            assert (await refused(client, NOTE + b"3"))["code"] == "STORAGE_FULL"
            written = await client.patch(f"/v1/documents/{first['document_id']}", json={"title": "x" * 500})
            assert written.status_code in {200, 503}, written.text
            view = (await client.get(f"/v1/documents/{first['document_id']}")).raise_for_status().json()
            assert view["state"] == "ready"
            small_disk.give_back(product)
            answer = (await asking).raise_for_status().json()
            assert (answer["state"], answer["content"]) == ("complete", ollama.answer)
            await ready(client, [await uploaded(client, NOTE + b"3", "third.txt")])
            assert len(stored(product)) == 2
    finally:
        product.end()
    product.start()
    try:
        assert "vector_process_died" not in product.log
    finally:
        product.end()


async def test_files_that_may_not_grow_are_told_and_leave_nothing(tmp_path: Path, ollama: FakeOllama) -> None:
    product = started(tmp_path / "installation", ollama)
    room = SmallFiles(tmp_path)
    try:
        async with person(product) as client:
            first = await uploaded(client, NOTE, "first.txt")
            await ready(client, [first])
            before = stored(product)
            room.take(product, 256 * 1024)
            for length in (MIB, 3 * MIB):
                error = await refused(client, b"words " * (length // 6))
                assert error["code"] in {"STORAGE_FULL", "STORAGE_AWAY"}
            assert stored(product) == before
            room.give_back(product)
            await ready(client, [await uploaded(client, b"words " * 10, "again.txt")])
            assert "Traceback" not in product.log
    finally:
        product.end()
