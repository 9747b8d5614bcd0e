"""An export: all that is one's own and nothing of others, made as a job that survives, fetched by its owner for a time."""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from tests.house import House, open_house
from tests.rows import every_row
from youworker_app.access.actor import Actor
from youworker_app.access.visible import SystemReason, system_scope
from youworker_app.accounts.exports import KIND, ExportService
from youworker_app.accounts.schemas import CreateApiKey
from youworker_app.chat.schemas import AskQuestion
from youworker_app.core.clock import now
from youworker_app.core.errors import NotFound, StorageFull
from youworker_app.core.keys import DataKeys
from youworker_app.core.registry import service
from youworker_app.models.privacy import DataExport

OWN = b"The blue boiler is serviced in March. Its number is K-own."
SHARED = b"The red boiler is serviced in May. Its number is K-shared."
FOREIGN = b"The green boiler is serviced in June. Its number is K-foreign."


def exports() -> ExportService:
    return service(ExportService)


async def made(house: House, actor: Actor) -> dict[str, bytes]:
    """The files of a fresh export."""
    await exports().start(actor)
    await house.installation.queue.idle()
    return await fetched(actor)


async def fetched(actor: Actor) -> dict[str, bytes]:
    content = await exports().open(actor)
    data = b"".join([piece async for piece in content.stream])
    assert len(data) == content.view.size_bytes
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        return {info.filename: zipped.read(info) for info in zipped.infolist()}


@pytest.fixture
async def anna(house: House) -> Actor:
    """Somebody with a private and a shared document, in a group in which a colleague has shared one too."""
    first, bruno = await house.person("anna"), await house.person("bruno")
    team = await house.team(first, "Team", "bruno")
    anna, bruno = await house.signed_in("anna"), await house.signed_in("bruno")
    await house.upload(anna, OWN, "../own.txt", tags=("blue",))
    await house.upload(anna, SHARED, "shared.txt", group_id=team)
    await house.upload(bruno, FOREIGN, "foreign.txt", group_id=team)
    await house.upload(bruno, b"Nobody else knows K-secret.", "secret.txt")
    for question in ("What number has the green boiler?", "What number has the blue boiler?"):
        started = await house.chat.ask(anna, AskQuestion(question))
        await house.chat.wait(anna, started.run_id)
    started = await house.chat.ask(bruno, AskQuestion("What does bruno ask?"))
    await house.chat.wait(bruno, started.run_id)
    await house.installation.api_keys.create_key(anna, CreateApiKey("script", ("chat:read",)))
    return anna


async def test_all_that_is_ones_own_is_in_it(house: House, anna: Actor) -> None:
    found = await made(house, anna)
    assert json.loads(found["profile.json"])["username"] == "anna"
    assert {each["is_current"] for each in json.loads(found["devices.json"])} == {False}
    [key] = json.loads(found["api-keys.json"])
    assert (key["name"], key["scopes"]) == ("script", ["chat:read"])
    assert [each["name"] for each in json.loads(found["memberships.json"])] == ["Team"]
    assert {each["document_id"] for each in json.loads(found["jobs.json"])} == set(documents_in(found))
    documents = documents_in(found)
    assert {each["filename"]: found[each["original"]] for each in documents.values()} == {
        "own.txt": OWN,
        "shared.txt": SHARED,
    }
    assert {each["passages"][0]["text"] for each in documents.values()} == {OWN.decode(), SHARED.decode()}
    chats = [json.loads(data) for name, data in found.items() if name.startswith("conversations/")]
    assert len(chats) == 2
    roles = [[each["role"] for each in chat["messages"]] for chat in chats]
    assert roles == [["user", "assistant"]] * 2
    cited = {each["document_id"] for chat in chats for m in chat["messages"] for each in m["citations"]}
    assert cited & set(documents)
    done = {each["action"] for each in json.loads(found["audit.json"])}
    assert done >= {"session.created", "document.uploaded", "key.created", "account.export_begun"}


def documents_in(found: dict[str, bytes]) -> dict[str, Any]:
    loaded = [
        json.loads(data)
        for name, data in found.items()
        if name.startswith("documents/") and name.endswith(".json")
    ]
    return {each["id"]: each for each in loaded}


async def test_nothing_of_others_is_in_it(house: House, anna: Actor) -> None:
    found = await made(house, anna)
    # What an answer says is the asker's; what it was written from stays with its owner.
    rest = {name: data for name, data in found.items() if not name.startswith("conversations/")}
    rows = await every_row(house.installation.db)
    bruno = next(row["id"] for row in rows["users"] if row["username"] == "bruno")
    everything = b"\n".join([*rest.values(), *(name.encode() for name in found)])
    for word in (b"K-foreign", b"foreign.txt", b"K-secret", b"bruno", bruno.encode()):
        assert word not in everything
    assert b"K-secret" not in b"".join(found.values())
    assert b"quote" not in b"".join(found.values())


async def test_no_secret_is_in_it(house: House, anna: Actor) -> None:
    found = b"".join((await made(house, anna)).values())
    rows = await every_row(house.installation.db)
    hashes = [row["password_hash"] for row in rows["users"] if row["password_hash"]]
    hashes += [row["token_hash"] for row in rows["login_sessions"]] + [
        row["key_hash"] for row in rows["api_keys"]
    ]
    hashes += [row["wrapped"].decode() for row in rows["encryption_keys"]]
    assert len(hashes) > 8
    assert not [each for each in hashes if each.encode() in found]


