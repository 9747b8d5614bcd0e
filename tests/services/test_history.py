"""Clearing one's conversations: all of one's own, nothing of others, and not while a hold keeps them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.house import House, open_house
from tests.rows import every_row
from youworker_app.access.actor import Actor, Scope, ScopeMissing
from youworker_app.accounts.errors import AccountHeld
from youworker_app.accounts.schemas import ChangeUser
from youworker_app.chat.history import HistoryCleared, HistoryService
from youworker_app.chat.schemas import AskQuestion
from youworker_app.core.db import Database
from youworker_app.core.errors import NotFound
from youworker_app.core.keys import DataKeys
from youworker_app.core.registry import service
from youworker_app.gateways.llm.scripted import Hang, Say, ScriptedModel

WORDS = "What colour has the unmistakable boiler?"


async def asked(house: House, person: Actor) -> str:
    started = await house.chat.ask(person, AskQuestion(WORDS))
    await house.chat.wait(person, started.run_id)
    return started.session_id


async def test_all_of_ones_own_goes_and_nothing_of_others(house: House) -> None:
    anna, bruno = await house.person("anna"), await house.person("bruno")
    for person in (anna, anna, bruno):
        await asked(house, person)
    assert await service(HistoryService).clear(anna) == HistoryCleared(conversations=2, messages=4)
    rows = await every_row(house.installation.db)
    assert {row["owner_id"] for row in rows["chat_sessions"]} == {bruno.user_id}
    assert (len(rows["messages"]), len(rows["runs"])) == (2, 1)
    [told] = [each for each in rows["audit_events"] if each["action"] == "chat.history_cleared"]
    assert (told["actor_id"], told["details"]) == (anna.user_id, {"conversations": 2, "messages": 4})
    assert not [table for table, found in rows.items() if "unmistakable" in str(found)]
    assert await service(HistoryService).clear(anna) == HistoryCleared(0, 0)


async def test_a_key_needs_the_scope(house: House) -> None:
    anna = await house.person("anna")
    with pytest.raises(ScopeMissing):
        await service(HistoryService).clear(replace(anna, scopes=frozenset({Scope.CHAT_READ})))


async def test_a_hold_keeps_them(house: House) -> None:
    anna = await house.person("anna")
    session_id = await asked(house, anna)
    assert house.root
    people = house.installation.people
    held = await people.change_user(house.root, anna.user_id, ChangeUser(is_held=True))
    assert held.is_held
    with pytest.raises(AccountHeld):
        await service(HistoryService).clear(anna)
    with pytest.raises(AccountHeld):
        await house.conversations.delete_session(anna, session_id)
    assert (await house.conversations.get_session(anna, session_id)).id == session_id
    await people.change_user(house.root, anna.user_id, ChangeUser(is_held=False))
    await house.conversations.delete_session(anna, session_id)
    told = [each["action"] for each in (await every_row(house.installation.db))["audit_events"]]
    assert [each for each in told if each in {"user.held", "user.released"}] == ["user.held", "user.released"]


@pytest.fixture
async def slow_house(
    database: Database, database_url: str, tmp_path: Path, keys: DataKeys
) -> AsyncIterator[House]:
    """A house whose model never comes to an end."""
    opened = await open_house(database_url, tmp_path / "data", keys, llm=ScriptedModel([Say("One "), Hang()]))
    yield opened
    await opened.stop()


async def test_an_answer_under_way_ends_first(slow_house: House) -> None:
    anna = await slow_house.person("anna")
    started = await slow_house.chat.ask(anna, AskQuestion(WORDS, use_documents=False))
    async with asyncio.timeout(30):
        await service(HistoryService).clear(anna)
    assert not slow_house.running(anna)
    assert (await every_row(slow_house.installation.db))["messages"] == []
    with pytest.raises(NotFound):
        await slow_house.conversations.get_session(anna, started.session_id)
