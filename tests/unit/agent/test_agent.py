"""The agent over memory gateways: every branch of an answer."""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import pytest

from tests.unit.agent.parts import TEXTS, agent, broken_off, events, shelf, text_of
from tests.unit.retrieval.passages import ANNA
from youworker_app.agent.schemas import Evidence, Question, Searching, Thinking, Token, Turn, Usage, Writing
from youworker_app.agent.service import answer_language
from youworker_app.core.errors import AppError
from youworker_app.gateways.llm.errors import ModelAway, ModelFailed, ModelMissing, ModelStalled
from youworker_app.gateways.llm.protocol import ChatMessage, Completion, ModelInfo, TextDelta
from youworker_app.gateways.llm.scripted import Fail, Hang, NoModel, Say, ScriptedModel, words
from youworker_app.gateways.vectors.errors import VectorStoreAway

ASKED = Question("When is the boiler serviced?")
SMALL = ModelInfo("small", 4_096, frozenset({"completion"}), None)
TALL = ModelInfo("tall", 8_192, frozenset({"completion"}), None)


async def test_the_events_come_in_order_and_the_evidence_before_the_model_is_asked() -> None:
    model = ScriptedModel([Say("", "Let me see."), Say("In "), Say("March [1].")])
    seen: list[tuple[str, int]] = []
    async for event in agent(await shelf(), model).answer(ANNA, ASKED):
        seen.append((type(event).__name__, len(model.calls)))
    assert [name for name, _ in seen] == [
        "Searching",
        "Evidence",
        "Writing",
        "Thinking",
        "Token",
        "Token",
        "Usage",
    ]
    assert dict(seen[:3]) == {"Searching": 0, "Evidence": 0, "Writing": 0}


async def test_a_model_answers_from_the_evidence() -> None:
    model = ScriptedModel(words("In March [1]."))
    got = await events(agent(await shelf(), model, max_tokens=300), ASKED)
    assert text_of(got) == "In March [1]."
    assert Writing("scripted") in got
    assert isinstance(got[-1], Usage)
    assert got[-1].completion_tokens == 3
    [evidence] = [event for event in got if isinstance(event, Evidence)]
    assert evidence.passages[0].text == TEXTS[0]
    [call] = model.calls
    assert (call.model, call.max_tokens) == ("scripted", 300)
    assert TEXTS[0] in call.messages[-1].content


@pytest.mark.parametrize(
    ("asked", "configured", "expected"),
    [
        (None, "", "small"),
        (None, "tall", "tall"),
        (None, "gone", "small"),
        ("tall", "small", "tall"),
        ("", "", "small"),
    ],
)
async def test_which_model_answers(asked: str | None, configured: str, expected: str) -> None:
    service = agent(await shelf(), ScriptedModel(models=[SMALL, TALL]), model=configured)
    got = await events(service, Question(ASKED.text, model=asked))
    assert Writing(expected) in got
    if not asked:
        assert await service.list_models() == (True, ("small", "tall"), expected)


async def test_a_model_that_was_asked_for_and_is_not_there_is_told() -> None:
    with pytest.raises(ModelMissing):
        await events(agent(await shelf(), ScriptedModel()), Question(ASKED.text, model="gone"))


@pytest.mark.parametrize(
    ("model", "told", "listed"),
    [
        (NoModel(), "No language model is connected", (False, (), "")),
        (ScriptedModel(models=[]), "Ollama has no language model yet", (True, (), "")),
    ],
)
async def test_without_a_model_passages_answer(model: ScriptedModel, told: str, listed: object) -> None:
    service = agent(await shelf(), model)
    got = await events(service, ASKED)
    assert [type(event) for event in got[:3]] == [Searching, Evidence, Writing]
    assert got[2] == Writing("passages")
    assert told in text_of(got)
    assert (
        "[1] doc.txt, page 1\n\n> **The boiler in the cellar is serviced each March.** Its number"
        in text_of(got)
    )
    assert await service.list_models() == listed


async def test_passages_answer_where_they_are_asked_for_and_no_notice_stands_over_them() -> None:
    model = ScriptedModel()
    got = await events(agent(await shelf(), model), Question(ASKED.text, model="passages"))
    assert text_of(got).startswith("[1] doc.txt")
    assert model.calls == []


async def test_passages_answer_in_the_language_of_the_question() -> None:
    got = await events(
        agent(await shelf(), NoModel()), Question("Quando viene revisionata la caldaia K-4711?")
    )
    assert "Nessun modello linguistico" in text_of(got)
    got = await events(agent(await shelf(), NoModel()), Question("Quando è il boiler?", language="en"))
    assert "No language model" in text_of(got)


async def test_nothing_found_is_said_and_what_was_searched() -> None:
    got = await events(agent(await shelf(), NoModel()), Question("Quantum chromodynamics lattice"))
    assert Evidence(()) in got
    assert "I searched all documents that you can ask for: Quantum chromodynamics lattice" in text_of(got)
    assert not re.search(r"\[\d", text_of(got))


async def test_a_question_without_documents_is_not_searched_for() -> None:
    model = ScriptedModel()
    got = await events(agent(await shelf(), model), Question(ASKED.text, use_documents=False))
    assert not [event for event in got if isinstance(event, Searching | Evidence)]
    assert model.calls[0].messages[-1].content == ASKED.text
    assert "not searched" in text_of(
        await events(agent(await shelf(), NoModel()), Question("Why is it so?", use_documents=False))
    )


