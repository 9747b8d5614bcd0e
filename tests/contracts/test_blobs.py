"""What every BlobStore must do, run on the folder and on the one in memory; then what only a folder can do."""

import asyncio
import fcntl
import hashlib
import hmac
import os
import resource
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from youworker_app.core.crypto import new_data_key
from youworker_app.core.ids import new_id
from youworker_app.gateways.blobs.errors import (
    BlobDamaged,
    BlobExists,
    BlobMissing,
    FileTooLarge,
    StorageAway,
    StorageFull,
)
from youworker_app.gateways.blobs.files import FileBlobStore
from youworker_app.gateways.blobs.frames import FRAME_BYTES, PIECE_BYTES
from youworker_app.gateways.blobs.memory import MemoryBlobStore

HASH_KEY = b"h" * 32
UNLIMITED = 1 << 40

Store = FileBlobStore | MemoryBlobStore


@pytest.fixture(params=["files", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return FileBlobStore(tmp_path / "blobs") if request.param == "files" else MemoryBlobStore()


@pytest.fixture
def folder(tmp_path: Path) -> FileBlobStore:
    return FileBlobStore(tmp_path / "blobs")


async def in_pieces(content: bytes, size: int = 10_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def write(
    store: Store, content: bytes, *, key: bytes, blob_id: str | None = None, size: int = 10_000
) -> str:
    blob_id = blob_id or new_id()
    await store.write(blob_id, key, in_pieces(content, size), hash_key=HASH_KEY, max_bytes=UNLIMITED)
    return blob_id


async def ids_of(store: Store) -> set[str]:
    return {blob_id async for blob_id in store.list_ids()}


def files_under(path: Path) -> list[Path]:
    return sorted(entry for entry in path.rglob("*") if entry.is_file())


def content_of(size: int) -> bytes:
    return (b"0123456789abcdefghijklmnopqrstuvw\n" * (size // 34 + 1))[:size]


SIZES = [
    0,
    1,
    FRAME_BYTES - 1,
    FRAME_BYTES,
    FRAME_BYTES + 1,
    3 * FRAME_BYTES,
    PIECE_BYTES,
    2 * PIECE_BYTES + 7,
]


@pytest.mark.parametrize("size", SIZES)
async def test_content_comes_back_with_its_size_and_keyed_hash(store: Store, size: int) -> None:
    key, content, blob_id = new_data_key(), content_of(size), new_id()
    receipt = await store.write(blob_id, key, in_pieces(content), hash_key=HASH_KEY, max_bytes=size)
    assert receipt.size_bytes == size
    assert receipt.content_hash == hmac.digest(HASH_KEY, content, hashlib.sha256)
    assert await store.read_all(blob_id, key) == content
    assert await store.size(blob_id) == size


@pytest.mark.parametrize("make", [FileBlobStore, lambda _: MemoryBlobStore()])
def test_any_range_is_what_a_slice_gives(make: Callable[[Path], Store]) -> None:
    size = 2 * PIECE_BYTES + FRAME_BYTES + 5
    content, key = content_of(size), new_data_key()
    borders = st.sampled_from([0, 1, FRAME_BYTES, PIECE_BYTES, size]).flatmap(
        lambda around: st.integers(max(0, around - 2), around + 2)
    )
    bounds = st.tuples(borders | st.integers(0, size), st.none() | borders | st.integers(0, size + 9))

    async def read(start: int, end: int | None) -> bytes:
        return b"".join([piece async for piece in store.read(blob_id, key, start=start, end=end)])

    with tempfile.TemporaryDirectory() as root, asyncio.Runner() as runner:
        store = make(Path(root))
        blob_id = runner.run(write(store, content, key=key, size=100_000))

        @settings(max_examples=150, deadline=None)
        @given(bounds)
        def agrees(bound: tuple[int, int | None]) -> None:
            assert runner.run(read(*bound)) == content[slice(*bound)]

        agrees()


async def test_a_negative_range_is_refused(store: Store) -> None:
    key = new_data_key()
    blob_id = await write(store, b"abc", key=key)
    for bounds in ({"start": -1}, {"end": -1}):
        with pytest.raises(ValueError, match="range"):
            await anext(aiter(store.read(blob_id, key, **bounds)))


async def test_nothing_of_the_content_is_stored_in_the_clear(store: Store, tmp_path: Path) -> None:
    blob_id = await write(store, content_of(200_000), key=new_data_key())
    raw = (
        store.sealed[blob_id]
        if isinstance(store, MemoryBlobStore)
        else b"".join(path.read_bytes() for path in files_under(tmp_path))
    )
    assert len(raw) > 200_000
    assert b"0123456789" not in raw


async def test_another_key_does_not_open_it(store: Store) -> None:
    blob_id = await write(store, b"secret", key=new_data_key())
    with pytest.raises(BlobDamaged):
        await store.read_all(blob_id, new_data_key())


def raw_access(store: Store, root: Path) -> tuple[Callable[[str], bytes], Callable[[str, bytes], Any]]:
    if isinstance(store, MemoryBlobStore):
        return store.sealed.__getitem__, store.sealed.__setitem__

    def place(blob_id: str) -> Path:
        return next(root.rglob(blob_id))

    return lambda blob_id: place(blob_id).read_bytes(), lambda blob_id, raw: place(blob_id).write_bytes(raw)


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "one bit in the header": lambda raw: raw[:6] + bytes([raw[6] ^ 1]) + raw[7:],
    "one bit in the first frame": lambda raw: raw[:100] + bytes([raw[100] ^ 1]) + raw[101:],
    "one bit in the last tag": lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]),
    "a byte less": lambda raw: raw[:-1],
    "a frame less": lambda raw: raw[: 11 + 2 * (FRAME_BYTES + 16)],
    "a byte more": lambda raw: raw + b"x",
    "frames swapped": lambda raw: (
        raw[:11]
        + raw[11 + FRAME_BYTES + 16 : 11 + 2 * (FRAME_BYTES + 16)]
        + raw[11 : 11 + FRAME_BYTES + 16]
        + raw[11 + 2 * (FRAME_BYTES + 16) :]
    ),
    "the first frame twice": lambda raw: raw[: 11 + FRAME_BYTES + 16] + raw[11:],
    "header only": lambda raw: raw[:11],
    "nothing left": lambda raw: b"",
    "another format": lambda raw: b"XXXX" + raw[4:],
}


@pytest.mark.parametrize("change", CHANGES)
async def test_tampering_is_noticed(store: Store, change: str, tmp_path: Path) -> None:
    key = new_data_key()
    blob_id = await write(store, content_of(2 * FRAME_BYTES + 500), key=key)
    get, put = raw_access(store, tmp_path)
    put(blob_id, CHANGES[change](get(blob_id)))
    with pytest.raises(BlobDamaged):
        await store.read_all(blob_id, key)


async def test_a_shortened_blob_is_noticed_even_by_a_range_at_its_start(store: Store, tmp_path: Path) -> None:
    key = new_data_key()
    blob_id = await write(store, content_of(3 * FRAME_BYTES), key=key)
    get, put = raw_access(store, tmp_path)
    put(blob_id, get(blob_id)[: 11 + 2 * (FRAME_BYTES + 16)])
    with pytest.raises(BlobDamaged):
        await anext(aiter(store.read(blob_id, key, end=10)))


async def test_a_blob_cannot_stand_in_for_another_one(store: Store, tmp_path: Path) -> None:
    key = new_data_key()
    one, other = await write(store, b"one", key=key), await write(store, b"two", key=key)
    get, put = raw_access(store, tmp_path)
    put(other, get(one))
    with pytest.raises(BlobDamaged):
        await store.read_all(other, key)


async def test_too_large_is_noticed_while_it_streams_and_leaves_nothing(store: Store, tmp_path: Path) -> None:
    given: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            given.append(1)
            yield bytes(100_000)

    with pytest.raises(FileTooLarge) as refused:
        await store.write(new_id(), new_data_key(), endless(), hash_key=HASH_KEY, max_bytes=3_000_000)
    assert len(given) == 31
    assert refused.value.http_status == 413
    assert refused.value.details["limit_bytes"] == 3_000_000
    assert await ids_of(store) == set()
    assert files_under(tmp_path) == []


async def test_exactly_the_limit_is_accepted_and_a_byte_more_is_not(store: Store) -> None:
    await store.write(
        new_id(), new_data_key(), in_pieces(bytes(100_000)), hash_key=HASH_KEY, max_bytes=100_000
    )
    with pytest.raises(FileTooLarge):
        await store.write(
            new_id(), new_data_key(), in_pieces(bytes(100_001)), hash_key=HASH_KEY, max_bytes=100_000
        )


async def test_a_source_that_fails_leaves_nothing(store: Store, tmp_path: Path) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield bytes(2 * PIECE_BYTES)
        raise ConnectionResetError("the browser went away")

    with pytest.raises(ConnectionResetError):
        await store.write(new_id(), new_data_key(), failing(), hash_key=HASH_KEY, max_bytes=UNLIMITED)
    assert await ids_of(store) == set()
    assert files_under(tmp_path) == []


async def test_a_cancelled_write_leaves_nothing_whenever_it_is_cancelled(
    store: Store, tmp_path: Path
) -> None:
    async def slow() -> AsyncIterator[bytes]:
        for _ in range(12):
            yield bytes(PIECE_BYTES // 2)
            await asyncio.sleep(0)

    endings = []
    for steps in range(0, 60, 3):
        blob_id = new_id()
        writing = asyncio.create_task(
            store.write(blob_id, new_data_key(), slow(), hash_key=HASH_KEY, max_bytes=UNLIMITED)
        )
        for _ in range(steps):
            await asyncio.sleep(0.001)
        writing.cancel()
        endings.append(await asyncio.gather(writing, return_exceptions=True))
        if isinstance(endings[-1][0], asyncio.CancelledError):
            assert blob_id not in await ids_of(store)
    assert any(isinstance(ending[0], asyncio.CancelledError) for ending in endings)
    assert not [path for path in files_under(tmp_path) if path.suffix == ".part"]


async def test_a_write_cancelled_at_its_very_end_leaves_nothing(
    folder: FileBlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob_id, loop = new_id(), asyncio.get_running_loop()
    real = os.fsync

    def cancelling(descriptor: int) -> None:
        real(descriptor)
        if os.readlink(f"/proc/self/fd/{descriptor}").endswith(f"/{blob_id[:2]}/{blob_id[2:4]}"):
            loop.call_soon_threadsafe(writing.cancel)
            time.sleep(0.1)

    monkeypatch.setattr(os, "fsync", cancelling)
    writing = asyncio.create_task(write(folder, b"x", key=new_data_key(), blob_id=blob_id))
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert files_under(tmp_path) == []


async def test_what_is_there_is_never_overwritten(store: Store) -> None:
    key = new_data_key()
    blob_id = await write(store, b"first", key=key)
    with pytest.raises(BlobExists):
        await write(store, b"second", key=key, blob_id=blob_id)
    assert await store.read_all(blob_id, key) == b"first"


async def test_deleting_is_final_and_may_be_repeated(store: Store) -> None:
    key = new_data_key()
    blob_id, other = await write(store, b"a", key=key), await write(store, b"b", key=key)
    for _ in range(2):
        await store.delete(blob_id)
    assert await ids_of(store) == {other}
    with pytest.raises(BlobMissing):
        await store.read_all(blob_id, key)
    with pytest.raises(BlobMissing):
        await store.size(blob_id)


async def test_a_blob_deleted_while_it_is_read_ends_the_reading(folder: FileBlobStore) -> None:
    key = new_data_key()
    blob_id = await write(folder, bytes(3 * PIECE_BYTES), key=key, size=PIECE_BYTES)
    reading = folder.read(blob_id, key)
    await anext(reading)
    await folder.delete(blob_id)
    with pytest.raises(BlobMissing):
        await anext(reading)


async def test_ids_of_all_blobs_are_listed(store: Store) -> None:
    assert await ids_of(store) == set()
    written = {await write(store, b"x", key=new_data_key()) for _ in range(40)}
    assert await ids_of(store) == written


@pytest.mark.parametrize(
    "bad", ["", "abc", "../../etc/passwd", "a/b/c/d", "..", "x" * 200, "abcd\x00", "abcd\n", "-abcd"]
)
async def test_an_id_that_could_name_another_place_is_refused(store: Store, bad: str) -> None:
    with pytest.raises(ValueError, match="blob id"):
        await write(store, b"x", key=new_data_key(), blob_id=bad or "?")
    for use in (store.size(bad), store.delete(bad), store.read_all(bad, new_data_key())):
        with pytest.raises(ValueError, match="blob id"):
            await use


async def test_writers_and_readers_do_not_disturb_each_other(store: Store) -> None:
    async def round_trip(number: int) -> None:
        key, content = new_data_key(), content_of(number * 50_000)
        blob_id = await write(store, content, key=key)
        assert await store.read_all(blob_id, key) == content

    await asyncio.gather(*(round_trip(number) for number in range(12)))


async def test_only_the_server_may_look_into_the_folder(folder: FileBlobStore, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        blob_id = await write(folder, b"x", key=new_data_key())
    finally:
        os.umask(old)
    place = tmp_path / "blobs" / blob_id[:2] / blob_id[2:4] / blob_id
    assert place.stat().st_mode & 0o777 == 0o600
    for path in [tmp_path / "blobs", *(entry for entry in (tmp_path / "blobs").rglob("*") if entry.is_dir())]:
        assert path.stat().st_mode & 0o777 == 0o700, path


async def test_file_and_folder_are_on_disk_before_the_writer_hears_of_it(
    folder: FileBlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    real = os.fsync

    def watched(descriptor: int) -> None:
        synced.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    blob_id = await write(folder, b"x", key=new_data_key())
    root = tmp_path / "blobs"
    above = root / blob_id[:2] / blob_id[2:4]
    assert {tmp_path, root, root / blob_id[:2], above} <= set(synced)
    assert synced[-1] == above
    assert any(path.suffix == ".part" for path in synced)


@contextmanager
def files_no_longer_than(limit: int) -> Iterator[None]:
    """A real refusal of the kernel to write more, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_is_told_and_leaves_nothing(folder: FileBlobStore, tmp_path: Path) -> None:
    with files_no_longer_than(PIECE_BYTES), pytest.raises(StorageFull) as refused:
        await write(folder, bytes(4 * PIECE_BYTES), key=new_data_key())
    assert refused.value.http_status == 503
    assert files_under(tmp_path) == []
    key = new_data_key()
    assert await folder.read_all(await write(folder, b"room again", key=key), key) == b"room again"


async def test_a_disk_that_fails_is_told(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_bytes(b"a file where the folder should be")
    with pytest.raises(StorageAway):
        await FileBlobStore(tmp_path / "blobs" / "deeper").size(new_id())


async def test_leftovers_are_swept_and_what_is_being_written_stays(
    folder: FileBlobStore, tmp_path: Path
) -> None:
    key = new_data_key()
    kept = await write(folder, b"kept", key=key)
    leftover = tmp_path / "blobs" / "unfinished" / "dead.part"
    leftover.write_bytes(b"half")
    busy = tmp_path / "blobs" / "unfinished" / "busy.part"
    with busy.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert await folder.sweep_unfinished() == 1
    assert not leftover.exists()
    assert busy.exists()
    assert await folder.read_all(kept, key) == b"kept"
    assert await ids_of(folder) == {kept}


async def test_a_sweep_during_a_write_takes_nothing_from_it(folder: FileBlobStore) -> None:
    async def with_sweeps() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield bytes(PIECE_BYTES)
            assert await folder.sweep_unfinished() == 0

    blob_id, key = new_id(), new_data_key()
    await folder.write(blob_id, key, with_sweeps(), hash_key=HASH_KEY, max_bytes=UNLIMITED)
    assert await folder.size(blob_id) == 3 * PIECE_BYTES


async def test_sweeping_a_store_that_was_never_used(folder: FileBlobStore) -> None:
    assert await folder.sweep_unfinished() == 0
    assert await ids_of(folder) == set()
