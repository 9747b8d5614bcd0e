"""Rotating the master key: while people work, killed at any moment, and told in a sentence where it cannot be done."""

import asyncio
import stat
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.house import House, open_house
from tests.rows import every_row
from tests.services.test_local_maintenance import ask
from youworker_app.access.actor import Actor
from youworker_app.accounts.key_check import check_master_key
from youworker_app.accounts.key_rotation import KeyRotation, RotationProgress, RotationUnderWay
from youworker_app.chat.schemas import AskQuestion
from youworker_app.core import secrets
from youworker_app.core.crypto import MasterKeys, new_master_key
from youworker_app.core.db import Database
from youworker_app.core.errors import ConfigurationError
from youworker_app.core.keys import DataKeys
from youworker_app.core.local_socket import LocalSocket
from youworker_app.core.paging import PageRequest
from youworker_app.core.registry import provide
from youworker_app.core.secrets import KeyPlace, MasterKeyOutside, load_master
from youworker_app.core.settings import SecuritySettings, Settings
from youworker_app.documents.schemas import DocumentFilter
from youworker_app.ingestion.schemas import Upload
from youworker_app.local import served_locally
from youworker_app.rest import build_local

PAGE = PageRequest()
TEXT = b"The boiler is serviced in March. Its number is K-7."


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings of an installation whose key lies in its folder."""
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def keys(settings: Settings) -> DataKeys:
    """Its keys, as a start finds them."""
    return DataKeys(load_master(settings))


@pytest.fixture
async def anna(house: House) -> Actor:
    """Somebody with a document and a conversation."""
    person = await house.person("anna")
    await house.upload(person, TEXT, "boiler.txt")
    started = await house.chat.ask(person, AskQuestion("What number has the boiler?"))
    await house.chat.wait(person, started.run_id)
    return person


def rotation(house: House, settings: Settings, at_once: int = 1) -> KeyRotation:
    there = house.installation
    return KeyRotation(there.db, there.keys, KeyPlace(settings), there.audit, at_once=at_once, grace_s=0)


async def rotated(what: KeyRotation) -> list[RotationProgress]:
    return [step async for step in what.rotate()]


async def all_open_with(database: Database, master: MasterKeys) -> bool:
    rows = await every_row(database)
    return all(master.is_newest(row["wrapped"]) for row in rows["encryption_keys"])


async def everything_is_readable(house: House, anna: Actor) -> None:
    sessions = (await house.conversations.list_sessions(anna, None, PAGE)).items
    assert sessions[0].title == "What number has the boiler?"
    document = (await house.documents.list_documents(anna, DocumentFilter(), PAGE)).items[0]
    content = await house.documents.open_file(anna, document.file_id)
    assert b"".join([piece async for piece in content.stream]) == TEXT
    assert (await house.installation.trail.verifier.verify()).is_intact


async def test_every_data_key_is_wrapped_anew_and_the_next_start_needs_the_new_key_alone(
    house: House, anna: Actor, settings: Settings, database_url: str, keys: DataKeys
) -> None:
    folder = settings.storage.secrets_dir
    old = (folder / "master.key").read_text().split()
    sealed = [row["sealed_content"] for row in (await every_row(house.installation.db))["messages"]]
    steps = await rotated(rotation(house, settings))
    rows = await every_row(house.installation.db)
    count = len(rows["encryption_keys"])
    assert (steps[-1].is_done, steps[-1].changed, steps[-1].total) == (True, count, count)
    assert [row["sealed_content"] for row in rows["messages"]] == sealed
    new = (folder / "master.key").read_text().split()
    assert len(new) == 1
    assert new != old
    assert (folder / "master.key.old").read_text().split() == old
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert await all_open_with(house.installation.db, MasterKeys(new))
    await everything_is_readable(house, anna)
    await house.stop()
    fresh = DataKeys(load_master(settings))
    assert fresh.derive("audit") == keys.derive("audit")
    again = await open_house(
        database_url, settings.storage.data_dir, fresh, gateways=house.installation.gateways
    )
    await everything_is_readable(again, await again.signed_in("anna"))
    again_told = [row["action"] for row in (await every_row(again.installation.db))["audit_events"]]
    assert again_told.count("keys.rotated") == 1
    await again.stop()


async def test_people_go_on_meanwhile(house: House, anna: Actor, settings: Settings) -> None:
    """What is stored between two steps is under the new key in the end, also where it was wrapped under the old one."""
    early = house.installation.keys.new()[1]
    steps = 0
    async for _ in rotation(house, settings).rotate():
        steps += 1
        if steps == 2:
            await house.person("bruno")
            await house.upload(anna, b"Another text of the same day.", "later.txt")
            assert house.installation.keys.master.is_newest(house.installation.keys.current(early))
            await everything_is_readable_now(house, anna)
    [newest] = (settings.storage.secrets_dir / "master.key").read_text().split()
    assert await all_open_with(house.installation.db, MasterKeys([newest]))


async def test_an_upload_that_began_before_ends_under_the_new_key(
    house: House, anna: Actor, settings: Settings
) -> None:
    """Its key was wrapped under the old one, which nobody has any more when it is stored."""
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"The beginning of a long report. " * 1_000
        arrived.set()
        await go_on.wait()
        yield b"And its end."

    upload = asyncio.create_task(house.ingestion.upload(anna, Upload("slow.txt"), slow()))
    await arrived.wait()
    await rotated(rotation(house, settings))
    go_on.set()
    await upload
    await house.installation.queue.idle()
    [newest] = (settings.storage.secrets_dir / "master.key").read_text().split()
    assert await all_open_with(house.installation.db, MasterKeys([newest]))


async def everything_is_readable_now(house: House, anna: Actor) -> None:
    sessions = (await house.conversations.list_sessions(anna, None, PAGE)).items
    assert sessions[0].title == "What number has the boiler?"


@pytest.mark.parametrize("steps", range(4))
async def test_killed_in_between_the_next_run_goes_on(
    house: House, anna: Actor, settings: Settings, database_url: str, steps: int
) -> None:
    running = rotation(house, settings).rotate()
    for _ in range(steps + 1):
        await anext(running)
    await running.aclose()
    await house.stop()
    both = (settings.storage.secrets_dir / "master.key").read_text().split()
    assert len(both) == 2
    fresh = DataKeys(load_master(settings))
    again = await open_house(
        database_url, settings.storage.data_dir, fresh, gateways=house.installation.gateways
    )
    await everything_is_readable(again, await again.signed_in("anna"))
    await rotated(rotation(again, settings))
    assert (settings.storage.secrets_dir / "master.key").read_text().split() == both[:1]
    assert await all_open_with(again.installation.db, MasterKeys(both[:1]))
    await again.stop()


@pytest.mark.parametrize("dies_at", range(4))
def test_a_file_that_is_cut_off_leaves_every_key(
    settings: Settings, keys: DataKeys, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    """Whichever of the files is the last one written, what was wrapped before opens with what is there."""
    wrapped, written = keys.new()[1], 0
    real = secrets._write

    def dying(path: Path, lines: list[str]) -> None:
        nonlocal written
        if written == dies_at:
            raise KeyboardInterrupt
        written += 1
        real(path, lines)

    monkeypatch.setattr(secrets, "_write", dying)
    place, kept = KeyPlace(settings), wrapped
    try:
        place.begin(keys.master)
        kept = keys.current(wrapped)
        place.finish()
    except KeyboardInterrupt:
        assert written == dies_at
    monkeypatch.undo()
    after = load_master(settings)
    assert after.unwrap(kept) == keys.unwrap(wrapped)
    assert after.derive("audit") == keys.derive("audit")


async def test_two_at_once_are_one(house: House, anna: Actor, settings: Settings) -> None:
    one = rotation(house, settings)
    running = one.rotate()
    await anext(running)
    with pytest.raises(RotationUnderWay):
        await rotated(one)
    await running.aclose()


async def test_again_and_again_what_hangs_on_the_first_key_stays(
    house: House, anna: Actor, settings: Settings, keys: DataKeys
) -> None:
    derived = keys.derive("audit")
    first = (settings.storage.secrets_dir / "master.key").read_text().split()
    for _ in range(3):
        await rotated(rotation(house, settings, at_once=100))
    assert load_master(settings).derive("audit") == derived
    retired = (settings.storage.secrets_dir / "master.key.old").read_text().split()
    assert len(retired) == 3
    assert retired[-1:] == first


# --- keys that come from outside


@pytest.fixture
async def outside(house: House, anna: Actor, settings: Settings) -> tuple[House, Settings, str]:
    """The same, its key given by the environment."""
    old = (settings.storage.secrets_dir / "master.key").read_text().strip()
    (settings.storage.secrets_dir / "master.key").unlink()
    settings.security = SecuritySettings(master_keys=(SecretStr(old),))
    return house, settings, old


async def test_a_key_from_outside_is_changed_by_whoever_sets_it(
    outside: tuple[House, Settings, str], anna: Actor, database_url: str
) -> None:
    house, settings, old = outside
    with pytest.raises(MasterKeyOutside):
        await rotated(rotation(house, settings))
    await house.stop()
    new = new_master_key()
    settings.security = SecuritySettings(master_keys=(SecretStr(new), SecretStr(old)))
    gateways = house.installation.gateways
    both = await open_house(
        database_url, settings.storage.data_dir, DataKeys(load_master(settings)), gateways=gateways
    )
    steps = await rotated(rotation(both, settings))
    assert steps[-1].is_outside
    told = str([asdict(step) for step in steps])
    assert old not in told
    assert new not in told
    assert not (settings.storage.secrets_dir / "master.key").exists()
    await both.stop()
    settings.security = SecuritySettings(master_keys=(SecretStr(new),))
    alone = await open_house(
        database_url, settings.storage.data_dir, DataKeys(load_master(settings)), gateways=gateways
    )
    await everything_is_readable(alone, await alone.signed_in("anna"))
    await alone.stop()


async def test_a_lost_key_is_told_at_the_start(
    house: House, anna: Actor, settings: Settings, database_url: str
) -> None:
    await rotated(rotation(house, settings))
    await house.stop()
    folder = settings.storage.secrets_dir
    derivation = (folder / "derivation.key").read_bytes()
    database = Database(database_url)
    (folder / "derivation.key").unlink()
    with pytest.raises(ConfigurationError, match=r"derivation\.key"):
        await check_master_key(database, DataKeys(load_master(settings)))
    (folder / "derivation.key").write_bytes(derivation)
    (folder / "derivation.key").chmod(0o600)
    old = (folder / "master.key.old").read_text()
    (folder / "master.key").write_text(old)
    with pytest.raises(ConfigurationError, match=r"derivation\.key was not written with this master key"):
        load_master(settings)
    with pytest.raises(ConfigurationError, match="not the one that this data was written with"):
        await check_master_key(database, DataKeys(MasterKeys(old.split())))
    await database.close()


async def test_the_socket_tells_counts_and_no_key(
    house: House, anna: Actor, settings: Settings, tmp_path: Path
) -> None:
    provide(KeyRotation, rotation(house, settings, at_once=100))
    old = (settings.storage.secrets_dir / "master.key").read_text().strip()
    async with served_locally(build_local(house.installation.stopping), LocalSocket(tmp_path)):
        steps, text = await ask(tmp_path, "/maintenance/master-key/rotate")
    new = (settings.storage.secrets_dir / "master.key").read_text().strip()
    assert steps[-1]["progress"]["is_done"] is True
    assert old not in text
    assert new not in text
