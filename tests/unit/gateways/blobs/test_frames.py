"""The sealed format's arithmetic."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from youworker_app.gateways.blobs.errors import BlobDamaged
from youworker_app.gateways.blobs.frames import FRAME_BYTES, HEADER_BYTES, SealedBlob, Sealer, plain_size

KEY = b"k" * 32


def sealed(content: bytes, cuts: list[int]) -> bytes:
    sealer = Sealer("some-id", KEY, b"h" * 32)
    borders = [0, *sorted(cuts), len(content)]
    frames = [sealer.add(content[a:b]) for a, b in itertools.pairwise(borders)]
    return sealer.header + b"".join(frames) + sealer.finish()


@given(st.integers(0, 3 * FRAME_BYTES), st.data())
def test_however_a_stream_is_cut_it_is_sealed_alike(size: int, data: st.DataObject) -> None:
    content = bytes(size)
    raw = sealed(content, data.draw(st.lists(st.integers(0, size), max_size=5)))
    assert plain_size(len(raw)) == size
    blob = SealedBlob("some-id", KEY, len(raw), lambda offset, length: raw[offset : offset + length])
    assert b"".join(blob.open(*piece) for piece in blob.pieces(0, None)) == content


def test_the_same_content_never_looks_the_same() -> None:
    assert len({sealed(b"same", []) for _ in range(20)}) == 20


@pytest.mark.parametrize("size", [0, HEADER_BYTES, HEADER_BYTES + 15, HEADER_BYTES + FRAME_BYTES + 16 + 16])
def test_lengths_that_no_blob_has(size: int) -> None:
    with pytest.raises(BlobDamaged):
        plain_size(size)
