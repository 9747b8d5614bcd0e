"""The scripted model plays what it is told, so that tests of answers can trust it."""

import asyncio
from contextlib import aclosing

import pytest

from youworker_app.gateways.llm.errors import ModelStalled
from youworker_app.gateways.llm.protocol import ChatMessage, Completion, TextDelta
from youworker_app.gateways.llm.scripted import Fail, Hang, Say, ScriptedModel, Stop, Wait, words

ASK = [ChatMessage("user", "two words")]


async def _play(model: ScriptedModel) -> list[TextDelta | Completion]:
    events: list[TextDelta | Completion] = []
    await _read(model, events)
    return events


async def _read(model: ScriptedModel, into: list[TextDelta | Completion]) -> None:
    async with aclosing(model.stream("scripted", ASK)) as events:
        async for event in events:
            into.append(event)


async def test_plays_one_script_an_answer_and_repeats_the_last() -> None:
    model = ScriptedModel([Say("a", "hm"), Stop("load"), Say("never")], [Wait(0), Say("b")])
    assert await _play(model) == [TextDelta("a", "hm"), Completion(2, 1, "load")]
    for _ in range(2):
        assert await _play(model) == [TextDelta("b"), Completion(2, 1, "stop")]
    assert [call.messages for call in model.calls] == [tuple(ASK)] * 3
    assert model.stopped == 0


async def test_fails_after_what_it_said() -> None:
    model = ScriptedModel([Say("half"), Fail(ModelStalled(model="scripted", seconds=30))])
    pieces: list[TextDelta | Completion] = []
    with pytest.raises(ModelStalled):
        await _read(model, pieces)
    assert pieces == [TextDelta("half")]


async def test_hangs_until_it_is_stopped() -> None:
    model = ScriptedModel([Say("half"), Hang()])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(_play(model), 0.05)
    assert model.stopped == 1


@pytest.mark.parametrize("text", ["One two  three.\nFour ", "", "word"])
def test_words_lose_nothing(text: str) -> None:
    assert "".join(step.text for step in words(text) if isinstance(step, Say)) == text
