"""What a start does about what a killed process left, and what it must not do to those who work already."""

from typing import Any

from tests.house import House, pieces
from youworker_app.gateways.blobs.protocol import BlobReceipt
from youworker_app.ingestion.schemas import Upload

NOTE = b"The boiler in the cellar is serviced in March. Its number is K-4711."
KEY = bytes(32)


async def test_bytes_that_no_row_knows_are_swept_and_others_stay(house: House) -> None:
    anna = await house.person("anna")
    await house.upload(anna, NOTE)
    blobs = house.installation.gateways.blobs
    known = {blob_id async for blob_id in blobs.list_ids()}
    await blobs.write("stray-bytes", KEY, pieces(NOTE), hash_key=KEY, max_bytes=1_000)
    await house.installation.recovery.sweep()
    assert {blob_id async for blob_id in blobs.list_ids()} == known


async def test_an_index_that_opens_late_leaves_an_upload_under_way_its_bytes(house: House) -> None:
    """Where the embedding model is away at start, recovery comes while people upload."""
    anna = await house.person("anna")
    blobs = house.installation.gateways.blobs
    store = blobs.write

    async def then_recover(*arguments: Any, **options: Any) -> BlobReceipt:
        receipt = await store(*arguments, **options)
        await house.installation.recovery.recover()  # the bytes are stored, their row is not
        return receipt

    blobs.write = then_recover  # type: ignore[method-assign]
    item = await house.ingestion.upload(anna, Upload("note.txt"), pieces(NOTE))
    await house.installation.queue.idle()
    document = await house.documents.get_document(anna, item.document_id or "")
    assert document.state == "ready"
    content = (await house.documents.open_file(anna, document.file_id)).stream
    assert b"".join([piece async for piece in content]) == NOTE
