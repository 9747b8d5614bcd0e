"""How long conversations are kept: the rule's days, batches, and the hold that stops it."""

from datetime import timedelta

from sqlalchemy import update
from sqlmodel import col

from tests.house import House
from tests.rows import every_row
from youworker_app.access.actor import Actor
from youworker_app.access.visible import SystemReason, system_scope
from youworker_app.accounts.schemas import ChangeUser
from youworker_app.chat.retention import RetentionService
from youworker_app.chat.schemas import AskQuestion
from youworker_app.core.clock import now
from youworker_app.models.chat import ChatSession, Run


async def asked(house: House, person: Actor, *, days_ago: float) -> str:
    started = await house.chat.ask(person, AskQuestion("What is there?"))
    await house.chat.wait(person, started.run_id)
    at = now() - timedelta(days=days_ago)
    await change(
        house, update(ChatSession).where(col(ChatSession.id) == started.session_id).values(updated_at=at)
    )
    return started.session_id


async def change(house: House, statement: object) -> None:
    async with house.installation.db.write() as unit:
        await unit.session.execute(system_scope(statement, SystemReason.RECOVERY))  # type: ignore[type-var]


def rule(house: House, days: int) -> RetentionService:
    there = house.installation
    return RetentionService(there.db, there.audit, there.bus, days=days, at_once=2)


async def left(house: House) -> set[str]:
    return {row["id"] for row in (await every_row(house.installation.db))["chat_sessions"]}


async def test_what_is_over_its_time_goes_in_batches(house: House) -> None:
    anna, bruno = await house.person("anna"), await house.person("bruno")
    young = {await asked(house, anna, days_ago=29), await asked(house, bruno, days_ago=0)}
    for person in (anna, anna, bruno, bruno, bruno):
        await asked(house, person, days_ago=31)
    assert await rule(house, 30).sweep() == 5
    rows = await every_row(house.installation.db)
    assert {row["id"] for row in rows["chat_sessions"]} == young
    assert {row["session_id"] for table in ("messages", "runs") for row in rows[table]} == young
    told = [row["details"] for row in rows["audit_events"] if row["action"] == "chat.retired"]
    assert sum(each["conversations"] for each in told) == 5
    assert len(told) == 3
    assert await rule(house, 30).sweep() == 0


async def test_it_is_off_by_default(house: House) -> None:
    anna = await house.person("anna")
    session_id = await asked(house, anna, days_ago=4_000)
    assert house.installation.settings.privacy.chat_days == 0
    await house.installation.privacy.housekeeping.turn()
    assert await left(house) == {session_id}


async def test_nothing_of_people_on_hold_goes(house: House) -> None:
    anna, bruno = await house.person("anna"), await house.person("bruno")
    kept = await asked(house, anna, days_ago=31)
    await asked(house, bruno, days_ago=31)
    assert house.root
    people = house.installation.people
    await people.change_user(house.root, anna.user_id, ChangeUser(is_held=True))
    assert await rule(house, 30).sweep() == 1
    assert await left(house) == {kept}
    await people.change_user(house.root, anna.user_id, ChangeUser(is_held=False))
    assert await rule(house, 30).sweep() == 1


async def test_an_answer_that_is_being_written_is_not_cut_off(house: House) -> None:
    anna = await house.person("anna")
    session_id = await asked(house, anna, days_ago=31)
    await change(house, update(Run).where(col(Run.session_id) == session_id).values(state="running"))
    assert await rule(house, 30).sweep() == 0
    await change(house, update(Run).where(col(Run.session_id) == session_id).values(state="done"))
    assert await rule(house, 30).sweep() == 1
