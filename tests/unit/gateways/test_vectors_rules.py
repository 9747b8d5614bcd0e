"""What holds for all stores, asked of the rules themselves: a store's own habits could hide a hole here."""

from collections.abc import Collection

import pytest

from youworker_app.gateways.vectors import rules
from youworker_app.gateways.vectors.protocol import VectorHit, mint_access_filter


@pytest.mark.parametrize(
    ("visibility", "limit", "document_ids", "nothing"),
    [
        ({"u:ann"}, 1, None, False),
        ({"u:ann"}, 1, {"d"}, False),
        (set(), 1, None, True),
        (set(), 1, {"d"}, True),
        ({"u:ann"}, 0, None, True),
        ({"u:ann"}, -1, None, True),
        ({"u:ann"}, 1, [], True),
    ],
)
def test_when_nothing_can_be_found(
    visibility: set[str], limit: int, document_ids: Collection[str] | None, nothing: bool
) -> None:
    assert rules.finds_nothing(mint_access_filter(visibility), limit, document_ids) is nothing


def test_equal_scores_go_by_chunk() -> None:
    hits = [VectorHit("b", "d", 0.5), VectorHit("c", "d", 0.9), VectorHit("a", "d", 0.5)]
    assert [hit.chunk_id for hit in rules.best_first(hits)] == ["c", "a", "b"]
