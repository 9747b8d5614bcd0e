"""The way in: acknowledged means safe, stages are resumed, failures are told and cost one document alone."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import event, text

from tests.files import pdf_of, scanned_pdf, with_password
from tests.house import House, open_house, pieces
from youworker_app.access.actor import Actor
from youworker_app.core.db import Database
from youworker_app.core.errors import AppError, NotFound
from youworker_app.core.keys import DataKeys
from youworker_app.documents.schemas import ChangeDocument, DocumentView
from youworker_app.gateways.blobs.memory import MemoryBlobStore
from youworker_app.gateways.embeddings.errors import EmbeddingAway, EmbeddingFailed
from youworker_app.gateways.embeddings.memory import InMemoryEmbedder
from youworker_app.gateways.llm.scripted import NoModel
from youworker_app.gateways.parsing.errors import EmptyFile, TypeRefused
from youworker_app.gateways.parsing.parser import LocalParser
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.ingestion.errors import JobNotRetryable, JobNotStoppable
from youworker_app.ingestion.repository import JobRepository
from youworker_app.ingestion.schemas import Upload, UploadedItem
from youworker_app.ingestion.service import KIND
from youworker_app.ingestion.worker import MAX_ATTEMPTS
from youworker_app.wiring import Gateways

NOTE = b"The boiler in the cellar is serviced in March. Its number is K-4711."
LONG = "\n\n".join(
    f"Paragraph {n}. The pump number P-{n} stands in hall {n}. " * 6 for n in range(120)
).encode()


class FlakyEmbedder(InMemoryEmbedder):
    """Away for the first calls, or until told."""

    def __init__(self, failures: int = 0, error: AppError | None = None) -> None:
        super().__init__()
        self.error = error or EmbeddingAway(url="127.0.0.1:11434")
        self.failures = failures
        self.texts: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.reached = asyncio.Event()
        self.wait_after = 0  # texts, then it waits at the gate

    async def embed_documents(self, texts):  # type: ignore[no-untyped-def]
        if len(self.texts) >= self.wait_after:
            self.reached.set()
            await self.gate.wait()
        if self.failures > 0:
            self.failures -= 1
            raise self.error
        self.texts += texts
        return await super().embed_documents(texts)


class FlakyHouses:
    """Opens a house over a given embedder, and again over what an `old` one kept. The last one is stopped with the test."""

    def __init__(self, database_url: str, folder: Path, keys: DataKeys) -> None:
        self._place = (database_url, folder, keys)
        self.last: House | None = None

    async def open(self, embedder: InMemoryEmbedder, old: House | None = None) -> House:
        """With the blobs and vectors of an `old` one it is the same house after a restart."""
        kept = old.installation.gateways if old else None
        gateways = Gateways(
            kept.blobs if kept else MemoryBlobStore(),
            kept.vectors if kept else MemoryVectorStore(),
            embedder,
            NoModel(),
            LocalParser(),
        )
        self.last = await open_house(*self._place, gateways=gateways)
        return self.last

    async def open_waiting(self, embedder: InMemoryEmbedder, old: House | None = None) -> House:
        """One that does not wait long between two tries."""
        house = await self.open(embedder, old)
        house.installation.room._first_pause_s = house.installation.room._pause_s = 0.02
        return house


@pytest.fixture
async def flaky(
    database: Database, database_url: str, tmp_path: Path, keys: DataKeys
) -> AsyncIterator[FlakyHouses]:
    """Houses whose embedder the test chooses."""
    houses = FlakyHouses(database_url, tmp_path, keys)
    yield houses
    if houses.last is not None:
        await houses.last.stop()


async def test_a_small_file_is_few_statements_and_units(house: House) -> None:
    anna = await house.person("anna")
    engine, statements, commits = house.installation.db.engine.sync_engine, list[str](), list[object]()

    def on_statement(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", on_statement)
    event.listen(engine, "commit", commits.append)
    item = await house.upload(anna, NOTE)
    n_statements, n_commits = len(statements), len(commits)
    assert (await house.documents.get_document(anna, item.document_id or "")).state == "ready"
    # Each costs a small file about half a millisecond of processor time, and a commit a wait for the disk.
    assert n_statements <= 26, "\n".join(statements)
    assert n_commits == 5  # taken in; who asked; begun; its text; ready


async def test_the_same_content_twice_is_told_and_stored_once(house: House) -> None:
    anna, bruno = await house.person("anna"), await house.person("bruno")
    first = await house.upload(anna, NOTE, "one.txt")
    second = await house.upload(anna, NOTE, "two.txt")
    assert second.duplicate_of == first.document_id
    stranger = await house.upload(bruno, NOTE, "three.txt")
    assert stranger.duplicate_of is None
    blobs = [blob async for blob in house.installation.gateways.blobs.list_ids()]
    assert len(blobs) == 2


async def test_two_uploads_of_one_content_at_once_keep_one_file(house: House) -> None:
    anna = await house.person("anna")
    items = await asyncio.gather(
        *(house.ingestion.upload(anna, Upload(f"{n}.txt"), pieces(NOTE)) for n in range(8))
    )
    await house.installation.queue.idle()
    assert len({item.document_id for item in items}) == 1
    assert len([blob async for blob in house.installation.gateways.blobs.list_ids()]) == 1


@pytest.mark.parametrize(
    ("data", "name", "error"),
    [(b"", "empty.txt", EmptyFile), (b"MZ\x90\x00\x03\x00\x00", "setup.txt", TypeRefused)],
)
async def test_a_refused_file_leaves_nothing_behind(
    house: House, data: bytes, name: str, error: type[Exception]
) -> None:
    anna = await house.person("anna")
    with pytest.raises(error):
        await house.upload(anna, data, name)
    with pytest.raises(NotFound):
        await house.upload(anna, NOTE, group_id="nobody's")
    assert [blob async for blob in house.installation.gateways.blobs.list_ids()] == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (scanned_pdf(), "PDF_WITHOUT_TEXT"),
        (with_password(pdf_of(["Secret."]), user="x", owner="y"), "PDF_PASSWORD_PROTECTED"),
        (pdf_of(["Hello."])[:200], "PDF_DAMAGED"),
    ],
    ids=["no text", "password", "damaged"],
)
async def test_a_file_that_cannot_be_read_fails_in_words_and_is_kept(
    house: House, data: bytes, code: str
) -> None:
    anna = await house.person("anna")
    item = await house.upload(anna, data, "file.pdf")
    view = await house.documents.get_document(anna, item.document_id or "")
    assert (view.state, view.error_code) == ("failed", code)
    assert view.error
    content = await house.documents.open_file(anna, view.file_id)
    assert b"".join([piece async for piece in content.stream]) == data


async def until(house: House, actor: Actor, item: UploadedItem, state: str, code: str = "") -> DocumentView:
    """The document, once it is in this state with this reason."""
    while True:
        view = await house.documents.get_document(actor, item.document_id or "")
        if (view.state, view.error_code) == (state, code):
            return view
        await asyncio.sleep(0.005)


async def test_documents_wait_for_an_embedder_however_long_and_go_on_by_themselves(
    flaky: FlakyHouses,
) -> None:
    embedder = FlakyEmbedder(failures=10**9)
    house = await flaky.open_waiting(embedder)
    anna = await house.person("anna")
    items = [
        await house.ingestion.upload(anna, Upload(f"{n}.txt"), pieces(NOTE + b"%d" % n)) for n in range(5)
    ]
    for item in items:
        view = await until(house, anna, item, "queued", "EMBEDDING_AWAY")
        assert "Ollama" in view.error
        job = await house.ingestion.get_job(anna, item.job_id or "")
        assert (job.stage, job.error_code) == ("text", "EMBEDDING_AWAY")
        assert job.state in {"queued", "running"}  # now and then one tries
    tried = embedder.failures
    while tried - embedder.failures < MAX_ATTEMPTS + 1:
        await asyncio.sleep(0.01)
    late = await house.ingestion.upload(anna, Upload("late.txt"), pieces(NOTE + b"late"))
    embedder.failures = 0
    for item in (*items, late):
        await until(house, anna, item, "ready")
    assert len(embedder.texts) == len(set(embedder.texts)) == 6


async def test_a_waiting_document_can_be_stopped_and_tried_again(flaky: FlakyHouses) -> None:
    embedder = FlakyEmbedder(failures=10**9)
    house = await flaky.open_waiting(embedder)
    anna = await house.person("anna")
    item = await house.ingestion.upload(anna, Upload("note.txt"), pieces(NOTE))
    await until(house, anna, item, "queued", "EMBEDDING_AWAY")
    with pytest.raises(JobNotRetryable):
        await house.ingestion.retry_job(anna, item.job_id or "")
    await house.ingestion.cancel_job(anna, item.job_id or "")
    tried = embedder.failures
    await asyncio.sleep(0.1)
    assert embedder.failures >= tried - 1
    await until(house, anna, item, "cancelled")
    embedder.failures = 0
    await house.ingestion.retry_job(anna, item.job_id or "")
    await until(house, anna, item, "ready")
    with pytest.raises(JobNotStoppable):
        await house.ingestion.cancel_job(anna, item.job_id or "")


async def test_a_waiting_document_waits_on_after_a_restart(flaky: FlakyHouses) -> None:
    embedder = FlakyEmbedder(failures=10**9)
    house = await flaky.open_waiting(embedder)
    anna = await house.person("anna")
    item = await house.ingestion.upload(anna, Upload("note.txt"), pieces(NOTE))
    await until(house, anna, item, "queued", "EMBEDDING_AWAY")
    await house.stop()
    again = await flaky.open_waiting(embedder, house)
    await until(again, anna, item, "queued", "EMBEDDING_AWAY")
    embedder.failures = 0
    await until(again, anna, item, "ready")


async def test_what_waiting_does_not_help_fails_after_a_few_tries(flaky: FlakyHouses) -> None:
    embedder = FlakyEmbedder(failures=10**9, error=EmbeddingFailed(model="m", reason="too long"))
    house = await flaky.open_waiting(embedder)
    house.installation.worker._retry_seconds = 0.001
    anna = await house.person("anna")
    item = await house.upload(anna, NOTE)
    assert (await until(house, anna, item, "failed", "EMBEDDING_FAILED")).error.endswith("too long")
    assert 10**9 - embedder.failures == MAX_ATTEMPTS


async def test_a_restart_goes_on_where_it_was_and_repeats_no_batch(flaky: FlakyHouses) -> None:
    embedder = FlakyEmbedder()
    house = await flaky.open(embedder)
    anna = await house.person("anna")
    item = await house.ingestion.upload(anna, Upload("long.txt"), pieces(LONG))
    while (await house.ingestion.get_job(anna, item.job_id or "")).progress < 0.3:
        await asyncio.sleep(0.005)
    embedder.gate.clear()
    await asyncio.sleep(0.05)
    await house.stop()
    done_before = len(embedder.texts)
    assert done_before > 0
    embedder.gate.set()
    again = await flaky.open(embedder, house)
    await again.installation.queue.idle()
    view = await again.documents.get_document(anna, item.document_id or "")
    assert view.state == "ready"
    assert len(embedder.texts) == len(set(embedder.texts))
    stored = await again.installation.gateways.vectors.count_by_document()
    assert stored == {item.document_id: len(embedder.texts)}


async def test_what_was_embedded_while_it_was_shared_follows(flaky: FlakyHouses) -> None:
    embedder = FlakyEmbedder()
    embedder.gate.clear()
    house = await flaky.open(embedder)
    await house.person("root")
    anna = await house.person("anna")
    group_id = await house.team(anna, "plant")
    anna = await house.signed_in("anna")
    item = await house.ingestion.upload(anna, Upload("long.txt"), pieces(LONG))
    await embedder.reached.wait()  # the first of several batches, under the owner's keyword alone
    change = ChangeDocument(group_id=group_id, is_private=False)
    await house.sharing.change_document(anna, item.document_id or "", change)
    embedder.gate.set()
    await house.installation.queue.idle()
    assert (await house.documents.get_document(anna, item.document_id or "")).state == "ready"
    counts = await house.installation.gateways.vectors.count_by_visibility()
    assert len(embedder.texts) > 32
    assert counts[f"g:{group_id}"] == len(embedder.texts)


async def test_a_cancelled_job_stops_and_can_be_tried_again(flaky: FlakyHouses) -> None:
    embedder = FlakyEmbedder()
    embedder.gate.clear()
    house = await flaky.open(embedder)
    anna = await house.person("anna")
    item = await house.ingestion.upload(anna, Upload("long.txt"), pieces(LONG))
    while (await house.ingestion.get_job(anna, item.job_id or "")).stage != "text":
        await asyncio.sleep(0.005)
    assert (await house.ingestion.cancel_job(anna, item.job_id or "")).state == "cancelled"
    embedder.gate.set()
    await house.installation.queue.idle()
    assert (await house.documents.get_document(anna, item.document_id or "")).state == "cancelled"
    await house.ingestion.retry_job(anna, item.job_id or "")
    await house.installation.queue.idle()
    assert (await house.documents.get_document(anna, item.document_id or "")).state == "ready"


async def test_a_document_deleted_while_it_is_read_leaves_no_vectors(flaky: FlakyHouses) -> None:
    embedder = FlakyEmbedder()
    embedder.gate.clear()
    house = await flaky.open(embedder)
    anna = await house.person("anna")
    item = await house.ingestion.upload(anna, Upload("long.txt"), pieces(LONG))
    while (await house.ingestion.get_job(anna, item.job_id or "")).stage != "text":
        await asyncio.sleep(0.005)
    await house.documents.delete_document(anna, item.document_id or "")
    embedder.gate.set()
    await house.installation.queue.idle()
    assert await house.installation.gateways.vectors.count_by_document() == {}


async def test_a_start_sweeps_stray_blobs_and_vectors_and_fills_what_is_missing(
    flaky: FlakyHouses, keys: DataKeys
) -> None:
    embedder = FlakyEmbedder()
    house = await flaky.open(embedder)
    anna = await house.person("anna")
    item = await house.upload(anna, NOTE)
    gateways = house.installation.gateways
    await gateways.blobs.write("stray-blob", keys.new()[0], pieces(b"x"), hash_key=b"k" * 32, max_bytes=9)
    await gateways.vectors.delete_document(item.document_id or "")
    await house.stop()
    again = await flaky.open(embedder, house)
    await again.installation.queue.idle()
    assert "stray-blob" not in [blob async for blob in gateways.blobs.list_ids()]
    assert await gateways.vectors.count_by_document() == {item.document_id: 1}


async def test_a_stranger_reaches_no_job(house: House) -> None:
    anna, bruno = await house.person("anna"), await house.person("bruno")
    item = await house.upload(anna, NOTE)
    with pytest.raises(NotFound):
        await house.ingestion.get_job(bruno, item.job_id or "")
    with pytest.raises(NotFound):
        await house.ingestion.cancel_job(bruno, item.job_id or "")
    with pytest.raises(NotFound):
        await house.ingestion.retry_job(bruno, item.job_id or "")


async def test_a_file_that_tells_its_title_and_author_is_listed_by_them(house: House) -> None:
    anna = await house.person("anna")
    told = await house.upload(
        anna, pdf_of(["Boilers."], title="Boiler manual", author="Ufficio tecnico"), "scan-0001.pdf"
    )
    view = await house.documents.get_document(anna, told.document_id or "")
    assert (view.title, view.author, view.filename) == ("Boiler manual", "Ufficio tecnico", "scan-0001.pdf")
    silent = await house.upload(anna, NOTE, "boiler.txt")
    view = await house.documents.get_document(anna, silent.document_id or "")
    assert (view.title, view.author) == ("boiler", "")


async def test_a_damaged_pdf_that_can_be_rescued_is_read(house: House) -> None:
    anna = await house.person("anna")
    whole = pdf_of(["The boiler's number is K-4711."])
    cut = whole[: whole.rindex(b"startxref")]
    item = await house.upload(anna, cut, "cut.pdf")
    view = await house.documents.get_document(anna, item.document_id or "")
    assert view.state == "ready"
    assert (await house.documents.page_picture(anna, view.file_id, 1)).startswith(b"\x89PNG")


async def test_a_stop_hands_jobs_back_and_the_next_start_goes_on_where_they_were(flaky: FlakyHouses) -> None:
    embedder = FlakyEmbedder()
    house = await flaky.open(embedder)
    anna = await house.person("anna")
    embedder.wait_after = 32
    embedder.gate.clear()
    item = await house.ingestion.upload(anna, Upload("long.txt"), pieces(LONG))
    await embedder.reached.wait()
    await house.installation.hand_over()
    job = await house.ingestion.get_job(anna, item.job_id or "")
    view = await house.documents.get_document(anna, item.document_id or "")
    assert (job.state, job.stage, view.state) == ("queued", "text", "queued")
    late = await house.ingestion.upload(anna, Upload("late.txt"), pieces(NOTE))
    assert (await house.ingestion.get_job(anna, late.job_id or "")).state == "queued"
    await house.stop()
    embedder.gate.set()
    again = await flaky.open(embedder, house)
    await again.installation.queue.idle()
    for each in (item, late):
        assert (await again.documents.get_document(anna, each.document_id or "")).state == "ready"
    assert len(embedder.texts) == len(set(embedder.texts))


async def test_when_one_gets_on_all_go_on_before_it_is_done(flaky: FlakyHouses) -> None:
    """A long document is embedded for hours: the others do not wait for its end once its first passages were."""
    embedder = FlakyEmbedder(failures=2)
    house = await flaky.open(embedder)
    house.installation.room._first_pause_s = house.installation.room._pause_s = 3_600
    anna = await house.person("anna")
    long = await house.upload(anna, LONG, "long.txt")
    other = await house.upload(anna, NOTE, "other.txt")
    embedder.wait_after = 1  # text: after the first batch
    embedder.gate.clear()
    house.installation.queue.deliver(KIND, long.job_id or "")
    async with asyncio.timeout(30):
        while (await house.ingestion.get_job(anna, other.job_id or "")).state != "running":
            await asyncio.sleep(0.01)
    assert (await house.ingestion.get_job(anna, long.job_id or "")).state == "running"
    embedder.gate.set()


async def test_an_index_that_opens_late_leaves_running_jobs_where_they_are(flaky: FlakyHouses) -> None:
    """Only at a start and a stop nobody works on what is called running."""
    embedder = FlakyEmbedder()
    embedder.gate.clear()
    house = await flaky.open(embedder)
    anna = await house.person("anna")
    item = await house.ingestion.upload(anna, Upload("note.txt"), pieces(NOTE))
    await embedder.reached.wait()
    await house.installation._open_index()
    assert (await house.ingestion.get_job(anna, item.job_id or "")).state == "running"
    assert (await house.documents.get_document(anna, item.document_id or "")).state == "working"
    embedder.gate.set()
    await house.installation.queue.idle()
    assert (await house.documents.get_document(anna, item.document_id or "")).state == "ready"


async def is_held_up(database: Database) -> bool:
    """Whether somebody waits for a row; SQLite has one writer at a time anyway."""
    if database.is_sqlite:
        return True
    async with database.read() as unit:
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return bool((await unit.session.execute(text(waits))).scalar_one())


async def test_a_cancellation_is_not_written_over_by_who_works(
    flaky: FlakyHouses, database: Database
) -> None:
    """It waits while a worker changes the row, and comes after it."""
    house = await flaky.open(FlakyEmbedder(failures=10**9))
    house.installation.room._first_pause_s = house.installation.room._pause_s = 3_600
    anna = await house.person("anna")
    item = await house.upload(anna, NOTE)
    job_id = item.job_id or ""
    async with house.installation.db.write() as unit:
        job = await JobRepository(unit, anna).find_locked(job_id)
        assert job is not None
        cancelling = asyncio.create_task(house.ingestion.cancel_job(anna, job_id))
        async with asyncio.timeout(30):
            while not cancelling.done() and not await is_held_up(database):
                await asyncio.sleep(0.01)
        job.state = "running"
    await cancelling
    assert (await house.ingestion.get_job(anna, job_id)).state == "cancelled"
