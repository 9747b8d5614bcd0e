"""Erasing oneself: proved first, carried out to its end whatever happens, told by a receipt that names nobody."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import col

from tests.house import PASSWORD, House, open_house
from tests.rows import every_row, traces
from youworker_app.access.actor import Actor, Scope, ScopeMissing
from youworker_app.access.permissions import RootOnly
from youworker_app.access.visible import SystemReason, system_scope
from youworker_app.accounts.erasures import Erasures
from youworker_app.accounts.errors import (
    AccountHeld,
    FreshSignInNeeded,
    LastRoot,
    PresentPasswordWrong,
    SignInFailed,
    TooManyAttempts,
)
from youworker_app.accounts.own_erasure import OwnErasureService
from youworker_app.accounts.receipts import receipt_text
from youworker_app.accounts.schemas import ChangeUser, CreateUser
from youworker_app.chat.schemas import AskQuestion
from youworker_app.core.clock import now
from youworker_app.core.errors import NotFound
from youworker_app.core.keys import DataKeys
from youworker_app.core.paging import PageRequest
from youworker_app.core.ports import Ports
from youworker_app.core.registry import service
from youworker_app.core.telemetry import client_address
from youworker_app.gateways.blobs.errors import StorageAway
from youworker_app.models.accounts import LoginSession, User

NAME = "annabella-rossi"
ADDRESS = "198.51.100.7"


@pytest.fixture
async def anna(house: House) -> Actor:
    """Somebody with a document, an answer and an event that is noted and not written yet."""
    person = await house.person(NAME)
    await house.upload(person, b"The boiler is serviced in March. Its number is K-7.", "boiler.txt")
    started = await house.chat.ask(person, AskQuestion("What number has the boiler?"))
    await house.chat.wait(person, started.run_id)
    house.installation.audit.searched(person, 3)
    return person


def own() -> OwnErasureService:
    return service(OwnErasureService)


async def change(house: House, statement: object) -> None:
    async with house.installation.db.write() as unit:
        await unit.session.execute(system_scope(statement, SystemReason.ERASURE))  # type: ignore[type-var]


async def test_nothing_of_who_erases_themselves_is_left_but_an_id(house: House, anna: Actor) -> None:
    token = client_address.set(ADDRESS)
    erased = await own().erase_account(anna, PASSWORD)
    client_address.reset(token)
    await house.installation.audit.write_noted(house.installation.db)
    rows = await every_row(house.installation.db)
    assert traces(rows, anna.user_id) == {("audit_events", "subject_id")}
    assert traces(rows, NAME, ADDRESS) == set()
    [told] = [each for each in rows["audit_events"] if each["action"] == "user.removed"]
    assert (told["actor_id"], told["address"], told["subject_id"]) == (None, "", anna.user_id)
    assert {each["action"] for each in rows["audit_events"]} >= {"account.erasure_begun", "search.done"}
    report = await house.installation.trail.verifier.verify()
    assert report.is_intact
    assert erased.receipt.state == "done"
    with pytest.raises(SignInFailed):
        await house.signed_in(NAME)


async def test_the_receipt_lists_what_was_destroyed(house: House, anna: Actor) -> None:
    before = await every_row(house.installation.db)
    keys = {row["key_id"] for row in before["users"] if row["id"] == anna.user_id}
    keys |= {row["key_id"] for row in before["stored_files"]}
    erased = await own().erase_account(anna, PASSWORD)
    receipt = await service(Erasures).receipt(erased.token)
    assert receipt == erased.receipt
    assert receipt.is_own
    assert set(receipt.key_ids) == keys
    assert receipt.destroyed["conversations"] == {
        "runs": 1,
        "messages": 2,
        "chat_sessions": 1,
        "citations": 1,
    }
    assert receipt.destroyed["documents"]["stored_files"] == 1
    assert receipt.destroyed["account"] == {"login_sessions": 1, "users": 1, "encryption_keys": 1}
    assert receipt.started_at <= (receipt.erased_at or now()) <= (receipt.finished_at or now())
    text = receipt_text(receipt)
    assert all(key in text for key in keys)
    assert "conversations: messages: 2" in text
    italian = receipt_text(receipt, "it").splitlines()
    assert italian[0] == "YouWorker: ricevuta di cancellazione"
    assert len(italian) == len(text.splitlines())
    for told in (text, str(await every_row(house.installation.db))):
        assert NAME not in told
    for wrong in ("", "nonsense", "\0", receipt.id):
        with pytest.raises(NotFound):
            await service(Erasures).receipt(wrong)


async def test_whoever_asks_proves_who_they_are(house: House, anna: Actor) -> None:
    for _ in range(5):
        with pytest.raises(PresentPasswordWrong):
            await own().erase_account(anna, "nonsense")
    with pytest.raises(TooManyAttempts):
        await own().erase_account(anna, PASSWORD)
    with pytest.raises(ScopeMissing):
        await own().erase_account(replace(anna, scopes=frozenset({Scope.CHAT_WRITE})), PASSWORD)
    assert (await house.signed_in(NAME)).user_id == anna.user_id


async def test_who_has_no_password_signs_in_anew_first(house: House, anna: Actor) -> None:
    await change(house, update(User).where(col(User.id) == anna.user_id).values(password_hash=None))
    long_ago = update(LoginSession).where(col(LoginSession.id) == anna.credential_id)
    await change(house, long_ago.values(created_at=now() - timedelta(minutes=11)))
    with pytest.raises(FreshSignInNeeded):
        await own().erase_account(anna, "")
    await change(house, long_ago.values(created_at=now() - timedelta(minutes=9)))
    assert (await own().erase_account(anna, "")).receipt.state == "done"


async def test_who_has_just_signed_in_need_not_prove_it_again_with_a_password(
    house: House, anna: Actor
) -> None:
    long_ago = update(LoginSession).where(col(LoginSession.id) == anna.credential_id)
    await change(house, long_ago.values(created_at=now() - timedelta(minutes=11)))
    with pytest.raises(PresentPasswordWrong):
        await own().erase_account(anna, "")
    await change(house, long_ago.values(created_at=now() - timedelta(minutes=9)))
    with pytest.raises(PresentPasswordWrong):
        await own().erase_account(anna, "nonsense")
    assert (await own().erase_account(anna, "")).receipt.state == "done"


async def test_the_last_administrator_stays(house: House) -> None:
    root = await house.person("root")
    with pytest.raises(LastRoot):
        await own().erase_account(root, PASSWORD)
    await house.installation.people.create_user(root, CreateUser("second", PASSWORD, is_root=True))
    assert (await own().erase_account(root, PASSWORD)).receipt.is_own


async def test_a_hold_stops_it(house: House, anna: Actor) -> None:
    people = house.installation.people
    assert house.root
    await people.change_user(house.root, anna.user_id, ChangeUser(is_held=True))
    with pytest.raises(AccountHeld):
        await own().erase_account(anna, PASSWORD)
    with pytest.raises(AccountHeld):
        await people.remove_user(house.root, anna.user_id)
    assert (await house.signed_in(NAME)).user_id == anna.user_id  # nor is anybody locked out by it
    await people.change_user(house.root, anna.user_id, ChangeUser(is_held=False))
    assert (await own().erase_account(anna, PASSWORD)).receipt.state == "done"


async def test_a_lost_connection_does_not_stop_it(house: House, anna: Actor) -> None:
    asked = asyncio.create_task(own().erase_account(anna, PASSWORD))
    while not house.installation.erasures._under_way:
        await asyncio.sleep(0)
    asked.cancel()
    await asyncio.wait((asked,))
    await house.installation.erasures.settle()
    rows = await every_row(house.installation.db)
    assert [each["state"] for each in rows["erasures"]] == ["done"]
    assert traces(rows, NAME) == set()


@pytest.fixture
async def cut_off(house: House, anna: Actor, monkeypatch: pytest.MonkeyPatch) -> House:
    """A house whose process dies between remembering an erasure and carrying it out."""

    async def dies(self: object, unit: object, by: object, user_id: str) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(Ports, "erase_person", dies)
    with pytest.raises(ConnectionResetError):
        await own().erase_account(anna, PASSWORD)
    monkeypatch.undo()
    return house


async def test_what_a_killed_process_left_goes_on_at_the_next_start(
    cut_off: House, anna: Actor, database_url: str, tmp_path: Path, keys: DataKeys
) -> None:
    with pytest.raises(SignInFailed):
        await cut_off.signed_in(NAME)
    assert [each["state"] for each in (await every_row(cut_off.installation.db))["erasures"]] == ["running"]
    await cut_off.stop()
    again = await open_house(database_url, tmp_path / "data", keys, gateways=cut_off.installation.gateways)
    rows = await every_row(again.installation.db)
    assert traces(rows, anna.user_id) == {("audit_events", "subject_id")}
    assert [(each["state"], each["user_id"]) for each in rows["erasures"]] == [("done", None)]
    await again.stop()


async def test_an_administrator_reads_all_receipts(house: House, anna: Actor) -> None:
    bruno = await house.person("bruno")
    assert house.root
    await own().erase_account(anna, PASSWORD)
    await house.installation.people.remove_user(house.root, bruno.user_id)
    erasures = service(Erasures)
    first = await erasures.list_receipts(house.root, PageRequest(limit=1))
    second = await erasures.list_receipts(house.root, PageRequest(limit=1, cursor=first.next_cursor))
    assert [each.is_own for each in (*first.items, *second.items)] == [False, True]
    assert second.next_cursor is None
    carla = await house.person("carla")
    with pytest.raises(RootOnly):
        await erasures.list_receipts(carla, PageRequest())


async def test_a_receipt_does_not_say_what_is_not_true_yet(
    house: House, anna: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that cannot be reached lie there still, as noise: what the next start sweeps is done then."""

    async def away(blob_id: str) -> None:
        raise StorageAway(reason="EIO")

    monkeypatch.setattr(house.installation.gateways.blobs, "delete", away)
    erased = await own().erase_account(anna, PASSWORD)
    assert (erased.receipt.state, erased.receipt.finished_at) == ("erased", None)
    assert "under way" in receipt_text(erased.receipt)
    await service(Erasures).resume()
    assert (await service(Erasures).receipt(erased.token)).state == "done"


async def test_one_that_cannot_go_on_yet_waits(
    cut_off: House, anna: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(by: object, user_id: str) -> None:
        raise StorageAway(reason="EIO")

    monkeypatch.setattr(cut_off.installation.groups, "close_deserted", away)
    erasures = service(Erasures)
    await erasures.resume()
    assert [each["state"] for each in (await every_row(cut_off.installation.db))["erasures"]] == ["running"]
    monkeypatch.undo()
    await erasures.resume()
    assert [each["state"] for each in (await every_row(cut_off.installation.db))["erasures"]] == ["done"]
