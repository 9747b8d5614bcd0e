"""The process that holds the embedded index: its deaths, its parent's, and its being written anew while work goes on."""

import asyncio
import io
import os
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from json import loads
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest

from tests.contracts.test_vectors import point
from tests.contracts.test_vectors_crash import EAST, INFO, points, segments
from youworker_app.core.errors import StorageFull
from youworker_app.gateways.vectors import embedded, wire
from youworker_app.gateways.vectors.child import ShardServer
from youworker_app.gateways.vectors.embedded import EmbeddedVectorStore
from youworker_app.gateways.vectors.errors import VectorStoreAway
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.gateways.vectors.protocol import VectorStore, mint_access_filter

ANN = mint_access_filter({"u:ann"})
NEVER = 10**6


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EmbeddedVectorStore]:
    """An open store that is written anew when a test says so."""
    made = EmbeddedVectorStore(tmp_path, renew_after_s=NEVER)
    await made.prepare(INFO)
    yield made
    await made.close()


def process_of(store: EmbeddedVectorStore) -> int:
    assert store.process_id is not None
    return store.process_id


async def until(is_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_true():
            await asyncio.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def shards(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("shard*"))


async def test_a_process_that_dies_is_replaced_and_nothing_is_lost(store: EmbeddedVectorStore) -> None:
    await store.upsert(points("report", 0, 300))
    first = process_of(store)
    os.kill(first, signal.SIGKILL)
    await until(lambda: store.process_id is None)
    with pytest.raises(VectorStoreAway):
        await store.search_dense(EAST, ANN, limit=3)
    await until(lambda: store.process_id is not None)
    assert process_of(store) != first
    assert await store.count_by_document() == {"report": 300}
    await store.upsert(points("more", 300, 5))
    assert len(await store.search_dense(EAST, ANN, limit=500)) == 305


async def test_what_is_written_when_the_process_dies_is_kept_by_its_successor(
    store: EmbeddedVectorStore,
) -> None:
    """Twice: one that dies with the write under way, and one that is dead when it comes."""
    first = process_of(store)
    os.kill(first, signal.SIGSTOP)
    writing = asyncio.create_task(store.upsert(points("report", 0, 150)))
    await asyncio.sleep(0.05)
    assert not writing.done()
    os.kill(first, signal.SIGKILL)
    await writing
    assert await store.count_by_document() == {"report": 150}
    os.kill(process_of(store), signal.SIGKILL)
    await until(lambda: store.process_id is None)
    await store.set_visibility("report", ["u:bob"])
    assert await store.count_by_visibility() == {"u:bob": 150}


async def test_a_successor_that_never_comes_is_not_waited_for_without_end(
    store: EmbeddedVectorStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_SUCCESSOR_S", 0.2)
    (tmp_path / "index.json").write_text("damaged meanwhile")
    os.kill(process_of(store), signal.SIGKILL)
    with pytest.raises(VectorStoreAway):
        await store.upsert(points("report", 0, 5))


async def test_a_process_that_hangs_is_replaced(
    store: EmbeddedVectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.upsert(points("report", 0, 3))
    monkeypatch.setattr(embedded, "_SEARCH_S", 0.2)
    hanging = process_of(store)
    os.kill(hanging, signal.SIGSTOP)
    with pytest.raises(VectorStoreAway):
        await store.search_dense(EAST, ANN, limit=3)
    monkeypatch.undo()
    await until(lambda: store.process_id not in (None, hanging))
    assert len(await store.search_dense(EAST, ANN, limit=3)) == 3


async def test_closing_a_process_that_hangs_takes_its_time_and_no_more(
    store: EmbeddedVectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_CLOSE_S", 0.1)
    hanging = process_of(store)
    os.kill(hanging, signal.SIGSTOP)
    async with asyncio.timeout(30):
        await store.close()
    assert not is_running(hanging)


async def test_the_process_ends_with_a_killed_server_and_the_next_server_can_have_the_folder(
    tmp_path: Path,
) -> None:
    program = """
        import asyncio, sys
        from pathlib import Path
        from tests.contracts.test_vectors_crash import EmbeddedVectorStore, INFO

        async def main():
            store = EmbeddedVectorStore(Path(sys.argv[1]))
            await store.prepare(INFO)
            print(store.process_id, flush=True)
            await asyncio.sleep(3600)

        asyncio.run(main())
    """
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", dedent(program), str(tmp_path), stdout=PIPE
    )
    assert server.stdout is not None
    orphan = int(await server.stdout.readline())
    # It cannot notice while it is stopped, as it cannot while it is busy.
    os.kill(orphan, signal.SIGSTOP)
    server.kill()
    await server.wait()
    following = EmbeddedVectorStore(tmp_path)
    opening = asyncio.create_task(following.prepare(INFO))
    await asyncio.sleep(0.2)
    assert not opening.done()
    os.kill(orphan, signal.SIGCONT)
    await opening
    assert not is_running(orphan)
    await following.close()


async def test_an_asker_who_leaves_takes_nobody_along(store: EmbeddedVectorStore) -> None:
    await store.upsert(points("report", 0, 100))
    asking = [asyncio.create_task(store.search_dense(EAST, ANN, limit=100)) for _ in range(40)]
    await asyncio.sleep(0)
    for each in asking[::2]:
        each.cancel()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[::2])
    assert all(isinstance(answer, list) and len(answer) == 100 for answer in answers[1::2])


async def test_full_pipes_in_both_directions_do_not_lock(store: EmbeddedVectorStore) -> None:
    """Both sides have far more to say than a pipe holds."""
    await store.upsert(points("report", 0, 500))
    many = {f"document-{number}" for number in range(20_000)} | {"report"}
    async with asyncio.timeout(120):
        writing = asyncio.create_task(store.upsert(points("more", 500, 500)))
        found = await asyncio.gather(
            *(store.search_dense(EAST, ANN, limit=500, document_ids=many) for _ in range(20))
        )
        await writing
    assert all(len(hits) == 500 for hits in found)


async def test_too_many_who_wait_are_told_so(store: EmbeddedVectorStore) -> None:
    os.kill(process_of(store), signal.SIGSTOP)
    asking = [asyncio.create_task(store.search_dense(EAST, ANN, limit=1)) for _ in range(1_001)]
    with pytest.raises(VectorStoreAway):
        await asking[-1]
    os.kill(process_of(store), signal.SIGCONT)
    assert await asyncio.gather(*asking[:-1]) == [[]] * 1_000


def test_the_process_loads_nothing_big() -> None:
    """numpy and the logs would triple what it takes: 9 MB, in an installation without a single document too."""
    program = "import sys, youworker_app.gateways.vectors.child; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "qdrant_edge" in told.stdout.split()
    assert not {"numpy", "structlog", "asyncio"} & set(told.stdout.split())


class Tape(io.BytesIO):
    """A pipe to nowhere; tells when a reply is written."""

    def __init__(self, events: list[str]) -> None:
        super().__init__()
        self._events = events

    def write(self, frame: Any) -> int:
        length, _ = wire.FRAME.unpack(frame[: wire.FRAME.size])
        self._events.append(f"reply {loads(frame[wire.FRAME.size :][:length])['id']}")
        return len(frame)


@pytest.mark.parametrize(
    "head",
    [
        {"do": "upsert", "chunks": [], "documents": [], "visibility": [], "terms": []},
        {"do": "set_visibility", "document": "report", "visibility": ["u:bob"]},
        {"do": "delete_document", "document": "report"},
        {"do": "delete_points", "chunks": []},
    ],
    ids=lambda head: head["do"],
)
def test_each_write_waits_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: dict[str, Any]
) -> None:
    """A kill cannot tell whether the log was synced, only a power cut could: so the calls are watched."""
    events: list[str] = []

    def watched(descriptor: int) -> None:
        events.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)

    monkeypatch.setattr(os, "fsync", watched)
    place = {"path": str(tmp_path), "dimension": 4}
    steps = [{"do": "create", **place}, {"do": "open", **place}, {**head, "sync": True}, {"do": "close"}]
    frames = b"".join(wire.pack({"id": number, **step}) for number, step in enumerate(steps))
    ShardServer(io.BytesIO(frames), Tape(events)).serve()
    before, _, after = " ".join(events).partition("reply 2")
    assert "reply 3" in after
    assert " wal" in before.partition("reply 1")[2]
    assert " open-" in before.partition("reply 1")[2]


