"""A right that is lost is lost at once: on the stream that is open, the answer that is written, the work that waits.

Each is really running when its person, session or key goes.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.house import PASSWORD, open_house
from tests.rows import every_row
from tests.web import Exchange, Web, exchange, shared_rest
from youworker_app.access.actor import Actor
from youworker_app.accounts.schemas import Carrier, ChangeUser, Client, CreateApiKey, Credential
from youworker_app.api.cookies import SESSION_COOKIE
from youworker_app.api.middleware import OuterPolicy, harden
from youworker_app.core.db import Database
from youworker_app.core.keys import DataKeys
from youworker_app.gateways.blobs.memory import MemoryBlobStore
from youworker_app.gateways.embeddings.memory import InMemoryEmbedder
from youworker_app.gateways.embeddings.protocol import Vectors
from youworker_app.gateways.llm.scripted import Hang, Say, ScriptedModel
from youworker_app.gateways.parsing.parser import LocalParser
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.wiring import Gateways

ALL = ("admin", "chat:read", "chat:write", "documents:read", "documents:write")


class GatedEmbedder(InMemoryEmbedder):
    """Passages wait at the gate; questions pass."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.waiting = asyncio.Event(), 0

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        self.waiting += 1
        await self.gate.wait()
        return await super().embed_documents(texts)


@pytest.fixture
def embedder() -> GatedEmbedder:
    return GatedEmbedder()


@pytest.fixture
async def web(
    database: Database, database_url: str, tmp_path: Path, keys: DataKeys, embedder: GatedEmbedder
) -> AsyncIterator[Web]:
    """An application whose model says two words and no more."""
    model = ScriptedModel([Say("Partly "), Say("written"), Hang()])
    gateways = Gateways(MemoryBlobStore(), MemoryVectorStore(), embedder, model, LocalParser())
    house = await open_house(database_url, tmp_path / "data", keys, gateways=gateways)
    await house.person("root")
    opened = Web(house, shared_rest(), harden(shared_rest(), OuterPolicy()))
    yield opened
    embedder.gate.set()
    await house.chat.shut_down(0)  # answers that hang are not waited for
    await opened.close()
    await house.stop()


class Present:
    """Somebody by one credential: `headers` to ask with, `credential_id` to be ended."""

    def __init__(self, actor: Actor, headers: dict[str, str]) -> None:
        self.actor, self.headers = actor, headers


async def by_cookie(web: Web, name: str) -> Present:
    accounts = web.house.installation.accounts
    signed = await accounts.sign_in(name, PASSWORD, Client())
    actor = await accounts.authenticate(Credential(Carrier.COOKIE, signed.token))
    return Present(actor, {"cookie": f"{SESSION_COOKIE}={signed.token}", "x-csrf-token": signed.csrf_token})


async def by_key(web: Web, actor: Actor) -> Present:
    made = await web.house.installation.api_keys.create_key(actor, CreateApiKey("k", ALL))
    who = await web.house.installation.accounts.authenticate(Credential(Carrier.KEY, made.key))
    return Present(who, {"x-api-key": made.key})


@asynccontextmanager
async def listening(web: Web, who: Present) -> AsyncIterator[tuple[Exchange, bytes]]:
    """An answer that is being written, and who listens to it."""
    headers = who.headers | {"content-type": "application/json"}
    async with exchange(web.app, "POST", "/v1/chat", headers) as asking:
        await asking.send(b'{"message": "When?", "stream": true}', more=False)
        assert (await asking.start())[0] == 200
        got = b""
        while b"written" not in got:
            got += await asking.piece()
        yield asking, got


async def code_of(web: Web, who: Present) -> int:
    return (await (await web.client(who.headers)).get("/v1/auth/me")).status_code


Ending: TypeAlias = Callable[[Web, Present], Awaitable[object]]


async def sign_out_there(web: Web, who: Present) -> None:
    here = await web.client((await by_cookie(web, who.actor.username)).headers)
    answer = await here.delete(f"/v1/account/sessions/{who.actor.credential_id}")
    assert answer.status_code == 204


