"""The clock is set back by an hour, a day, a year: nothing hangs, nothing ends early or lives for ever, order is kept."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.clock import Clock, clock
from tests.house import PASSWORD, House, open_house
from tests.isolation.founding import force
from tests.rows import every_row
from youworker_app.access.actor import Actor
from youworker_app.accounts.errors import SignInFailed, TooManyAttempts
from youworker_app.accounts.schemas import Carrier, Client, CreateApiKey, Credential
from youworker_app.accounts.slowdown import FREE_FAILURES
from youworker_app.chat.schemas import AskQuestion
from youworker_app.core.db import Database
from youworker_app.core.errors import Unauthenticated
from youworker_app.core.keys import DataKeys
from youworker_app.core.paging import PageRequest
from youworker_app.documents.schemas import DocumentFilter
from youworker_app.gateways.llm.scripted import ScriptedModel, words
from youworker_app.models.jobs import Job

__all__ = ["clock"]

NOTE = b"The boiler in the cellar is serviced in March. Its number is K-4711."
BACK = [timedelta(hours=1), timedelta(days=1), timedelta(days=365)]
IDLE, LIFE = timedelta(hours=168), timedelta(days=30)


@pytest.fixture
async def talking(
    database: Database, database_url: str, tmp_path: Path, keys: DataKeys
) -> AsyncIterator[House]:
    """A house whose model always says the same."""
    opened = await open_house(
        database_url, tmp_path / "data", keys, llm=ScriptedModel(words("In March [1]."))
    )
    yield opened
    await opened.stop()


async def sign_in(house: House, name: str) -> Credential:
    signed = await house.installation.accounts.sign_in(name, PASSWORD, Client())
    return Credential(Carrier.COOKIE, signed.token)


async def is_in(house: House, credential: Credential) -> bool:
    try:
        await house.installation.accounts.authenticate(credential)
    except Unauthenticated:
        return False
    return True


@pytest.mark.parametrize("back", BACK)
async def test_a_session_goes_on_and_ends_when_it_should(house: House, clock: Clock, back: timedelta) -> None:
    await house.person("anna")
    used, idle = await sign_in(house, "anna"), await sign_in(house, "anna")
    clock.set_back(back)
    assert await is_in(house, used)
    assert await is_in(house, idle)
    for _ in range(LIFE // timedelta(days=5)):
        clock.go_on(timedelta(days=5) - timedelta(seconds=1))
        assert await is_in(house, used)
    assert not await is_in(house, idle), "who does nothing for a week is signed out"
    clock.go_on(timedelta(minutes=2))
    assert not await is_in(house, used), "and everybody after thirty days"


@pytest.mark.parametrize("back", BACK)
async def test_a_key_works_and_tells_its_last_use(house: House, clock: Clock, back: timedelta) -> None:
    anna = await house.person("anna")
    accounts = house.installation.accounts
    made = await house.installation.api_keys.create_key(
        anna, CreateApiKey("script", ("documents:read",), expires_in_days=1)
    )
    await accounts.authenticate(Credential(Carrier.KEY, made.key))
    clock.set_back(back)
    await accounts.authenticate(Credential(Carrier.KEY, made.key))
    (view,) = await house.installation.api_keys.list_keys(anna)
    assert view.last_used_at is not None
    assert abs(view.last_used_at - clock.now(view.last_used_at.tzinfo)) < timedelta(minutes=1)
    assert view.expires_at == made.view.expires_at
    clock.go_on(back + timedelta(days=1))
    with pytest.raises(Unauthenticated):
        await accounts.authenticate(Credential(Carrier.KEY, made.key))


async def test_guessing_stays_slow_and_ends_in_time(house: House, clock: Clock) -> None:
    await house.person("anna")
    accounts = house.installation.accounts
    for _ in range(FREE_FAILURES):
        with pytest.raises(SignInFailed):
            await accounts.sign_in("anna", "wrong", Client())
    for back in BACK:
        clock.set_back(back)
        with pytest.raises(TooManyAttempts) as told:
            await accounts.sign_in("anna", PASSWORD, Client())
        assert 0 < int(str(told.value.details["retry_after_s"])) <= 30


@pytest.mark.parametrize("back", BACK)
async def test_documents_are_read_and_listed_whole(house: House, clock: Clock, back: timedelta) -> None:
    anna = await house.person("anna")
    made = []
    for n in range(4):
        item = await house.upload(anna, NOTE + str(n).encode(), f"{n}.txt")
        made.append(item.document_id)
        if n == 1:
            clock.set_back(back)
    assert await listed(house, anna) == {*made}
    assert {(await house.documents.get_document(anna, each or "")).state for each in made} == {"ready"}


async def listed(house: House, actor: Actor) -> set[str]:
    """Page by page; each once."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = await house.documents.list_documents(actor, DocumentFilter(), PageRequest(1, cursor))
        found += [item.id for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            assert len(found) == len(set(found))
            return set(found)


@pytest.mark.parametrize("back", BACK)
async def test_a_conversation_keeps_its_order(talking: House, clock: Clock, back: timedelta) -> None:
    anna = await talking.person("anna")
    session_id = None
    for question in ("One?", "Two?", "Three?"):
        asked = await talking.chat.ask(anna, AskQuestion(question, session_id=session_id))
        session_id = asked.session_id
        async with asyncio.timeout(10):
            assert (await talking.chat.wait(anna, asked.run_id)).state == "complete"
        clock.set_back(back)
    page = await talking.conversations.list_messages(anna, session_id or "", PageRequest())
    assert [message.content for message in page.items if message.role == "user"] == ["One?", "Two?", "Three?"]
    assert [message.role for message in page.items] == ["user", "assistant"] * 3


async def test_unfinished_work_goes_on_after_a_start_in_the_past(
    house: House, clock: Clock, database: Database
) -> None:
    anna = await house.person("anna")
    item = await house.upload(anna, NOTE)
    await force(database, update(Job).values(state="queued", stage="text", cursor=0))
    clock.set_back(timedelta(days=365))
    await house.installation.chat.recover()
    await house.installation.recovery.recover()
    await house.installation.queue.idle()
    assert (await house.ingestion.get_job(anna, item.job_id or "")).state == "done"
    rows = await every_row(database)
    assert {job["state"] for job in rows["jobs"]} == {"done"}
