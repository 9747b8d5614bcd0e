"""A stored file that was shortened or changed on the disk: told in words, never wrong bytes, the others unharmed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.files import pdf_of
from tests.house import House, open_house, pieces
from youworker_app.core.db import Database
from youworker_app.core.keys import DataKeys
from youworker_app.gateways.blobs.errors import BlobDamaged
from youworker_app.gateways.blobs.files import FileBlobStore
from youworker_app.gateways.embeddings.memory import InMemoryEmbedder
from youworker_app.gateways.llm.scripted import NoModel
from youworker_app.gateways.parsing.parser import LocalParser
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.ingestion.schemas import Upload
from youworker_app.ingestion.service import KIND
from youworker_app.wiring import Gateways

PDF = pdf_of(["The boiler's number is K-4711."] * 3)
TEXT = b"The archive opens at nine. " * 10_000


@pytest.fixture
async def house(
    database: Database, database_url: str, tmp_path: Path, keys: DataKeys
) -> AsyncIterator[House]:
    """A house with its files on a disk."""
    blobs = FileBlobStore(tmp_path / "blobs")
    gateways = Gateways(blobs, MemoryVectorStore(), InMemoryEmbedder(), NoModel(), LocalParser())
    opened = await open_house(database_url, tmp_path / "data", keys, gateways=gateways)
    yield opened
    await opened.stop()


def shorten(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def cut_at_a_frame(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: 11 + 64 * 1024 + 16] if len(data) > 64 * 1024 + 27 else data[:11])


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def empty(file: Path) -> None:
    file.write_bytes(b"")


async def read_into(got: bytearray, stream: AsyncIterator[bytes]) -> None:
    async for piece in stream:
        got += piece


@pytest.mark.parametrize("harm", [shorten, cut_at_a_frame, flip, empty])
async def test_damaged_content_is_told_wherever_it_is_read(house: House, tmp_path: Path, harm) -> None:  # type: ignore[no-untyped-def]
    anna = await house.person("anna")
    whole = await house.upload(anna, TEXT + b"whole", "whole.txt")
    views = [
        await house.documents.get_document(anna, (await house.upload(anna, data, name)).document_id or "")
        for data, name in ((TEXT, "text.txt"), (PDF, "scan.pdf"))
    ]
    for view in views:
        (stored,) = (tmp_path / "blobs").rglob(view.file_id)
        harm(stored)
        got = bytearray()
        with pytest.raises(BlobDamaged):
            await read_into(got, (await house.documents.open_file(anna, view.file_id)).stream)
        assert TEXT.startswith(bytes(got))
    with pytest.raises(BlobDamaged):
        await house.documents.page_picture(anna, views[1].file_id, 1)
    intact = await house.documents.get_document(anna, whole.document_id or "")
    content = await house.documents.open_file(anna, intact.file_id)
    assert b"".join([piece async for piece in content.stream]) == TEXT + b"whole"


async def test_a_file_that_is_damaged_before_it_is_read_fails_in_words(house: House, tmp_path: Path) -> None:
    anna = await house.person("anna")
    queue = house.installation.queue
    queue._stopping = True  # so that nothing is read before the damage is done
    item = await house.ingestion.upload(anna, Upload("scan.pdf"), pieces(PDF))
    view = await house.documents.get_document(anna, item.document_id or "")
    (stored,) = (tmp_path / "blobs").rglob(view.file_id)
    shorten(stored)
    queue._stopping = False
    queue.deliver(KIND, item.job_id or "")
    await queue.idle()
    view = await house.documents.get_document(anna, item.document_id or "")
    assert (view.state, view.error_code) == ("failed", "FILE_CONTENT_DAMAGED")
    assert "Upload the file again" in view.error