async def sign_out_elsewhere(web: Web, who: Present) -> None:
    here = await web.client((await by_cookie(web, who.actor.username)).headers)
    assert (await here.delete("/v1/account/sessions")).status_code == 204


async def sign_out(web: Web, who: Present) -> None:
    assert (await (await web.client(who.headers)).post("/v1/auth/logout")).status_code == 204


async def change_the_password(web: Web, who: Present) -> None:
    here = await web.client(who.headers)
    body = {"present_password": PASSWORD, "new_password": "another long phrase"}
    assert (await here.post("/v1/account/password", json=body)).status_code == 200


async def suspend(web: Web, who: Present) -> None:
    await _change(web, who, {"is_active": False})


async def demote(web: Web, who: Present) -> None:
    await _change(web, who, {"is_root": False})


async def remove(web: Web, who: Present) -> None:
    root = await web.client((await by_cookie(web, "root")).headers)
    assert (await root.delete(f"/v1/users/{who.actor.user_id}")).status_code == 204


async def delete_the_key(web: Web, who: Present) -> None:
    here = await web.client((await by_cookie(web, who.actor.username)).headers)
    answer = await here.delete(f"/v1/account/api-keys/{who.actor.credential_id}")
    assert answer.status_code == 204


async def rotate_the_key(web: Web, who: Present) -> None:
    here = await web.client((await by_cookie(web, who.actor.username)).headers)
    path = f"/v1/account/api-keys/{who.actor.credential_id}/rotate"
    assert (await here.post(path, json={"overlap_hours": 0})).status_code == 201


async def delete_the_key_with_itself(web: Web, who: Present) -> None:
    """The request that decides gets its answer."""
    here = await web.client(who.headers)
    answer = await here.delete(f"/v1/account/api-keys/{who.actor.credential_id}")
    assert answer.status_code == 204


async def _change(web: Web, who: Present, change: dict[str, bool]) -> None:
    root = await web.client((await by_cookie(web, "root")).headers)
    assert (await root.patch(f"/v1/users/{who.actor.user_id}", json=change)).status_code == 200


OF_SESSIONS = (sign_out_there, sign_out_elsewhere, sign_out, change_the_password, suspend, demote, remove)
OF_KEYS = (delete_the_key, rotate_the_key, delete_the_key_with_itself, suspend, demote, remove)
# Who is an administrator no more is still somebody.
AFTERWARDS = {demote: 200}


async def administrator(web: Web, name: str = "anna") -> Actor:
    actor = await web.house.person(name)
    assert web.house.root is not None
    await web.house.installation.people.change_user(web.house.root, actor.user_id, ChangeUser(is_root=True))
    return await web.house.signed_in(name)


@pytest.mark.parametrize("ending", OF_SESSIONS, ids=lambda each: each.__name__)
async def test_an_open_stream_ends_with_its_session(web: Web, ending: Ending) -> None:
    await administrator(web)
    who = await by_cookie(web, "anna")
    async with listening(web, who) as (stream, _):
        await ending(web, who)
        rest = await stream.remaining()
    assert b"event: token" not in rest
    assert await code_of(web, who) == AFTERWARDS.get(ending, 401)


@pytest.mark.parametrize("ending", OF_KEYS, ids=lambda each: each.__name__)
async def test_an_open_stream_ends_with_its_key(web: Web, ending: Ending) -> None:
    who = await by_key(web, await administrator(web))
    async with listening(web, who) as (stream, _):
        await ending(web, who)
        rest = await stream.remaining()
    assert b"event: token" not in rest
    assert await code_of(web, who) == AFTERWARDS.get(ending, 401)


async def test_others_go_on(web: Web) -> None:
    """The same person's other session and key, and somebody else: none of them was meant."""
    anna = await web.house.person("anna")
    gone, other, script = await by_cookie(web, "anna"), await by_cookie(web, "anna"), await by_key(web, anna)
    async with listening(web, other) as (first, _), listening(web, script) as (second, _):
        await sign_out_there(web, gone)
        for stream in (first, second):
            with pytest.raises(TimeoutError):
                await stream.piece(0.05)


