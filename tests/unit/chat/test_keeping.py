"""What an answer has begun to save is finished on every way out."""

import asyncio
import gc

import pytest

from youworker_app.chat.runner import Draft


async def failing() -> None:
    raise LookupError("gone")


async def test_what_could_not_be_saved_is_told_once_by_whoever_waits_for_it() -> None:
    draft = Draft()
    draft.keeping = asyncio.create_task(failing())
    with pytest.raises(LookupError):
        await draft.kept()


async def test_after_another_failure_it_is_not_told_again() -> None:
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["message"]))
    draft = Draft()
    draft.keeping = asyncio.create_task(failing())
    await draft.settle()
    draft.keeping = None
    gc.collect()
    assert told == []


async def test_a_second_stop_does_not_leave_it_half_done() -> None:
    may_end = asyncio.Event()
    draft = Draft()
    keeping = draft.keeping = asyncio.create_task(_until(may_end))
    leaving = asyncio.create_task(draft.settle())
    for _ in range(3):
        await asyncio.sleep(0)
        leaving.cancel()
    assert not leaving.done()
    may_end.set()
    await leaving
    assert keeping.done()
    assert not keeping.cancelled()


async def _until(event: asyncio.Event) -> None:
    await event.wait()
