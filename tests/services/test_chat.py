"""Asking: the run belongs to the server, nothing written is lost, nobody else reads it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import text

from tests.house import House, open_house
from youworker_app.access.actor import Actor
from youworker_app.access.rights import Right
from youworker_app.chat.errors import (
    AnswerRunning,
    QuestionEmpty,
    QuestionTooLong,
    SessionTitleInvalid,
    TooManyAnswers,
)
from youworker_app.chat.schemas import AskQuestion, RunEvent
from youworker_app.core import fence
from youworker_app.core.db import Database
from youworker_app.core.errors import NotFound
from youworker_app.core.keys import DataKeys
from youworker_app.core.paging import PageRequest
from youworker_app.gateways.llm.errors import ModelFailed
from youworker_app.gateways.llm.scripted import Fail, Hang, Say, ScriptedModel, Wait, words

NOTE = b"The boiler in the cellar is serviced in March. Its number is K-4711."
PAGE = PageRequest()


async def followed(house: House, actor: Actor, run_id: str, after: int = 0) -> list[RunEvent]:
    return [event async for batch in house.chat.events(actor, run_id, after=after) for event in batch]


def text_of(events: list[RunEvent]) -> str:
    return "".join(str(event.data["text"]) for event in events if event.name == "token")


@pytest.fixture
def model() -> ScriptedModel:
    """Answers the first question with a citation, hangs on the second, breaks on the third."""
    return ScriptedModel(
        words("In March, says the note [1]."),
        [Say("Partly "), Say("written"), Hang()],
        [Say("Half a"), Fail(ModelFailed(model="scripted", reason="out of memory"))],
    )


@pytest.fixture
async def talking(
    database: Database, database_url: str, tmp_path: Path, keys: DataKeys, model: ScriptedModel
) -> AsyncIterator[House]:
    """A house whose model follows the script."""
    opened = await open_house(database_url, tmp_path / "data", keys, llm=model)
    yield opened
    await opened.stop()


async def test_an_answer_streams_with_its_evidence_first_and_is_kept(talking: House) -> None:
    anna = await talking.person("anna")
    item = await talking.upload(anna, NOTE, "boiler.txt")
    started = await talking.chat.ask(anna, AskQuestion("When is the boiler serviced?"))
    events = await followed(talking, anna, started.run_id)
    names = [event.name for event in events]
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert names[0] == "session"
    assert names.index("citations") < names.index("token")
    assert names[-1] == "done"
    assert text_of(events) == "In March, says the note [1]."
    message = await talking.chat.wait(anna, started.run_id)
    assert (message.content, message.state, message.model) == (text_of(events), "complete", "scripted")
    cited = message.citations[0]
    assert (cited.n, cited.document_id, cited.available, cited.filename) == (
        1,
        item.document_id,
        True,
        "boiler.txt",
    )
    assert "K-4711" in cited.quote


async def test_without_a_model_the_passages_answer(house: House) -> None:
    anna = await house.person("anna")
    await house.upload(anna, NOTE, "boiler.txt")
    started = await house.chat.ask(anna, AskQuestion("Which number does the boiler have?"))
    message = await house.chat.wait(anna, started.run_id)
    assert message.model == "passages"
    assert "[1]" in message.content
    assert "4711" in message.content
    assert (await house.chat.list_models(anna)).connected is False


async def test_stop_keeps_what_was_written_and_is_quick(talking: House) -> None:
    anna = await talking.person("anna")
    await talking.chat.wait(anna, (await talking.chat.ask(anna, AskQuestion("One?"))).run_id)
    started = await talking.chat.ask(anna, AskQuestion("Two?"))
    while "written" not in text_of(talking.live(started.run_id)):
        await asyncio.sleep(0.005)
    begun = asyncio.get_running_loop().time()
    await talking.chat.stop(anna, started.run_id)
    assert asyncio.get_running_loop().time() - begun < 0.2
    message = await talking.chat.wait(anna, started.run_id)
    assert (message.content, message.state) == ("Partly written", "stopped")
    await talking.chat.stop(anna, started.run_id)


async def test_a_model_that_breaks_leaves_the_part_and_the_reason(talking: House) -> None:
    anna = await talking.person("anna")
    await talking.chat.wait(anna, (await talking.chat.ask(anna, AskQuestion("One?"))).run_id)
    second = await talking.chat.ask(anna, AskQuestion("Two?"))
    while not text_of(talking.live(second.run_id)):
        await asyncio.sleep(0.005)
    await talking.chat.stop(anna, second.run_id)
    started = await talking.chat.ask(anna, AskQuestion("Three?"))
    events = await followed(talking, anna, started.run_id)
    assert (events[-1].name, events[-1].data["code"]) == ("error", "MODEL_FAILED")
    message = await talking.chat.wait(anna, started.run_id)
    assert (message.content, message.state, message.error_code) == ("Half a", "failed", "MODEL_FAILED")
    assert "out of memory" in message.error


async def test_the_model_is_asked_before_the_evidence_is_safe_and_its_first_word_waits(
    talking: House, model: ScriptedModel
) -> None:
    """Held on SQLite, where who writes has the database alone and can so keep the evidence from being saved."""
    if not talking.installation.db.is_sqlite:
        pytest.skip("two write at once there")
    anna = await talking.person("anna")
    await talking.upload(anna, NOTE, "boiler.txt")
    started = await talking.chat.ask(anna, AskQuestion("When is the boiler serviced?"))
    async with talking.installation.db.write():
        while not model.calls:
            await asyncio.sleep(0.005)
        for _ in range(10):  # the model has spoken by now
            await asyncio.sleep(0)
        names = [event.name for event in talking.live(started.run_id)]
        assert ("citations" in names, "token" in names) == (True, False)
    message = await talking.chat.wait(anna, started.run_id)
    assert (message.state, len(message.citations)) == ("complete", 1)


async def test_an_answer_stopped_while_its_evidence_is_saved_keeps_it(
    talking: House, model: ScriptedModel
) -> None:
    if not talking.installation.db.is_sqlite:
        pytest.skip("two write at once there")
    anna = await talking.person("anna")
    await talking.upload(anna, NOTE, "boiler.txt")
    started = await talking.chat.ask(anna, AskQuestion("When is the boiler serviced?"))
    async with talking.installation.db.write():
        while not model.calls:
            await asyncio.sleep(0.005)
        stopping = asyncio.create_task(talking.chat.stop(anna, started.run_id))
        for _ in range(100):
            await asyncio.sleep(0.001)
    await stopping
    message = await talking.chat.wait(anna, started.run_id)
    assert (message.content, message.state, len(message.citations)) == ("", "stopped", 1)


async def test_an_answer_is_followed_by_its_asker_alone_while_it_is_written(talking: House) -> None:
    anna, eve = await talking.person("anna"), await talking.person("eve")
    await talking.chat.wait(anna, (await talking.chat.ask(anna, AskQuestion("One?"))).run_id)
    started = await talking.chat.ask(anna, AskQuestion("Two?"))
    while "written" not in text_of(talking.live(started.run_id)):
        await asyncio.sleep(0.01)
    with pytest.raises(NotFound):
        await anext(talking.chat.events(eve, started.run_id))
    seen = await anext(talking.chat.events(anna, started.run_id))
    assert text_of(list(seen)) == "Partly written"
    await talking.chat.stop(anna, started.run_id)


async def test_followers_join_late_leave_early_and_lose_no_word(talking: House) -> None:
    anna = await talking.person("anna")
    started = await talking.chat.ask(anna, AskQuestion("One?"))
    async for batch in talking.chat.events(anna, started.run_id):
        if tokens := [event for event in batch if event.name == "token"]:
            seen = tokens[0].id
            break
    rest = await followed(talking, anna, started.run_id, after=seen)
    whole = await followed(talking, anna, started.run_id)
    assert [event.id for event in rest] == list(range(seen + 1, len(whole) + 1))
    assert text_of(whole) == "In March, says the note [1]."


async def test_once_out_of_memory_the_stream_is_rebuilt_and_says_so(talking: House) -> None:
    anna = await talking.person("anna")
    started = await talking.chat.ask(anna, AskQuestion("One?"))
    await talking.chat.wait(anna, started.run_id)
    talking.forget(started.run_id)
    events = await followed(talking, anna, started.run_id, after=7)
    assert [event.name for event in events] == ["session", "reset", "citations", "token", "done"]
    assert text_of(events) == "In March, says the note [1]."


async def test_a_server_that_stops_marks_the_answer_and_keeps_it(
    database: Database, database_url: str, tmp_path: Path, keys: DataKeys
) -> None:
    house = await open_house(database_url, tmp_path, keys, llm=ScriptedModel([Say("So far"), Hang()]))
    anna = await house.person("anna")
    started = await house.chat.ask(anna, AskQuestion("One?"))
    while not text_of(house.live(started.run_id)):
        await asyncio.sleep(0.005)
    await house.chat.shut_down(0.05)
    message = await house.chat.wait(anna, started.run_id)
    assert (message.content, message.state) == ("So far", "interrupted")
    await house.stop()


async def test_a_killed_server_finds_its_half_answers_at_the_next_start(
    database: Database, database_url: str, tmp_path: Path, keys: DataKeys
) -> None:
    house = await open_house(
        database_url, tmp_path, keys, llm=ScriptedModel([Say("So far"), Wait(0.05), Say("."), Hang()])
    )
    house.installation.settings.chat.__dict__["save_every_ms"] = 1
    anna = await house.person("anna")
    started = await house.chat.ask(anna, AskQuestion("One?"))
    while "." not in text_of(house.live(started.run_id)):
        await asyncio.sleep(0.005)
    again = await open_house(database_url, tmp_path, keys)
    message = await again.conversations.get_message(anna, started.message_id)
    assert message.content.startswith("So far")
    assert (message.state, message.error_code) == ("interrupted", "ANSWER_INTERRUPTED")
    events = await followed(again, anna, started.run_id)
    assert (events[-1].name, events[-1].data["code"]) == ("error", "ANSWER_INTERRUPTED")
    await again.stop()
    await house.stop()


async def test_a_stranger_finds_no_conversation_run_or_message(talking: House) -> None:
    anna, bruno = await talking.person("anna"), await talking.person("bruno")
    started = await talking.chat.ask(anna, AskQuestion("One?"))
    await talking.chat.wait(anna, started.run_id)
    strangers_ways = [
        talking.chat.ask(bruno, AskQuestion("Mine?", session_id=started.session_id)),
        talking.chat.stop(bruno, started.run_id),
        talking.chat.wait(bruno, started.run_id),
        talking.conversations.get_session(bruno, started.session_id),
        talking.conversations.rename_session(bruno, started.session_id, "Mine"),
        talking.conversations.delete_session(bruno, started.session_id),
        talking.conversations.list_messages(bruno, started.session_id, PAGE),
        talking.conversations.get_message(bruno, started.message_id),
    ]
    for way in strangers_ways:
        with pytest.raises(NotFound):
            await way
    assert (await talking.conversations.list_sessions(bruno, None, PAGE)).items == ()


async def test_bad_questions_are_refused_in_words(talking: House) -> None:
    anna = await talking.person("anna")
    with pytest.raises(QuestionEmpty):
        await talking.chat.ask(anna, AskQuestion(" \n "))
    with pytest.raises(QuestionTooLong):
        await talking.chat.ask(anna, AskQuestion("x" * 1_000_000))
    with pytest.raises(NotFound):
        await talking.chat.ask(anna, AskQuestion("One?", session_id="\x00"))


async def test_one_answer_a_conversation_and_a_few_a_person(talking: House) -> None:
    anna = await talking.person("anna")
    await talking.chat.wait(anna, (await talking.chat.ask(anna, AskQuestion("One?"))).run_id)
    running = await talking.chat.ask(anna, AskQuestion("Two?"))
    with pytest.raises(AnswerRunning):
        await talking.chat.ask(anna, AskQuestion("Three?", session_id=running.session_id))
    talking.installation.settings.chat.__dict__["max_runs_per_user"] = 1
    with pytest.raises(TooManyAnswers):
        await talking.chat.ask(anna, AskQuestion("Three?"))
    await talking.conversations.delete_session(anna, running.session_id)
    while talking.running(anna):
        await asyncio.sleep(0.005)
    with pytest.raises(NotFound):
        await talking.chat.wait(anna, running.run_id)


async def test_conversations_are_listed_found_renamed_and_deleted(house: House) -> None:
    anna = await house.person("anna")
    first = await house.chat.ask(anna, AskQuestion("Where is the boiler?"))
    second = await house.chat.ask(anna, AskQuestion("Who repairs the pump?"))
    for run in (first, second):
        await house.chat.wait(anna, run.run_id)
    page = await house.conversations.list_sessions(anna, None, PageRequest(1))
    assert [view.title for view in page.items] == ["Who repairs the pump?"]
    rest = await house.conversations.list_sessions(anna, None, PageRequest(1, page.next_cursor))
    assert [view.title for view in rest.items] == ["Where is the boiler?"]
    assert [v.id for v in (await house.conversations.list_sessions(anna, "BOILER", PAGE)).items] == [
        first.session_id
    ]
    renamed = await house.conversations.rename_session(anna, first.session_id, "  Cellar \n plan ")
    assert renamed.title == "Cellar plan"
    for title in ("", " ", "x" * 201):
        with pytest.raises(SessionTitleInvalid):
            await house.conversations.rename_session(anna, first.session_id, title)
    await house.conversations.delete_session(anna, first.session_id)
    with pytest.raises(NotFound):
        await house.conversations.get_session(anna, first.session_id)


async def test_messages_page_back_in_time(house: House) -> None:
    anna = await house.person("anna")
    started = await house.chat.ask(anna, AskQuestion("Question 0?"))
    await house.chat.wait(anna, started.run_id)
    for number in range(1, 3):
        run = await house.chat.ask(anna, AskQuestion(f"Question {number}?", session_id=started.session_id))
        await house.chat.wait(anna, run.run_id)
    newest = await house.conversations.list_messages(anna, started.session_id, PageRequest(4))
    assert [view.content for view in newest.items if view.role == "user"] == ["Question 1?", "Question 2?"]
    older = await house.conversations.list_messages(
        anna, started.session_id, PageRequest(4, newest.next_cursor)
    )
    assert [view.content for view in older.items if view.role == "user"] == ["Question 0?"]
    assert older.next_cursor is None


async def test_a_cited_passage_goes_when_its_document_goes(talking: House) -> None:
    anna = await talking.person("anna")
    item = await talking.upload(anna, NOTE, "boiler.txt")
    started = await talking.chat.ask(anna, AskQuestion("When is the boiler serviced?"))
    await talking.chat.wait(anna, started.run_id)
    await talking.documents.delete_document(anna, item.document_id or "")
    message = await talking.conversations.get_message(anna, started.message_id)
    assert message.content == "In March, says the note [1]."
    assert [(each.available, each.quote, each.filename) for each in message.citations] == [(False, "", "")]


async def test_a_cited_passage_goes_when_its_reader_leaves_the_group(talking: House) -> None:
    anna, bruno = await talking.person("anna"), await talking.person("bruno")
    team = await talking.team(anna, "Team", "bruno")
    anna, bruno = await talking.signed_in("anna"), await talking.signed_in("bruno")
    await talking.upload(anna, NOTE, "boiler.txt", group_id=team)
    started = await talking.chat.ask(bruno, AskQuestion("When is the boiler serviced?"))
    assert (await talking.chat.wait(bruno, started.run_id)).citations[0].available
    await talking.installation.groups.remove_member(anna, team, bruno.user_id)
    bruno = await talking.signed_in("bruno")
    message = await talking.conversations.get_message(bruno, started.message_id)
    assert [(each.available, each.quote) for each in message.citations] == [(False, "")]


async def test_evidence_in_memory_is_shown_by_the_rights_of_the_moment(talking: House) -> None:
    anna, bruno = await talking.person("anna"), await talking.person("bruno")
    team = await talking.team(anna, "Team", "bruno")
    anna, bruno = await talking.signed_in("anna"), await talking.signed_in("bruno")
    item = await talking.upload(anna, NOTE, "boiler.txt", group_id=team)
    started = await talking.chat.ask(bruno, AskQuestion("When is the boiler serviced?"))

    async def shown() -> tuple[object, ...]:
        events = await followed(talking, bruno, started.run_id)
        [cited] = cast(
            "list[dict[str, object]]", next(e for e in events if e.name == "citations").data["citations"]
        )
        return tuple(cited[name] for name in ("available", "quote", "can_view", "can_download"))

    assert await shown() == (True, NOTE.decode(), True, True)
    await talking.narrow(item.document_id or "", Right.ASK)
    assert await shown() == (True, NOTE.decode(), False, False)
    await talking.documents.delete_document(anna, item.document_id or "")
    assert await shown() == (False, "", False, False)


async def test_what_people_write_is_sealed_at_rest(talking: House) -> None:
    anna = await talking.person("anna")
    await talking.upload(anna, NOTE, "boiler.txt")
    started = await talking.chat.ask(anna, AskQuestion("When is the boiler serviced?"))
    await talking.chat.wait(anna, started.run_id)
    async with talking.installation.db.read() as unit:
        with fence.migrations():
            rows = [
                row
                for table in ("messages", "chat_sessions", "chunks", "citations", "runs", "audit_events")
                for row in (await unit.session.execute(text(f"SELECT * FROM {table}"))).all()  # noqa: S608 - a fixed list
            ]
    stored = " ".join(
        str(value if not isinstance(value, memoryview) else bytes(value)) for row in rows for value in row
    )
    assert len(rows) > 5
    for word in ("boiler", "March", "4711", "serviced"):
        assert word not in stored


async def test_questions_at_the_same_moment_keep_the_limits(talking: House) -> None:
    anna = await talking.person("anna")
    first = await talking.chat.ask(anna, AskQuestion("One?"))
    await talking.chat.wait(anna, first.run_id)
    asked = [talking.chat.ask(anna, AskQuestion("Two?", session_id=first.session_id)) for _ in range(8)]
    results = await asyncio.gather(*asked, return_exceptions=True)
    refused = [type(result) for result in results if isinstance(result, Exception)]
    assert len(refused) == 7
    assert set(refused) <= {AnswerRunning, TooManyAnswers}
    many = await asyncio.gather(
        *(talking.chat.ask(anna, AskQuestion("New?")) for _ in range(8)), return_exceptions=True
    )
    limit = talking.installation.settings.chat.max_runs_per_user
    assert sum(not isinstance(result, Exception) for result in many) == limit - 1
