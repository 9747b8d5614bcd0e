"""What every `LanguageModel` must do, run on the scripted one and on a real one by Ollama; then Ollama's troubles."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
import httpx
import pytest

from tests.model_server.foreign import dead_url, foreign
from youworker_app.core.telemetry import correlation_id
from youworker_app.gateways.llm import ollama_models
from youworker_app.gateways.llm.errors import (
    ModelAway,
    ModelFailed,
    ModelMissing,
    ModelOutOfMemory,
    ModelStalled,
)
from youworker_app.gateways.llm.ollama import OllamaModel
from youworker_app.gateways.llm.protocol import ChatMessage, Completion, LanguageModel, TextDelta
from youworker_app.gateways.llm.scripted import NoModel, Say, ScriptedModel, Wait

CHAT = "smollm2:135m"
LONG = [ChatMessage("user", "Tell me a very long story about the sea, as long as you can.")]
SHORT = [ChatMessage("system", "Answer in one word."), ChatMessage("user", "Say hello.")]


@dataclass(frozen=True)
class Subject:
    """A model under test; `stopped` tells how many answers it gave up because nobody wanted them any more."""

    model: LanguageModel
    name: str
    stopped: Callable[[], Awaitable[int]]


@pytest.fixture(params=["scripted", "ollama"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    if request.param == "scripted":
        slow = [step for number in range(300) for step in (Say(f"{number} "), Wait(0.005))]
        scripted = ScriptedModel(slow)

        async def count() -> int:
            return scripted.stopped

        yield Subject(scripted, "scripted", count)
        return
    url = request.getfixturevalue("ollama_url")
    model = OllamaModel(url)

    async def aborted() -> int:
        return (await _stats(url))["aborted"]

    yield Subject(model, CHAT, aborted)
    await model.close()


async def _stats(url: str) -> dict[str, int]:
    async with httpx.AsyncClient(trust_env=False) as client:
        stats: dict[str, int] = (await client.get(f"{url}/_stats")).json()
        return stats


async def _fault(url: str, kind: str, after: int = 0) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        (await client.post(f"{url}/_fault", json={"kind": kind, "after": after})).raise_for_status()


async def _collect(
    model: LanguageModel, name: str, messages: list[ChatMessage], most: int = 8
) -> list[object]:
    async with aclosing(model.stream(name, messages, max_tokens=most, temperature=0.0)) as events:
        return [event async for event in events]


async def _read(model: LanguageModel, messages: list[ChatMessage], into: list[object]) -> None:
    """For answers that break off: `into` keeps what came before."""
    async with aclosing(model.stream(CHAT, messages)) as events:
        async for event in events:
            into.append(event)


async def _until(condition: Callable[[], Awaitable[bool]], within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while not await condition():
            await asyncio.sleep(0.01)


# --- every model


async def test_lists_what_can_answer(subject: Subject) -> None:
    models = await subject.model.list_models()
    assert [info.name for info in models] == [subject.name]
    assert "completion" in models[0].capabilities
    assert (models[0].context_length or 0) > 1000
    assert (models[0].size_bytes or 0) > 0


async def test_pieces_then_one_completion(subject: Subject) -> None:
    *pieces, last = await _collect(subject.model, subject.name, SHORT)
    assert pieces
    assert all(isinstance(piece, TextDelta) and (piece.text or piece.thinking) for piece in pieces)
    assert isinstance(last, Completion)
    assert (last.prompt_tokens or 0) > 0
    assert (last.completion_tokens or 0) > 0


async def test_stops_at_the_limit(subject: Subject) -> None:
    last = (await _collect(subject.model, subject.name, LONG, most=5))[-1]
    assert isinstance(last, Completion)
    assert (last.finish, last.completion_tokens) == ("length", 5)


async def test_an_unknown_model_is_named(subject: Subject) -> None:
    for name in ("nosuch:7b", ""):
        with pytest.raises(ModelMissing) as caught:
            await _collect(subject.model, name, SHORT)
        assert caught.value.details == {"model": name}


async def test_leaving_stops_the_model(subject: Subject) -> None:
    before = await subject.stopped()
    async with aclosing(subject.model.stream(subject.name, LONG)) as events:
        await anext(events)

    async def stopped() -> bool:
        return await subject.stopped() == before + 1

    await _until(stopped, within_s=1)
    assert await _collect(subject.model, subject.name, SHORT)


async def test_cancelling_stops_the_model(subject: Subject) -> None:
    before = await subject.stopped()
    started = asyncio.Event()

    async def read() -> None:
        async with aclosing(subject.model.stream(subject.name, LONG)) as events:
            async for _ in events:
                started.set()

    reading = asyncio.create_task(read())
    await started.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    async def stopped() -> bool:
        return await subject.stopped() == before + 1

    await _until(stopped, within_s=1)


async def test_several_answers_at_once(subject: Subject) -> None:
    answers = await asyncio.gather(*(_collect(subject.model, subject.name, SHORT) for _ in range(4)))
    assert all(isinstance(answer[-1], Completion) for answer in answers)


@pytest.mark.parametrize("content", ["", "half a pair \ud800", "a\x00b", "\u202eright to left"])
async def test_any_question_can_be_asked(subject: Subject, content: str) -> None:
    answer = await _collect(subject.model, subject.name, [ChatMessage("user", content)], most=2)
    assert isinstance(answer[-1], Completion)


@pytest.mark.parametrize("kind", ["none", "ollama"])
async def test_nobody_there(kind: str) -> None:
    model: LanguageModel = NoModel() if kind == "none" else OllamaModel(dead_url())
    with pytest.raises(ModelAway):
        await model.list_models()
    with pytest.raises(ModelAway):
        await _collect(model, CHAT, SHORT)
    await model.close()


# --- Ollama: the list


async def test_ollama_offers_no_embedding_and_no_cloud_model(ollama_url: str) -> None:
    model = OllamaModel(ollama_url)
    assert [info.name for info in await model.list_models()] == [CHAT]
    with pytest.raises(ModelMissing):
        await _collect(model, "giant:671b-cloud", SHORT)
    await model.close()


async def test_ollama_context_is_the_smaller_of_model_and_setting(ollama_url: str) -> None:
    for context_tokens, expected in ((100_000, 4096), (2048, 2048)):
        model = OllamaModel(ollama_url, context_tokens=context_tokens)
        assert (await model.list_models())[0].context_length == expected
        await model.close()


async def test_ollama_is_asked_for_its_list_once_in_a_while(
    ollama_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = OllamaModel(ollama_url)
    before = await _stats(ollama_url)
    await asyncio.gather(*(model.list_models() for _ in range(10)))
    monkeypatch.setattr(ollama_models, "_FRESH_FOR_S", -1)
    await model.list_models()
    after = await _stats(ollama_url)
    await model.close()
    assert after["list"] - before["list"] == 2
    # One for each local model, though the list was asked for twice: a digest's answer cannot change.
    assert after["show"] - before["show"] == 2


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b'{"models": 1}'])
async def test_something_else_at_ollamas_address(answer: bytes) -> None:
    async with foreign(answer) as server:
        model = OllamaModel(server.url)
        with pytest.raises(ModelAway):
            await model.list_models()
        with pytest.raises(ModelFailed):
            await _collect(model, CHAT, SHORT)
        await model.close()


async def test_an_old_ollama_tells_no_capabilities() -> None:
    both = b'{"models": [{"model": "old", "digest": "d"}], "details": {"family": "%s"}, "model_info": {}}'
    for family, expected in ((b"llama", ["old"]), (b"bert", [])):
        async with foreign(both % family) as server:
            model = OllamaModel(server.url)
            assert [info.name for info in await model.list_models()] == expected
            await model.close()


# --- Ollama: the answer


async def test_ollama_stops_promptly(ollama_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By closing the connection, not by luck with the garbage collector: here something still holds the stream."""
    held = []
    post = aiohttp.ClientSession.post

    async def post_and_hold(*given: Any, **named: Any) -> object:
        held.append(await post(*given, **named))
        return held[-1]

    monkeypatch.setattr(aiohttp.ClientSession, "post", post_and_hold)
    model = OllamaModel(ollama_url)
    async with aclosing(model.stream(CHAT, LONG)) as events:
        await anext(events)
    started = asyncio.get_running_loop().time()

    async def idle() -> bool:
        return (await _stats(ollama_url))["generating"] == 0

    await _until(idle, within_s=1)
    took = asyncio.get_running_loop().time() - started
    await model.close()
    print("TOOK", took)
    assert took < 0.5


