"""Min-max fusion of two hit lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from youworker_app.gateways.vectors.protocol import VectorHit
from youworker_app.retrieval.fusion import DEFAULT_LEXICAL_WEIGHT, LEXICAL_WEIGHT, fuse, lexical_weight


def hits(**scores: float) -> list[VectorHit]:
    return [VectorHit(chunk_id, f"doc-{chunk_id}", score) for chunk_id, score in scores.items()]


def fused(dense: list[VectorHit], sparse: list[VectorHit], weight: float = 0.25) -> dict[str, float]:
    return {hit.chunk_id: hit.score for hit in fuse(dense, sparse, lexical_weight=weight, limit=100)}


def test_formula() -> None:
    found = fused(hits(a=0.9, b=0.7, c=0.5), hits(b=12.0, d=8.0, c=4.0))
    assert found == pytest.approx({"a": 0.75, "b": 0.25 + 0.375, "d": 0.125, "c": 0.0})
    assert list(found) == ["a", "b", "d", "c"]


def test_documents_come_along() -> None:
    found = fuse(hits(a=0.9), hits(b=3.0), lexical_weight=0.5, limit=5)
    assert {hit.chunk_id: hit.document_id for hit in found} == {"a": "doc-a", "b": "doc-b"}


def test_one_side_alone_has_the_whole_weight() -> None:
    assert fused(hits(a=0.9, b=0.1), []) == {"a": 1.0, "b": 0.0}
    assert fused([], hits(a=9.0, b=3.0)) == {"a": 1.0, "b": 0.0}
    assert fused([], []) == {}


def test_equal_scores_all_count_whole() -> None:
    assert fused(hits(a=0.5, b=0.5), hits(b=2.0)) == pytest.approx({"b": 1.0, "a": 0.75})


def test_weight_at_the_ends_ranks_as_that_side_does() -> None:
    dense, sparse = hits(a=0.9, b=0.5, c=0.1), hits(c=9.0, b=5.0, a=1.0)
    assert list(fused(dense, sparse, 0.0)) == ["a", "b", "c"]
    assert list(fused(dense, sparse, 1.0)) == ["c", "b", "a"]


def test_ties_go_by_cosine_then_by_id() -> None:
    # Weight 1 makes all dense hits equal in the fused score.
    assert list(fused(hits(z=0.9, a=0.8, b=0.8), hits(s=4.0), 1.0)) == ["s", "z", "a", "b"]


def test_limit() -> None:
    dense = hits(a=0.9, b=0.5, c=0.1)
    assert [len(fuse(dense, [], lexical_weight=0.5, limit=limit)) for limit in (2, 9, 0, -1)] == [2, 3, 0, 0]


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_weight_out_of_range(weight: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        fuse([], [], lexical_weight=weight, limit=1)


SCORES = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(-1, 50, width=32), max_size=8)


@given(SCORES, SCORES, st.floats(0, 1))
def test_any_lists(dense: dict[str, float], sparse: dict[str, float], weight: float) -> None:
    found = fuse(hits(**dense), hits(**sparse), lexical_weight=weight, limit=100)
    assert {hit.chunk_id for hit in found} == dense.keys() | sparse.keys()
    assert len(found) == len(dense.keys() | sparse.keys())
    assert all(0 <= hit.score <= 1 + 1e-9 for hit in found)
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)
    backwards = fuse(hits(**dense)[::-1], hits(**sparse)[::-1], lexical_weight=weight, limit=100)
    assert backwards == found


def test_weights_by_language() -> None:
    assert lexical_weight("en") == LEXICAL_WEIGHT["en"] < LEXICAL_WEIGHT["it"] == lexical_weight("it")
    assert lexical_weight("xx") == DEFAULT_LEXICAL_WEIGHT
