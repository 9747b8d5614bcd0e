"""The embedded store's folder: kills, second owners, half-made and damaged files."""

import asyncio
import json
import shutil
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from textwrap import dedent
from uuid import UUID

import numpy as np
import pytest
from qdrant_edge import (
    Distance,
    EdgeConfig,
    EdgeShard,
    EdgeVectorParams,
    PayloadSchemaType,
    UpdateOperation,
)

from youworker_app.gateways.vectors.embedded import EmbeddedVectorStore
from youworker_app.gateways.vectors.errors import IndexMismatch, VectorFolderInUse, VectorIndexDamaged
from youworker_app.gateways.vectors.protocol import IndexInfo, SparseVector, VectorPoint, mint_access_filter

INFO = IndexInfo("a-model", 4)
EAST = np.array([1, 0, 0, 0], np.float32)

# Writes without end and says what is acknowledged; the test kills it in the middle of a write.
WRITER = """
    import asyncio, sys
    from pathlib import Path
    from tests.contracts.test_vectors_crash import EmbeddedVectorStore, INFO, points

    async def main():
        store = EmbeddedVectorStore(Path(sys.argv[1]))
        await store.prepare(INFO)
        await store.upsert(points("moved", 0, 5))
        await store.upsert(points("deleted", 5, 5))
        await store.set_visibility("moved", ["u:bob"])
        await store.delete_document("deleted")
        number = 10
        while True:
            await store.upsert(points("report", number, 200))
            number += 200
            print(number, flush=True)

    asyncio.run(main())
"""


def points(document: str, first: int, count: int) -> list[VectorPoint]:
    return [
        VectorPoint(str(UUID(int=number)), document, ("u:ann",), EAST, SparseVector((7,), (1.0,)))
        for number in range(first, first + count)
    ]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EmbeddedVectorStore]:
    made = EmbeddedVectorStore(tmp_path)
    yield made
    await made.close()


async def reopened(folder: Path) -> dict[str, int]:
    """What a store finds that opens the folder anew."""
    store = EmbeddedVectorStore(folder)
    await store.prepare(INFO)
    counts = await store.count_by_document()
    hits = await store.search_dense(EAST, mint_access_filter({"u:ann", "u:bob"}), limit=10_000)
    await store.close()
    assert len(hits) == sum(counts.values())
    return counts


async def started_writer(folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", dedent(WRITER), str(folder), stdout=PIPE, stderr=PIPE
    )


async def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    writer = await started_writer(tmp_path)
    assert writer.stdout is not None
    for _ in range(4):
        await writer.stdout.readline()
    writer.kill()
    rest, _ = await writer.communicate()
    acknowledged = max([4 * 200, *(int(line) - 10 for line in rest.split(b"\n")[:-1])])
    counts = await reopened(tmp_path)
    assert counts["report"] >= acknowledged
    assert counts["moved"] == 5
    assert "deleted" not in counts
    store = EmbeddedVectorStore(tmp_path)
    await store.prepare(INFO)
    bobs = await store.search_dense(EAST, mint_access_filter({"u:bob"}), limit=100)
    assert {hit.document_id for hit in bobs} == {"moved"}
    assert len(bobs) == 5
    await store.close()


async def test_a_folder_has_one_owner(store: EmbeddedVectorStore, tmp_path: Path) -> None:
    await store.prepare(INFO)
    second = EmbeddedVectorStore(tmp_path)
    with pytest.raises(VectorFolderInUse, match="in use by another YouWorker"):
        await second.prepare(INFO)
    with pytest.raises(VectorFolderInUse):
        await second.reset()
    await store.close()
    await second.prepare(INFO)
    await second.close()


async def test_another_process_is_kept_off(store: EmbeddedVectorStore, tmp_path: Path) -> None:
    await store.prepare(INFO)
    writer = await started_writer(tmp_path)
    _, told = await writer.communicate()
    assert writer.returncode == 1
    assert b"VectorFolderInUse" in told