async def test_a_narrowed_key_does_not_follow_what_its_person_is_being_answered(web: Web) -> None:
    """An answer in memory is its person's; a key of theirs that is narrowed to a group is not all of them."""
    await web.house.team(await web.house.person("anna"), "Sales")
    anna = await by_cookie(web, "anna")
    wanted = CreateApiKey("narrowed", ALL[1:], group_ids=tuple(anna.actor.group_ids))
    made = await web.house.installation.api_keys.create_key(anna.actor, wanted)
    script = await web.client({"x-api-key": made.key})
    async with listening(web, anna):
        [run] = web.house.installation.runs.of(anna.actor.user_id)
        for method, path in (("GET", "events"), ("POST", "stop")):
            answer = await script.request(method, f"/v1/chat/runs/{run.run_id}/{path}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
        assert web.house.running(anna.actor)


async def test_who_waits_for_a_whole_answer_is_told(web: Web) -> None:
    who = await by_key(web, await web.house.person("anna"))
    headers = who.headers | {"content-type": "application/json"}
    async with exchange(web.app, "POST", "/v1/chat", headers) as asking:
        await asking.send(b'{"message": "When?"}', more=False)
        while not web.house.running(who.actor):
            await asyncio.sleep(0.01)
        await delete_the_key(web, who)
        assert (await asking.start())[0] == 401
        assert b"UNAUTHENTICATED" in await asking.remaining()


# --- what runs and what waits


async def works(web: Web, who: Present, embedder: GatedEmbedder) -> list[str]:
    """Documents of theirs: one is being worked on, others wait behind it. Their jobs' ids."""
    client, ids = await web.client(who.headers), []
    for n in range(4):
        file = {"files": (f"note {n}.txt", f"Note {n}: the boiler is serviced in March.".encode())}
        ids.append((await client.post("/v1/ingest/upload", files=file)).json()["items"][0]["job_id"])
    while not embedder.waiting:
        await asyncio.sleep(0.01)
    return ids


async def jobs(web: Web) -> dict[str, tuple[str, str]]:
    rows = (await every_row(web.house.installation.db))["jobs"]
    return {row["id"]: (row["state"], row["error_code"]) for row in rows}


async def test_a_suspended_persons_answer_and_queued_jobs_end(web: Web, embedder: GatedEmbedder) -> None:
    await web.house.person("anna")
    who = await by_cookie(web, "anna")
    ids = await works(web, who, embedder)
    states = {state for state, _ in (await jobs(web)).values()}
    assert states <= {"queued", "running"}
    assert "queued" in states
    async with listening(web, who):
        assert web.house.running(who.actor)
        await suspend(web, who)
        assert not web.house.running(who.actor)
    embedder.gate.set()
    await web.ready()
    rows = await every_row(web.house.installation.db)
    assert await jobs(web) == dict.fromkeys(ids, ("failed", "REQUESTER_GONE"))
    assert [row["state"] for row in rows["messages"] if row["role"] == "assistant"] == ["stopped"]
    assert {row["state"] for row in rows["documents"]} == {"failed"}


async def test_a_demoted_persons_answer_ends_and_their_jobs_go_on_as_who_they_are(
    web: Web, embedder: GatedEmbedder
) -> None:
    """A key made by an administrator is an ordinary person's with its next request."""
    script = await by_key(web, await administrator(web))
    client = await web.client(script.headers)
    assert (await client.get("/v1/users")).status_code == 200
    ids = await works(web, script, embedder)
    async with listening(web, script):
        await demote(web, script)
        assert not web.house.running(script.actor)
    assert (await client.get("/v1/users")).status_code == 403
    embedder.gate.set()
    await web.ready()
    assert await jobs(web) == dict.fromkeys(ids, ("done", ""))
    rows = await every_row(web.house.installation.db)
    assert [row["state"] for row in rows["messages"] if row["role"] == "assistant"] == ["stopped"]