async def test_its_bytes_are_sealed_and_for_the_server_alone(
    house: House, anna: Actor, tmp_path: Path
) -> None:
    await made(house, anna)
    folder = tmp_path / "data" / "exports"
    [file] = [path for path in folder.rglob("*") if path.is_file()]
    assert (file.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert b"K-own" not in file.read_bytes()
    assert b"PK" not in file.read_bytes()[:4]


async def test_strangers_have_their_own_or_none(house: House, anna: Actor) -> None:
    await made(house, anna)
    bruno = await house.signed_in("bruno")
    for ask in (exports().open, exports().get, exports().discard):
        with pytest.raises(NotFound):
            await ask(bruno)
    assert (await exports().get(anna)).state == "ready"


async def test_it_goes_after_its_time(house: House, anna: Actor, tmp_path: Path) -> None:
    await made(house, anna)
    async with house.installation.db.write() as unit:
        change = update(DataExport).values(expires_at=now() - timedelta(seconds=1))
        await unit.session.execute(system_scope(change, SystemReason.RECOVERY))
    for ask in (exports().open, exports().get):
        with pytest.raises(NotFound):
            await ask(anna)
    assert await exports().expire() == 1
    assert not [path for path in (tmp_path / "data" / "exports").rglob("*") if path.is_file()]
    assert (await every_row(house.installation.db))["data_exports"] == []


async def test_a_new_one_takes_the_place_of_the_old(house: House, anna: Actor, tmp_path: Path) -> None:
    await made(house, anna)
    first = await exports().get(anna)
    second = await exports().start(anna)
    assert second.id != first.id
    assert (await exports().start(anna)).id == second.id  # while it is being made
    await house.installation.queue.idle()
    assert [path.name for path in (tmp_path / "data" / "exports").rglob("*") if path.is_file()] == [second.id]
    await exports().discard(anna)
    assert not [path for path in (tmp_path / "data" / "exports").rglob("*") if path.is_file()]
    with pytest.raises(NotFound):
        await exports().get(anna)


async def test_a_full_disk_is_told(house: House, anna: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.installation.privacy.store, "_reserve_bytes", 1 << 60)
    await exports().start(anna)
    await house.installation.queue.idle()
    view = await exports().get(anna)
    assert (view.state, view.error_code) == ("failed", StorageFull.code)
    with pytest.raises(NotFound):
        await exports().open(anna)


async def test_what_nobody_expected_is_told_with_a_reference(
    house: House, anna: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(self: ExportService, actor: Actor) -> AsyncIterator[object]:
        raise KeyError(actor.user_id)
        yield

    monkeypatch.setattr(ExportService, "_files", broken)
    await exports().start(anna)
    await house.installation.queue.idle()
    view = await exports().get(anna)
    assert (view.state, view.error_code) == ("failed", "EXPORT_FAILED")
    assert f"export-{view.id}" in view.error
    monkeypatch.undo()
    assert len(documents_in(await made(house, anna))) == 2


async def test_one_that_is_being_made_can_be_taken_away(
    house: House, anna: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = asyncio.Event()

    async def stuck(self: ExportService, actor: Actor) -> AsyncIterator[object]:
        reached.set()
        await asyncio.Event().wait()
        yield

    monkeypatch.setattr(ExportService, "_files", stuck)
    await exports().start(anna)
    async with asyncio.timeout(30):
        await reached.wait()
        await exports().discard(anna)
        await house.installation.queue.idle()
    assert (await every_row(house.installation.db))["data_exports"] == []
    assert not [path for path in (tmp_path / "data" / "exports").rglob("*") if path.is_file()]


async def test_who_was_suspended_gets_none(house: House, anna: Actor) -> None:
    assert house.root
    view = await exports().start(anna)
    await house.installation.people.set_active(house.root, anna.user_id, is_active=False)
    await house.installation.queue.idle()
    house.installation.queue.deliver(KIND, view.id)
    await house.installation.queue.idle()
    [row] = (await every_row(house.installation.db))["data_exports"]
    assert (row["state"], row["error_code"]) == ("failed", "EXPORT_STOPPED")


async def test_it_goes_with_its_person(house: House, anna: Actor, tmp_path: Path) -> None:
    await made(house, anna)
    assert house.root
    await house.installation.people.remove_user(house.root, anna.user_id)
    assert (await every_row(house.installation.db))["data_exports"] == []
    assert not [path for path in (tmp_path / "data" / "exports").rglob("*") if path.is_file()]


async def test_one_that_was_cut_off_is_made_at_the_next_start(
    house: House,
    anna: Actor,
    database_url: str,
    tmp_path: Path,
    keys: DataKeys,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reached = asyncio.Event()

    async def stuck(self: ExportService, actor: Actor) -> AsyncIterator[object]:
        reached.set()
        await asyncio.Event().wait()
        yield

    monkeypatch.setattr(ExportService, "_files", stuck)
    started = await exports().start(anna)
    async with asyncio.timeout(30):
        await reached.wait()
    stray = tmp_path / "data" / "exports" / "de" / "ad" / "dead-beef"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"of an export that nobody knows")
    await house.stop()
    monkeypatch.undo()
    again = await open_house(database_url, tmp_path / "data", keys, gateways=house.installation.gateways)
    await again.installation.queue.idle()
    assert (await exports().get(anna)).id == started.id
    assert len(documents_in(await fetched(anna))) == 2
    assert not stray.exists()
    await again.stop()