async def test_the_process_gives_back_what_it_has_written(store: EmbeddedVectorStore, tmp_path: Path) -> None:
    """The log and the files as they were when they were written are not the process's to keep."""
    await store.upsert(points("report", 0, 1_000))
    await until(lambda: resident_log_kb(process_of(store), tmp_path) == 0)
    assert len(await store.search_dense(EAST, ANN, limit=1_000)) == 1_000


def resident_log_kb(pid: int, folder: Path) -> int:
    of_log, found = False, 0
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if "-" in line.split(maxsplit=1)[0]:
            of_log = str(folder / "shard" / "wal") in line
        elif of_log and line.startswith("Rss:"):
            found += int(line.split()[1])
    return found


async def renewed(store: EmbeddedVectorStore, folder: Path, name: str = "shard-2") -> None:
    await until(lambda: shards(folder) == [name])


async def test_deleted_points_leave_the_files_while_the_store_serves(tmp_path: Path) -> None:
    """The write-ahead log goes with the shard that had it."""
    store = EmbeddedVectorStore(tmp_path, renew_after_s=0)
    await store.prepare(INFO)
    await store.upsert([*points("kept", 0, 400), *points("confidential-name", 400, 200)])
    assert b"confidential-name" in segments(tmp_path)
    before = process_of(store)
    await store.delete_document("confidential-name")
    await renewed(store, tmp_path)
    assert process_of(store) != before
    assert not (tmp_path / "deleted").exists()
    assert all(
        b"confidential-name" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    )
    assert await store.count_by_document() == {"kept": 400}
    await store.close()