@pytest.mark.parametrize(
    ("kind", "after", "expected"),
    [
        ("error", 0, ModelOutOfMemory),
        ("error", 3, ModelOutOfMemory),
        ("garbage", 0, ModelFailed),
        ("garbage", 3, ModelFailed),
        ("drop", 3, ModelAway),
        ("stall", 0, ModelStalled),
        ("stall", 3, ModelStalled),
    ],
)
async def test_ollama_fails(ollama_url: str, kind: str, after: int, expected: type[Exception]) -> None:
    model = OllamaModel(ollama_url, first_token_timeout_s=0.8, stall_timeout_s=0.4)
    await _fault(ollama_url, kind, after)
    before = (await _stats(ollama_url))["started"]
    pieces: list[object] = []
    with pytest.raises(expected):
        await _read(model, LONG, pieces)
    await model.close()
    assert len(pieces) == after
    # Never repeated by itself: what was said is on somebody's screen.
    assert (await _stats(ollama_url))["started"] - before <= 1


async def test_ollama_reason_is_short_and_on_one_line() -> None:
    async with foreign(b'{"error": "no\\nroom ' + b"x" * 5000 + b'"}') as server:
        model = OllamaModel(server.url)
        with pytest.raises(ModelFailed) as caught:
            await _collect(model, CHAT, SHORT)
        await model.close()
    assert str(caught.value.details["reason"]).startswith("no room xxx")
    assert len(caught.value.message) < 300


