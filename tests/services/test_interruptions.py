"""A client that goes away at any moment: rows and bytes agree all the same."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from tests.house import House, pieces
from tests.rows import every_row
from youworker_app.core.paging import PageRequest
from youworker_app.documents.schemas import ChangeDocument
from youworker_app.ingestion.schemas import Upload

NOTE = b"The boiler in the cellar is serviced in March. Its number is K-4711."
STEPS = range(0, 80, 2)


async def cut_off(call: Coroutine[Any, Any, Any], turns: int) -> None:
    """Runs a call and cancels it after so many short waits, whatever it is at then."""
    task = asyncio.create_task(call)
    for _ in range(turns):
        await asyncio.sleep(0.0003)
    task.cancel()
    await asyncio.wait((task,))
    if not task.cancelled():
        task.result()


async def assert_agreed(house: House, step: int) -> None:
    """Every stored file has its bytes, and there are no others."""
    await house.installation.queue.idle()
    rows = await every_row(house.installation.db)
    blobs = {blob_id async for blob_id in house.installation.gateways.blobs.list_ids()}
    assert blobs == {row["id"] for row in rows["stored_files"]}, step
    owners = {row["key_id"] for table in ("users", "stored_files") for row in rows[table]}
    assert {row["id"] for row in rows["encryption_keys"]} == owners, step


async def test_an_upload_that_is_cut_off_is_whole_or_nothing(house: House) -> None:
    anna = await house.person("anna")
    for step in STEPS:
        upload = house.ingestion.upload(anna, Upload(f"{step}.txt"), pieces(NOTE + b" %d" % step))
        await cut_off(upload, step)
        await assert_agreed(house, step)


async def test_a_move_that_is_cut_off_is_whole_or_nothing(house: House) -> None:
    anna = await house.person("anna")
    team = await house.team(anna, "Team")
    anna = await house.signed_in("anna")
    item = await house.upload(anna, NOTE)
    for step in STEPS:
        view = await house.documents.get_document(anna, item.document_id or "")
        change = ChangeDocument(group_id=team, is_private=not view.is_private)
        await cut_off(house.sharing.change_document(anna, view.id, change), step)
        await assert_agreed(house, step)
        chunks = await house.documents.list_chunks(anna, view.id, PageRequest())
        assert "K-4711" in chunks.items[0].text
