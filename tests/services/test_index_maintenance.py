"""Index and SQL are compared both ways and put right, while people go on working."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from tests.house import House, pieces
from youworker_app.access.actor import Actor
from youworker_app.core.ids import new_id
from youworker_app.core.registry import service
from youworker_app.documents.schemas import ChangeDocument
from youworker_app.gateways.embeddings.memory import DIMENSION
from youworker_app.gateways.vectors.protocol import SparseVector, StoredPoint, VectorPoint, VectorStore
from youworker_app.ingestion.maintenance import IndexMaintenance, IndexReport, Repairs
from youworker_app.ingestion.repository import erase_jobs
from youworker_app.ingestion.schemas import Upload
from youworker_app.operations.service import HealthService
from youworker_app.retrieval.schemas import SearchQuery
from youworker_app.retrieval.service import RetrievalService

LONG = "\n\n".join(f"Paragraph {n}. The pump P-{n} stands in hall {n}. " * 6 for n in range(60)).encode()
NOTE = b"The boiler in the cellar is serviced in March. Its number is K-4711."


@pytest.fixture
async def anna(house: House) -> Actor:
    maintenance = service(IndexMaintenance)
    maintenance._rebuilding.settle_s = 0.05
    return await house.person("anna")


def index(house: House) -> VectorStore:
    return house.installation.gateways.vectors


async def check(*, repair: bool = False) -> IndexReport:
    return await service(IndexMaintenance).check(repair=repair)


async def points(house: House) -> list[StoredPoint]:
    return await index(house).list_points(limit=10_000)


def stray(chunk_id: str, document_id: str) -> VectorPoint:
    dense = np.full(DIMENSION, 0.5, np.float32)
    return VectorPoint(chunk_id, document_id, ("u:nobody",), dense, SparseVector((7,), (1.0,)))


async def found(actor: Actor, question: str) -> set[str]:
    hits = await service(RetrievalService).search(actor, SearchQuery(question))
    return {hit.document_id for hit in hits}


async def test_a_whole_index_has_nothing_to_report(house: House, anna: Actor) -> None:
    assert await check(repair=True) == IndexReport(0, 0, (), (), (), (), 0, Repairs())
    await house.upload(anna, LONG)
    await house.upload(anna, NOTE, "boiler.txt")
    before = await points(house)
    report = await check(repair=True)
    assert report == IndexReport(2, len(before), (), (), (), (), 0, Repairs())
    assert report.is_clean
    assert await points(house) == before


async def test_each_kind_of_difference_is_told_apart_and_put_right(house: House, anna: Actor) -> None:
    await house.team(anna, "Team")
    anna = await house.signed_in("anna")
    gone, holed, moved, extra = [
        (await house.upload(anna, LONG + name, f"{name.decode()}.txt")).document_id or ""
        for name in (b"gone", b"holed", b"moved", b"extra")
    ]
    whole = await points(house)
    store = index(house)
    await store.delete_document(gone)
    await store.delete_points([next(p.chunk_id for p in whole if p.document_id == holed)])
    await store.set_visibility(moved, ["u:somebody"])
    unknown, surplus = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
    await store.upsert([stray(unknown, "no-such-document"), stray(surplus, extra)])
    broken = await points(house)

    report = await check()
    assert (report.missing, report.incomplete) == ((gone,), (holed,))
    assert (report.unknown, report.wrong_visibility) == (("no-such-document",), tuple(sorted((moved,))))
    assert (report.surplus_points, report.documents, report.points) == (1, 4, len(broken))
    assert report.repairs is None
    assert not report.is_clean
    assert await points(house) == broken

    repaired = await check(repair=True)
    assert repaired == replace(report, repairs=Repairs(1, 1, 1, 2, 0))
    await house.installation.queue.idle()
    assert await points(house) == whole
    assert (await check()).is_clean


async def test_a_point_under_another_documents_name_is_put_right(house: House, anna: Actor) -> None:
    one = (await house.upload(anna, NOTE, "one.txt")).document_id or ""
    other = (await house.upload(anna, NOTE + b" Two.", "two.txt")).document_id or ""
    whole = await points(house)
    mine = next(point for point in whole if point.document_id == one)
    await index(house).upsert([replace(stray(mine.chunk_id, other), visibility=mine.visibility)])
    report = await check(repair=True)
    assert (report.missing, report.surplus_points) == ((one,), 1)
    await house.installation.queue.idle()
    assert await points(house) == whole


async def test_an_index_that_is_too_large_for_its_kind_is_told(house: House, anna: Actor) -> None:
    """At a start and after a check, to administrators in health."""
    maintenance = service(IndexMaintenance)
    assert maintenance._advised_points == 2_000_000
    await house.upload(anna, LONG)
    size = len(await points(house))
    maintenance._advised_points = size
    await check()
    assert (await service(HealthService).detailed(house.root or anna))["hints"] == []
    await house.upload(anna, NOTE, "boiler.txt")
    await maintenance.compare_counts()
    [hint] = (await service(HealthService).detailed(house.root or anna))["hints"]
    assert f"holds {size + 1} passages; above {size} a Qdrant server is faster" in hint
    maintenance._advised_points = None
    assert maintenance.hints() == ()


async def test_work_under_way_is_neither_reported_nor_harmed(house: House, anna: Actor) -> None:
    """Uploads, moves and deletions run while the index is checked and repaired again and again."""
    team = await house.team(anna, "Team")
    anna = await house.signed_in("anna")
    kept = [(await house.upload(anna, LONG + b"%d" % n, f"{n}.txt")).document_id or "" for n in range(4)]

    async def work() -> None:
        for n in range(6):
            item = await house.ingestion.upload(anna, Upload(f"new{n}.txt"), pieces(LONG + b" new %d" % n))
            for document_id in kept:
                change = ChangeDocument(group_id=team, is_private=bool(n % 2))
                await house.sharing.change_document(anna, document_id, change)
            if n % 2:
                await house.documents.delete_document(anna, item.document_id or "")

    working = asyncio.create_task(work())
    reports = []
    while not working.done():
        reports.append(await check(repair=True))
    await working
    await house.installation.queue.idle()
    assert len(reports) > 2
    for report in reports:
        assert report.is_clean, report
    assert (await check()).is_clean
    assert len(await index(house).count_by_document()) == 7


async def test_a_move_in_the_moment_of_the_repair_wins(
    house: House, anna: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = await house.team(anna, "Team")
    anna = await house.signed_in("anna")
    document = (await house.upload(anna, NOTE)).document_id or ""
    store, repairing = index(house), service(IndexMaintenance)
    await store.set_visibility(document, ["u:somebody"])
    writes, plain = [], store.set_visibility

    async def with_a_move(document_id: str, visibility: tuple[str, ...]) -> None:
        writes.append(visibility)
        if len(writes) == 1:
            await house.sharing.change_document(
                anna, document, ChangeDocument(group_id=team, is_private=False)
            )
        await plain(document_id, visibility)

    monkeypatch.setattr(repairing._index, "set_visibility", with_a_move)
    await check(repair=True)
    assert {p.visibility for p in await points(house)} == {(f"u:{anna.user_id}", f"g:{team}")}


@pytest.mark.parametrize("at_once", [50_000, 0])
async def test_a_start_puts_right_a_move_that_was_cut_short(
    house: House, anna: Actor, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """At once, or in the background where there is much to compare."""
    monkeypatch.setattr("youworker_app.ingestion.maintenance._CHECKED_AT_ONCE", at_once)
    document = (await house.upload(anna, NOTE)).document_id or ""
    whole = await points(house)
    await index(house).set_visibility(document, ["u:former"])
    assert await found(anna, "When is the boiler serviced?") == set()
    assert await service(IndexMaintenance).compare_counts() == 0
    if not at_once:
        service(IndexMaintenance).start()
        await service(IndexMaintenance).settled()
    assert await points(house) == whole
    assert await found(anna, "When is the boiler serviced?") == {document}


async def test_what_no_job_can_embed_again_is_embedded_at_once(house: House, anna: Actor) -> None:
    document = (await house.upload(anna, NOTE)).document_id or ""
    whole = await points(house)
    async with house.installation.db.write() as unit:
        await erase_jobs(unit, anna.user_id)
    await index(house).delete_document(document)
    report = await check(repair=True)
    assert report.repairs == Repairs(documents_embedded=1)
    assert await points(house) == whole
    assert await found(anna, "When is the boiler serviced?") == {document}


async def test_a_start_puts_right_a_move_that_was_cut_short_beside_a_deletion(
    house: House, anna: Actor
) -> None:
    moved = (await house.upload(anna, NOTE)).document_id or ""
    whole = await points(house)
    await index(house).set_visibility(moved, ["u:former"])
    await index(house).upsert([stray(new_id(), new_id())])
    assert await service(IndexMaintenance).compare_counts() == 0
    assert await points(house) == whole
