"""Who has to go: what is held under their ids is let go of, the request that decides it is spared."""

import asyncio
from time import monotonic

from youworker_app.core.endings import Endings, begin_deciding, end_deciding


def test_what_is_held_is_let_go_of_by_any_of_its_ids() -> None:
    endings, gone = Endings(), list[str]()
    with (
        endings.holding(frozenset({"anna", "s1"}), lambda: gone.append("a"), since=monotonic()),
        endings.holding(frozenset({"anna", "k1"}), lambda: gone.append("b"), since=monotonic()),
        endings.holding(frozenset({"bruno", "s2"}), lambda: gone.append("c"), since=monotonic()),
    ):
        endings.end("s1")
        assert gone == ["a"]
        endings.end("anna", "nobody")
        assert gone == ["a", "a", "b"]
    endings.end("anna", "bruno")
    assert len(gone) == 3


def test_what_came_between_the_asking_and_the_holding_counts() -> None:
    endings, gone = Endings(), list[str]()
    before = monotonic()
    endings.end("s1")
    with endings.holding(frozenset({"s1"}), lambda: gone.append("late"), since=before):
        assert gone == ["late"]
    with endings.holding(frozenset({"s1"}), lambda: gone.append("new"), since=monotonic() + 1):
        assert gone == ["late"]


async def test_the_request_that_decides_is_spared_with_the_tasks_that_it_starts() -> None:
    endings, gone, mine = Endings(), list[str](), object()
    names = frozenset({"anna"})

    async def follow() -> None:
        endings.end("anna")

    with (
        endings.holding(names, lambda: gone.append("mine"), since=monotonic(), owner=mine),
        endings.holding(names, lambda: gone.append("other"), since=monotonic(), owner=object()),
        endings.holding(names, lambda: gone.append("socket"), since=monotonic()),
    ):
        token = begin_deciding(mine)
        endings.end("anna")
        await asyncio.create_task(follow())
        end_deciding(token)
        assert gone == ["other", "socket"] * 2
        endings.end("anna")
        assert gone[4:] == ["mine", "other", "socket"]