async def test_a_follow_up_is_searched_for_with_the_terms_before_it() -> None:
    history = (Turn("user", "Where is the boiler?"), Turn("assistant", "In the cellar [1]."))
    model = ScriptedModel()
    got = await events(agent(await shelf(), model), Question("When was it serviced?", history=history))
    [evidence] = [event for event in got if isinstance(event, Evidence)]
    assert evidence.passages[0].text == TEXTS[0]
    # The model reads the question as it was asked, and the turns before it.
    assert model.calls[0].messages[-1].content.endswith("Question: When was it serviced?")
    assert [message.content for message in model.calls[0].messages[1:3]] == [
        "Where is the boiler?",
        "In the cellar.",
    ]


@pytest.mark.parametrize(("setting", "expected"), [(0, 0), (2, 2), (12, 4)])
async def test_as_many_earlier_messages_as_set(setting: int, expected: int) -> None:
    history = tuple(Turn(role, "Hello there, boiler.") for role in ("user", "assistant") * 2)
    model = ScriptedModel()
    await events(agent(await shelf(), model, history_messages=setting), Question(ASKED.text, history=history))
    assert len(model.calls[0].messages) == 2 + expected


@pytest.mark.parametrize("narrowed", [{"document_ids": ()}, {"group_ids": ("g",)}])
async def test_a_question_is_narrowed(narrowed: dict[str, tuple[str, ...]]) -> None:
    got = await events(agent(await shelf(), ScriptedModel()), Question(ASKED.text, **narrowed))  # type: ignore[arg-type]
    assert Evidence(()) in got


async def test_as_many_passages_as_set() -> None:
    got = await events(agent(await shelf(), ScriptedModel(), passages=1), Question("boiler"))
    assert [len(event.passages) for event in got if isinstance(event, Evidence)] == [1]


@pytest.mark.parametrize(
    "error", [ModelStalled(model="m", seconds=1), ModelFailed(model="m", reason="r"), ModelAway(url="u")]
)
async def test_an_error_comes_after_the_tokens_before_it(error: AppError) -> None:
    service = agent(await shelf(), ScriptedModel([Say("In "), Fail(error)]))
    got = await broken_off(service, ASKED, type(error))
    assert text_of(got) == "In "


async def test_a_model_that_goes_away_before_its_first_word_is_replaced() -> None:
    got = await events(agent(await shelf(), ScriptedModel([Fail(ModelAway(url="u"))])), ASKED)
    assert [event.model for event in got if isinstance(event, Writing)] == ["scripted", "passages"]
    assert "[1] doc.txt" in text_of(got)
    with pytest.raises(ModelAway):
        await events(agent(await shelf(), ScriptedModel([Say("", "Hm."), Fail(ModelAway(url="u"))])), ASKED)


async def test_a_model_without_a_word_has_failed() -> None:
    for script in ([], [Say("", "Only thoughts.")]):
        with pytest.raises(ModelFailed):
            await events(agent(await shelf(), ScriptedModel(script)), ASKED)


async def test_a_store_that_is_away_is_told_before_any_word() -> None:
    shelved = await shelf()
    await shelved.store.close()
    assert await broken_off(agent(shelved, ScriptedModel()), ASKED, VectorStoreAway) == [Searching()]


async def test_leaving_the_answer_stops_the_model() -> None:
    model = ScriptedModel([Say("In "), Hang()])
    async with aclosing(agent(await shelf(), model).answer(ANNA, ASKED)) as answer:
        async for event in answer:
            if isinstance(event, Token):
                break
    assert model.stopped == 1


async def test_cancelling_the_task_stops_the_model() -> None:
    model = ScriptedModel([Say("In "), Hang()])
    task = asyncio.create_task(events(agent(await shelf(), model), ASKED))
    while not model.calls:
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert model.stopped == 1


class SlowList(ScriptedModel):
    """A server that takes its time to say which models it has."""

    def __init__(self) -> None:
        super().__init__()
        self.cancelled = False

    async def list_models(self) -> list[ModelInfo]:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return []


async def test_leaving_early_waits_for_no_model() -> None:
    model = SlowList()
    async with aclosing(agent(await shelf(), model).answer(ANNA, ASKED)) as answer:
        async for event in answer:
            if isinstance(event, Evidence):
                break
    assert model.cancelled


class Quiet(ScriptedModel):
    """Sends pieces that say nothing before its answer."""

    async def stream(
        self,
        model: str,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int | None = None,
        temperature: float | None = None,
    ) -> AsyncGenerator[TextDelta | Completion, None]:
        yield TextDelta("")
        yield TextDelta("Yes.", "Hm.")
        yield Completion(None, None, "stop")


async def test_empty_pieces_are_no_events() -> None:
    got = await events(agent(await shelf(), Quiet()), ASKED)
    assert got[2:] == [Writing("scripted"), Thinking("Hm."), Token("Yes."), Usage(None, None)]


@pytest.mark.parametrize(
    ("question", "language"),
    [
        (Question("What is it?", language="it"), "it"),
        (Question("Che cos'è questo?"), "it"),
        (Question("K-4711", history=(Turn("user", "Qual è il numero?"), Turn("assistant", "What?"))), "it"),
        (Question("K-4711"), ""),
    ],
)
async def test_the_language_of_an_answer(question: Question, language: str) -> None:
    assert await answer_language(question) == language
