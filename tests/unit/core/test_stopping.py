"""The way out: work is waited for, and what holds on is told to let go."""

import pytest

from youworker_app.core.stopping import ServerStopping, Stopping


async def test_work_is_waited_for_and_other_holders_are_not() -> None:
    stopping = Stopping()
    told: list[str] = []
    with stopping.holding(lambda: told.append("stream")):
        assert await stopping.finished(0.01)
        with stopping.holding(lambda: told.append("upload"), is_work=True):
            assert not await stopping.finished(0.01)
        assert await stopping.finished(0.01)


async def test_whoever_still_holds_on_is_told_once() -> None:
    stopping = Stopping()
    told: list[str] = []
    with stopping.holding(lambda: told.append("early")):
        pass
    with stopping.holding(lambda: told.append("here")):
        stopping.begin()
        assert (stopping.has_begun, stopping.is_cut, told) == (True, False, [])
        stopping.cut()
        stopping.cut()
    assert (stopping.is_cut, told) == (True, ["here"])


def test_who_is_refused_is_told_when_to_come_again() -> None:
    with pytest.raises(ServerStopping) as refused:
        raise ServerStopping
    assert refused.value.http_status == 503
    assert refused.value.details["retry_after_s"] == 3