async def test_ollama_ends_in_the_middle() -> None:
    async with foreign(b'{"message": {"role": "assistant", "content": "Hal"}, "done": false}\n') as server:
        model = OllamaModel(server.url)
        pieces: list[object] = []
        with pytest.raises(ModelAway):
            await _read(model, SHORT, pieces)
        await model.close()
    assert pieces == [TextDelta("Hal")]


async def test_a_line_without_end_is_not_ollamas() -> None:
    line = b'{"message": {"role": "assistant", "content": "' + b"x" * 3_000_000 + b'"}, "done": true}\n'
    async with foreign(line) as server:
        model = OllamaModel(server.url)
        with pytest.raises(ModelFailed, match="not Ollama's"):
            await _collect(model, CHAT, SHORT)
        await model.close()


async def test_a_piece_may_hold_what_looks_like_the_end_of_a_line() -> None:
    line = '{"message": {"role": "assistant", "content": "a\u2028b\x85\\n"}, "done": true}\n'
    async with foreign(line.encode()) as server:
        model = OllamaModel(server.url)
        assert (await _collect(model, CHAT, SHORT))[0] == TextDelta("a\u2028b\x85\n")
        await model.close()


async def test_ollama_thinking_is_kept_apart() -> None:
    lines = (
        b'{"message": {"role": "assistant", "content": "", "thinking": "Hmm."}, "done": false}\n'
        b'{"message": {"role": "assistant", "content": "Yes."}, "done": false}\n'
        b'{"message": {"role": "assistant", "content": ""}, "done": true, "done_reason": "stop"}\n'
    )
    async with foreign(lines) as server:
        model = OllamaModel(server.url)
        assert await _collect(model, CHAT, SHORT) == [
            TextDelta("", "Hmm."),
            TextDelta("Yes."),
            Completion(None, None, "stop"),
        ]
        await model.close()


@pytest.mark.parametrize("late", [b"", b"\n"])
async def test_an_answer_leaves_its_connection_to_the_next(late: bytes) -> None:
    line = b'{"message": {"role": "assistant", "content": "Yes."}, "done": true}\n'
    async with foreign(line, late=late) as server:
        model = OllamaModel(server.url)
        for _ in range(3):
            await _collect(model, CHAT, SHORT)
        await model.close()
    assert (len(server.requests), server.connections) == (3, 1)


async def test_what_ollama_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", dead_url())
    token = correlation_id.set("c-2")
    async with foreign(b'{"message": {"role": "assistant", "content": ""}, "done": true}\n') as server:
        model = OllamaModel(server.url, context_tokens=5000)
        await _collect(model, CHAT, SHORT, most=7)
        await model.close()
    correlation_id.reset(token)
    assert "x-correlation-id: c-2" in server.requests[0].lower()
    for part in ('"num_ctx":5000', '"num_predict":7', '"temperature":0.0', "Answer in one word."):
        assert part in server.requests[0]


async def test_lists_and_answers_carry_the_key_whatever_name_the_address_has() -> None:
    async with foreign(b'{"message": {"role": "assistant", "content": ""}, "done": true}\n') as server:
        model = OllamaModel(server.url.replace("//", "//anna:secret@"), api_key="k-1")
        await _collect(model, CHAT, SHORT)
        with suppress(ModelAway):
            await model.list_models()
        await model.close()
    assert len(server.requests) == 2
    assert all("authorization: bearer k-1" in request.lower() for request in server.requests)


async def test_a_prompt_that_does_not_fit_is_told(ollama_url: str) -> None:
    model = OllamaModel(ollama_url)
    with pytest.raises(ModelFailed, match="context size"):
        await _collect(model, CHAT, [ChatMessage("user", "word " * 6000)])
    await model.close()


async def test_ollama_cannot_send_questions_elsewhere() -> None:
    async with foreign(b'{"done": true}') as elsewhere, foreign(b"", redirect_to=elsewhere.url) as server:
        model = OllamaModel(server.url)
        with pytest.raises(ModelFailed):
            await _collect(model, CHAT, SHORT)
        await model.close()
    assert elsewhere.requests == []
