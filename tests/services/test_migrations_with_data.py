"""Migrations over rows: nothing that a step has no reason to touch is another afterwards, on both databases."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from tests.databases import all_tables, sqlite_url
from tests.filling import Rows, differences, fill, rows_of
from tests.services.test_migrations import empty_url
from youworker_app.core import migrations

__all__ = ["empty_url"]

T = TypeVar("T")


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
    await run(url, partial(migrations.upgrade, revision=revision))


async def down(url: str, revision: str) -> None:
    await run(url, partial(migrations.downgrade, revision=revision))


async def kept(url: str) -> Rows:
    return await run(url, rows_of)


async def test_rows_come_up_from_every_older_release(empty_url: str) -> None:
    for revision in revisions()[:-1]:
        if revision != "base":
            await up(empty_url, revision)
        await run(empty_url, fill)
        before = await kept(empty_url)
        await up(empty_url)
        assert differences(before, await kept(empty_url)) == []
        await run(empty_url, migrations.check)
        await down(empty_url, "base")
        assert await kept(empty_url) == {}


async def test_rows_go_down_to_every_older_release_and_up_again(empty_url: str) -> None:
    for revision in revisions()[:-1]:
        await up(empty_url)
        await run(empty_url, fill)
        before = await kept(empty_url)
        assert before.keys() == all_tables()
        assert {len(rows) for rows in before.values()} == {3}
        await down(empty_url, revision)
        lowest = await kept(empty_url)
        assert differences(before, lowest) == []
        await up(empty_url)
        assert differences(lowest, await kept(empty_url)) == []
        await run(empty_url, migrations.check)
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