async def test_a_refusal_lets_go_of_the_folder(store: EmbeddedVectorStore, tmp_path: Path) -> None:
    await store.prepare(INFO)
    await store.close()
    refused = EmbeddedVectorStore(tmp_path)
    with pytest.raises(IndexMismatch):
        await refused.prepare(IndexInfo("another", 4))
    assert await reopened(tmp_path) == {}
    await refused.close()


@pytest.mark.parametrize("left", ["shard.new", "shard.old"])
async def test_what_a_crash_left_half_made_or_half_dropped_is_swept_away(tmp_path: Path, left: str) -> None:
    (tmp_path / "index.json").write_text(json.dumps({"model_id": "dropped", "dimension": 9}))
    (tmp_path / left).mkdir()
    (tmp_path / left / "segments").write_text("rubbish")
    store = EmbeddedVectorStore(tmp_path)
    await store.prepare(INFO)
    await store.upsert(points("report", 0, 3))
    await store.close()
    assert await reopened(tmp_path) == {"report": 3}
    await store_reset(tmp_path)
    assert names_in(tmp_path) == ["lock"]


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def store_reset(folder: Path) -> None:
    store = EmbeddedVectorStore(folder)
    await store.reset()
    await store.close()


@pytest.mark.parametrize(
    "damage", ["no note", "cut note", "foreign note", "cut segment", "no segments", "no files"]
)
async def test_damage_is_told_and_a_reset_mends_it(tmp_path: Path, damage: str) -> None:
    store = EmbeddedVectorStore(tmp_path)
    await store.prepare(INFO)
    await store.upsert(points("report", 0, 3))
    await store.close()
    wreck(tmp_path, damage)
    damaged = EmbeddedVectorStore(tmp_path)
    with pytest.raises(VectorIndexDamaged, match="youworker vectors reindex"):
        await damaged.prepare(INFO)
    await damaged.reset()
    await damaged.prepare(INFO)
    assert await damaged.count_by_document() == {}
    await damaged.close()


def wreck(folder: Path, damage: str) -> None:
    note = folder / "index.json"
    if damage == "no note":
        note.unlink()
    elif damage == "cut note":
        note.write_bytes(note.read_bytes()[:9])
    elif damage == "foreign note":
        note.write_text('{"name": "other"}')
    elif damage == "no segments":
        shutil.rmtree(folder / "shard" / "segments")
    elif damage == "no files":
        shutil.rmtree(folder / "shard")
        (folder / "shard").mkdir()
    else:
        for state in (folder / "shard" / "segments").glob("*/segment.json"):
            state.write_bytes(state.read_bytes()[:20])


async def test_an_index_of_an_older_make_is_told_and_a_reset_mends_it(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text(json.dumps({"model_id": INFO.model_id, "dimension": INFO.dimension}))
    (tmp_path / "shard").mkdir()
    whole = {"dense": EdgeVectorParams(INFO.dimension, Distance.Cosine)}
    older = EdgeShard.create(str(tmp_path / "shard"), EdgeConfig(vectors=whole))
    for field in ("vis", "doc"):
        older.update(UpdateOperation.create_field_index(field, PayloadSchemaType.Keyword))
    older.close()
    store = EmbeddedVectorStore(tmp_path)
    with pytest.raises(VectorIndexDamaged, match="youworker vectors reindex"):
        await store.prepare(INFO)
    await store.reset()
    await store.prepare(INFO)
    assert await store.count_by_document() == {}
    await store.close()


async def test_the_folder_is_private(tmp_path: Path) -> None:
    store = EmbeddedVectorStore(tmp_path / "vectors")
    await store.prepare(INFO)
    await store.close()
    assert (tmp_path / "vectors").stat().st_mode & 0o777 == 0o700


def segments(folder: Path) -> bytes:
    return b"".join(
        path.read_bytes() for path in (folder / "shard" / "segments").rglob("*") if path.is_file()
    )