async def test_what_is_written_during_a_renewal_is_there_after_it(tmp_path: Path) -> None:
    store, plain = EmbeddedVectorStore(tmp_path, renew_after_s=0), MemoryVectorStore()
    stores: tuple[VectorStore, ...] = (store, plain)
    rng = np.random.default_rng(5)
    for each in stores:
        await each.prepare(INFO)
        rng = np.random.default_rng(5)
        await each.upsert(
            [point(n, f"d{n % 40}", dense=rng.normal(size=4).astype(np.float32)) for n in range(3_000)]
        )
    await store.delete_document("d0")
    await plain.delete_document("d0")
    await until(lambda: "shard-2" in shards(tmp_path))
    written = 0
    while shards(tmp_path) != ["shard-2"]:
        written += 1
        number = int(rng.integers(0, 4_000))
        document = f"d{int(rng.integers(1, 40))}"
        for each in stores:
            match written % 4:
                case 0:
                    await each.upsert([point(number, "new", ("u:bob", "u:ann"), terms={7: 2.0, 9: 1.0})])
                case 1:
                    await each.set_visibility(document, ["g:law"] if written % 3 else ["u:ann"])
                case 2:
                    await each.delete_points([point(number).chunk_id])
                case _ if written % 5 == 0:
                    await each.delete_document(document)
    assert written > 8
    assert await store.list_points(limit=5_000) == await plain.list_points(limit=5_000)
    for keyword in ("u:ann", "u:bob", "g:law"):
        access = mint_access_filter({keyword})
        found = await store.search_dense(EAST, access, limit=5_000)
        expected = await plain.search_dense(EAST, access, limit=5_000)
        assert {hit.chunk_id for hit in found} == {hit.chunk_id for hit in expected}
        assert [hit.score for hit in found] == pytest.approx([hit.score for hit in expected], abs=1e-4)
    await store.close()


async def test_a_successor_that_dies_is_given_up_and_tried_again(tmp_path: Path) -> None:
    store = EmbeddedVectorStore(tmp_path, renew_after_s=0)
    await store.prepare(INFO)
    await store.upsert([*points("kept", 0, 2_000), *points("gone", 2_000, 100)])
    serving = process_of(store)
    await store.delete_document("gone")
    await until(lambda: len(children()) == 2)
    for pid in children() - {serving}:
        os.kill(pid, signal.SIGKILL)
    await until(lambda: shards(tmp_path) == ["shard"])
    assert process_of(store) == serving
    assert (tmp_path / "deleted").exists()
    assert await store.count_by_document() == {"kept": 2_000}
    await store.close()


def children() -> set[int]:
    return {
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if b"gateways.vectors.child" in read(path) and parent_of(path.parent) == os.getpid()
    }


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def parent_of(process: Path) -> int:
    fields = read(process / "stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields else 0


async def test_a_renewal_that_a_stop_interrupts_begins_again_at_the_next_start(tmp_path: Path) -> None:
    store = EmbeddedVectorStore(tmp_path, renew_after_s=0)
    await store.prepare(INFO)
    await store.upsert([*points("kept", 0, 1_000), *points("gone", 1_000, 100)])
    await store.delete_document("gone")
    await until(lambda: "shard-2" in shards(tmp_path))
    await store.close()
    assert shards(tmp_path) == ["shard"]
    following = EmbeddedVectorStore(tmp_path, renew_after_s=0)
    await following.prepare(INFO)
    await renewed(following, tmp_path)
    assert await following.count_by_document() == {"kept": 1_000}
    assert not children() - {process_of(following)}
    await following.close()
    assert not children()


async def test_a_renewal_without_room_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = EmbeddedVectorStore(tmp_path, renew_after_s=0)
    await store.prepare(INFO)
    await store.upsert([*points("kept", 0, 10), *points("gone", 10, 10)])
    tried: list[int] = []

    def full(_folder: Path, wanted: int) -> None:
        tried.append(wanted)
        raise StorageFull

    monkeypatch.setattr(embedded, "require_room", full)
    await store.delete_document("gone")
    await until(lambda: bool(tried))
    monkeypatch.undo()
    await renewed(store, tmp_path)
    assert await store.count_by_document() == {"kept": 10}
    await store.close()


async def test_what_a_crash_left_of_a_renewal_is_swept_away(tmp_path: Path) -> None:
    store = EmbeddedVectorStore(tmp_path)
    await store.prepare(INFO)
    await store.upsert(points("kept", 0, 10))
    await store.close()
    (tmp_path / "shard-2").mkdir()
    (tmp_path / "shard-2" / "half").write_text("rubbish")
    await store.close()
    following = EmbeddedVectorStore(tmp_path)
    await following.prepare(INFO)
    assert shards(tmp_path) == ["shard"]
    assert await following.count_by_document() == {"kept": 10}
    await following.close()
