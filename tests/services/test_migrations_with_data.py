"""Migrations over rows: nothing that a step has no reason to touch is another afterwards, on both databases."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from tests.databases import all_tables, sqlite_url
from tests.filling import Rows, differences, fill, rows_of, tables_of
from tests.services.test_migrations import empty_url
from tests.trail import events_of
from youworker_app.audit.forms import is_genuine
from youworker_app.core import alembic_commands, migrations
from youworker_app.core.db import Database
from youworker_app.core.keys import DataKeys

__all__ = ["empty_url"]

T = TypeVar("T")

BEFORE_NARROWED_KEYS = ("0001", "0002", "0003")


def revisions() -> list[str]:
    """All, oldest first, with the state before the first one."""
    config = Config()
    config.set_main_option("script_location", str(migrations.SCRIPTS))
    found = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    return ["base", *reversed(found)]


async def run(url: str, step: Callable[[Connection], T]) -> T:
    """One transaction, as a migration has it."""
    async with migrations._connection(url) as connection:
        return await connection.run_sync(step)


async def up(url: str, revision: str = "head") -> None:
    await run(url, partial(alembic_commands.upgrade, revision=revision))


async def down(url: str, revision: str) -> None:
    await run(url, partial(alembic_commands.downgrade, revision=revision))


async def kept(url: str) -> Rows:
    return await run(url, rows_of)


def widened(connection: Connection, revision: str) -> None:
    """Before 0004 keys could not be narrowed: that these go is tested below."""
    if revision in {"base", *BEFORE_NARROWED_KEYS}:
        connection.execute(text("UPDATE api_keys SET is_narrowed = :no"), {"no": False})


def made_here(connection: Connection) -> None:
    """Before 0007 there were no other keys: that these go is tested below."""
    connection.execute(text("UPDATE api_keys SET origin = ''"))


async def test_rows_come_up_from_every_older_release(empty_url: str) -> None:
    for revision in revisions()[:-1]:
        if revision != "base":
            await up(empty_url, revision)
        await run(empty_url, fill)
        before = await kept(empty_url)
        await up(empty_url)
        assert differences(before, await kept(empty_url)) == []
        await run(empty_url, alembic_commands.check)
        await down(empty_url, "base")
        assert await kept(empty_url) == {}


async def test_rows_go_down_to_every_older_release_and_up_again(empty_url: str) -> None:
    for revision in revisions()[:-1]:
        await up(empty_url)
        await run(empty_url, fill)
        await run(empty_url, partial(widened, revision=revision))
        await run(empty_url, made_here)
        before = await kept(empty_url)
        assert before.keys() == all_tables()
        assert {len(rows) for rows in before.values()} == {3}
        await down(empty_url, revision)
        lowest = await kept(empty_url)
        assert differences(before, lowest) == []
        await up(empty_url)
        assert differences(lowest, await kept(empty_url)) == []
        await run(empty_url, alembic_commands.check)
        await down(empty_url, "base")


async def test_events_of_the_first_release_keep_their_macs(empty_url: str, keys: DataKeys) -> None:
    await up(empty_url, "0001")
    key = keys.derive("audit")
    at = datetime(2026, 11, 1, 12, 0, 0, 7, tzinfo=UTC)
    written = (str(uuid4()), at, "anna", "thing.done", "thing", "7", "ok", {"n": 1}, "c")
    form = json.dumps(
        [written[0], at.isoformat(timespec="microseconds"), *written[2:]], separators=(",", ":")
    )
    mac = hmac.new(key, form.encode(), hashlib.sha256).hexdigest()

    def put(connection: Connection) -> None:
        [events] = [table for table in tables_of(connection) if table.name == "audit_events"]
        moment = at.replace(tzinfo=None) if connection.dialect.name == "sqlite" else at
        names = [column.name for column in events.columns]
        values = (written[0], moment, *written[2:], mac)
        connection.execute(events.insert(), [dict(zip(names, values, strict=True))])

    await run(empty_url, put)
    await up(empty_url)
    database = Database(empty_url)
    [event] = await events_of(database)
    await database.close()
    assert (event.version, event.mac) == (1, mac)
    assert is_genuine(key, event)
    await down(empty_url, "base")


async def test_keys_narrowed_to_groups_do_not_come_down_as_keys_to_everything(empty_url: str) -> None:
    """And those of before begin a line of their own on the way up."""
    await up(empty_url)
    await run(empty_url, fill)
    await run(empty_url, made_here)
    narrow = {row["id"]: row["is_narrowed"] for row in (await kept(empty_url))["api_keys"]}
    assert set(narrow.values()) == {True, False}
    await down(empty_url, BEFORE_NARROWED_KEYS[-1])
    lower = (await kept(empty_url))["api_keys"]
    assert {row["id"] for row in lower} == {key_id for key_id, is_narrow in narrow.items() if not is_narrow}
    await up(empty_url)
    raised = (await kept(empty_url))["api_keys"]
    assert [(row["line_id"], row["is_narrowed"]) for row in raised] == [(row["id"], False) for row in lower]
    await down(empty_url, "base")


async def test_keys_from_elsewhere_do_not_come_down_as_keys_that_are_rotated_here(empty_url: str) -> None:
    await up(empty_url)
    await run(empty_url, fill)
    one = "UPDATE api_keys SET origin = '' WHERE id = (SELECT min(id) FROM api_keys)"
    await run(empty_url, lambda connection: connection.execute(text(one)))
    await down(empty_url, "0006")
    [left] = (await kept(empty_url))["api_keys"]
    await up(empty_url)
    [raised] = (await kept(empty_url))["api_keys"]
    assert (raised["id"], raised["origin"]) == (left["id"], "")
    await down(empty_url, "base")


async def test_a_difference_would_be_seen(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "changed.db")
    await up(url)
    await run(url, fill)
    before = await kept(url)
    for number, change in enumerate(
        (
            "UPDATE jobs SET progress = 0.75 WHERE id = (SELECT min(id) FROM jobs)",
            "DELETE FROM audit_events WHERE id = (SELECT min(id) FROM audit_events)",
            "UPDATE users SET theme = '' WHERE id = (SELECT max(id) FROM users)",
        ),
        start=1,
    ):
        await run(url, lambda connection, sql=change: connection.execute(text(sql)))
        assert len(differences(before, await kept(url))) == number
