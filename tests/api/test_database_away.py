"""What a client is told while the database cannot work: 503 in words, in the shape of every error, and soon all is well again."""

import sqlite3

import pytest

from tests.api.rest import error_of
from tests.databases import Cluster
from tests.web import Web


@pytest.mark.parametrize("every_database_url", ["postgresql"], indirect=True)
async def test_a_server_that_is_away(web: Web, postgres: Cluster) -> None:
    anna = await web.person("anna")
    postgres.stop()
    try:
        for answer in (await anna.http.get("/v1/documents"), await anna.upload(b"A note.")):
            assert (answer.status_code, error_of(answer)) == (503, (503, "DATABASE_AWAY"))
        assert (await anna.http.get("/health")).status_code == 200
        outage = await anna.http.get("/health/detailed")
        assert outage.status_code == 503
    finally:
        postgres.start()
    assert (await anna.http.get("/v1/documents")).status_code == 200
    assert (await anna.upload(b"A note.")).status_code == 202


@pytest.mark.parametrize("every_database_url", ["sqlite"], indirect=True)
async def test_a_file_that_another_program_holds(web: Web, database_url: str) -> None:
    """Reading goes on."""
    anna = await web.person("anna")
    web.house.installation.db._longest_turn_s = 0.1
    async with web.house.installation.db.engine.connect() as connection:
        await connection.exec_driver_sql("SELECT 1")
    holder = sqlite3.connect(database_url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        async with (
            web.house.installation.db._write_lock
        ):  # what waits behind a writer that waits for the holder
            answer = await anna.http.post("/v1/groups", json={"name": "Team"})
            assert (await anna.http.get("/v1/documents")).status_code == 200
        assert (answer.status_code, error_of(answer)) == (503, (503, "DATABASE_BUSY"))
    finally:
        holder.close()
    assert (await anna.http.post("/v1/groups", json={"name": "Team"})).status_code == 201
