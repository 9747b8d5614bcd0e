"""What must hold after any crash, as the data folder shows it: rows, bytes and vectors agree, and no work was done twice."""

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from tests.crash.harness import Life
from youworker_app.access.vectors import visibility_of
from youworker_app.gateways.blobs.files import FileBlobStore
from youworker_app.gateways.vectors.embedded import EmbeddedVectorStore
from youworker_app.gateways.vectors.folder import IndexFolder
from youworker_app.ingestion.chunking import embedding_text

_FINISHED = {"embedded", "indexed"}
_MANY = 100_000
_BATCH = 32  # passages that are embedded between two notes of how far a job has come


async def check_inside(life: Life) -> None:
    """The server has stopped. Raises AssertionError that names what does not agree."""
    await _check_database(life)
    await _check_blobs(life)
    await _check_vectors(life)
    await _check_audit(life)


async def check_embedded_once(life: Life) -> None:
    """The server runs, every document is ready. Between two kills no text was embedded twice, and none that had been noted."""
    asked: dict[str, list[int]] = defaultdict(list)
    for position, text in enumerate(life.models.embedded):
        asked[text].append(position)
    for name in ("anna", "bruno", "carla"):
        person = life.people[name]
        for view in await person.get_all("/v1/documents"):
            if view["owner"] != name:
                continue
            repeated: Counter[int] = (
                Counter()
            )  # passages of the document by the life in which they came again
            for chunk in await person.get_all(f"/v1/documents/{view['id']}/chunks"):
                text = embedding_text(view["title"], chunk["locator"]["section"] or None, chunk["text"])
                lives = _check_once(life, asked[text], view["id"], chunk["ordinal"])
                repeated.update(lives[1:])
            # A kill costs at most the batch that was under way: what came before it had been noted.
            assert max(repeated.values(), default=0) <= _BATCH, f"{view['id']}: {repeated}"


def _check_once(life: Life, positions: list[int], document_id: str, ordinal: int) -> list[int]:
    """In which lives of the server a passage was embedded, in order."""
    assert positions, f"{document_id} is ready, but passage {ordinal} was never embedded"
    lives = Counter(sum(kill.embedded <= position for kill in life.kills) for position in positions)
    assert max(lives.values()) == 1, f"passage {ordinal} of {document_id} was embedded twice in one life"
    for kill in life.kills:
        stage, cursor = kill.jobs.get(document_id, ("", 0))
        if stage in _FINISHED or (stage == "text" and ordinal < cursor):
            again = [position for position in positions if position >= kill.embedded]
            assert not again, f"passage {ordinal} of {document_id} was embedded again after it had been noted"
    return sorted(lives)


async def _check_database(life: Life) -> None:
    if not life.database_url:
        assert await life.rows("PRAGMA integrity_check") == [("ok",)]
        assert await life.rows("PRAGMA foreign_key_check") == []
    assert set(await life.rows("SELECT DISTINCT state, stage FROM jobs")) <= {("done", "indexed")}
    assert await life.rows("SELECT id FROM runs WHERE state = 'running'") == []
    assert await life.rows("SELECT id FROM messages WHERE state = 'running'") == []
    assert await life.rows("SELECT document_id FROM jobs GROUP BY document_id HAVING count(*) > 1") == []
    # A file without a document would be bytes that nobody can delete; a key without a file, one that outlives it.
    orphans = "SELECT id FROM stored_files WHERE id NOT IN (SELECT file_id FROM documents)"
    assert await life.rows(orphans) == []
    keys = await life.rows("SELECT id FROM encryption_keys WHERE purpose = 'file'")
    assert set(keys) == set(await life.rows("SELECT key_id FROM stored_files"))


async def _check_blobs(life: Life) -> None:
    root = life.product.data / "blobs"
    blobs = {blob_id async for blob_id in FileBlobStore(root).list_ids()}
    assert blobs == {row[0] for row in await life.rows("SELECT id FROM stored_files")}
    left = [path for path in life.product.data.rglob("*") if path.suffix in {".part", ".new", ".old", ".tmp"}]
    assert not left, left


async def _check_vectors(life: Life) -> None:
    """Each passage has one point, under exactly the keywords of its document; the index counts as the database does."""
    wanted: dict[str, tuple[str, set[str]]] = {}
    for chunk_id, document_id, *sharing in await life.rows(
        "SELECT c.id, c.document_id, d.owner_id, d.group_id, d.is_private "
        "FROM chunks c JOIN documents d ON d.id = c.document_id"
    ):
        owner_id, group_id, is_private = sharing
        visibility = visibility_of(owner_id=owner_id, group_id=group_id, is_private=bool(is_private))
        wanted[chunk_id] = (document_id, set(visibility))
    store = await _opened(life.product.data / "vectors" / await _answering(life))
    try:
        points = await store.list_points(limit=_MANY)
        assert len(points) < _MANY
        assert {point.chunk_id: (point.document_id, set(point.visibility)) for point in points} == wanted
        assert await store.count_by_document() == Counter(document_id for document_id, _ in wanted.values())
        keywords = Counter(keyword for _, visibility in wanted.values() for keyword in visibility)
        assert await store.count_by_visibility() == keywords
    finally:
        await store.close()


async def _answering(life: Life) -> str:
    """The folder of the generation that answers, below that of the index; "" is that folder itself."""
    kept = await life.rows("SELECT value FROM installation_facts WHERE name = 'index_generations'")
    return str(json.loads(kept[0][0])["answering"]) if kept else ""


async def _opened(path: Path) -> EmbeddedVectorStore:
    note = IndexFolder(path).find_note()
    assert note is not None
    store = EmbeddedVectorStore(path)
    await store.prepare(note.info)
    return store


async def _check_audit(life: Life) -> None:
    """The trail tells what happened, once; what was not answered may be told once or not at all, as it happened or not."""
    told: Counter[tuple[str, Any]] = Counter()
    for action, resource_id in await life.rows("SELECT action, resource_id FROM audit_events"):
        told[action, resource_id] += 1
    for paper in life.journal.papers:
        assert told["document.uploaded", paper.id] == 1, paper.filename
        assert told["document.deleted", paper.id] == (paper.deletion == "done"), paper.filename
        moves = told["document.changed", paper.id]
        assert paper.moves <= moves <= paper.moves + paper.moves_in_doubt, paper.filename
    runs = {row[0] for row in await life.rows("SELECT id FROM runs")}
    asked = [resource_id for (action, resource_id), count in told.items() if action == "chat.asked"]
    assert set(asked) == runs
    assert all(told["chat.asked", run] == 1 for run in runs)
    uploads = [resource_id for action, resource_id in told if action == "document.uploaded"]
    assert set(uploads) == {paper.id for paper in life.journal.papers}
