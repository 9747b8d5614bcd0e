"""Keys narrowed to groups, over the same company: what such a key may see and do, against the rules written a second time."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.isolation.asking import ask, seen
from tests.isolation.company import PAPERS, paper_levels
from tests.isolation.rest_table import BY_ID, WITHOUT_ID
from tests.isolation.rules import Level
from tests.isolation.world import Template, World
from youworker_app.access.actor import Scope
from youworker_app.accounts.schemas import CreateApiKey

SCOPES = tuple(str(scope) for scope in Scope if scope is not Scope.ADMIN)
KEYS = [
    ("owner", "north"),
    ("member", "south"),
]  # whose own papers are in the group, and who has a right to less


@pytest.fixture
def template(sqlite_template: Template) -> Template:
    """One database is enough: the policies are the same SQL, which tests/unit/access compiles for both."""
    return sqlite_template


# Routes without an id that such a key reaches. What is not the group's is refused or left out: tested below for each.
REACHED = {
    "GET /v1/auth/me",
    "GET /v1/account",
    "DELETE /v1/account/history",
    "GET /v1/groups/me",
    "POST /v1/groups",
    "GET /v1/documents",
    "POST /v1/search",
    "POST /v1/ingest/upload",
    "POST /v1/chat",
    "GET /v1/models",
    "GET /v1/sessions",
    "POST /v1/auth/logout",
}
QUESTION = {"message": "What does the rule say?"}


@asynccontextmanager
async def narrowed(world: World, person: str, *teams: str) -> AsyncIterator[httpx.AsyncClient]:
    """A script with a key of the person's that is narrowed to these groups."""
    groups = tuple(world.facts.teams[team] for team in teams)
    made = await world.house.installation.api_keys.create_key(
        await world.actor(person), CreateApiKey("narrowed", SCOPES, group_ids=groups)
    )
    async with world.client({"authorization": f"Bearer {made.key}"}) as client:
        yield client


def within(person: str, teams: Sequence[str], least: Level) -> set[str]:
    """The papers that these groups share, as far as the person has this on them."""
    return {
        name
        for name, paper in PAPERS.items()
        if paper.is_shared and paper.team in teams and paper_levels(name)[person] >= least
    }


@pytest.mark.parametrize(("person", "team"), KEYS)
async def test_lists_and_searches_hold_what_the_group_shares(world: World, person: str, team: str) -> None:
    names = {ids.document_id: name for name, ids in world.facts.papers.items()}
    async with narrowed(world, person, team) as client:
        listed = (await client.get("/v1/documents", params={"limit": 200})).json()["items"]
        groups = (await client.get("/v1/groups/me")).json()["items"]
        me = (await client.get("/v1/auth/me")).json()["groups"]
        sessions = (await client.get("/v1/sessions")).json()["items"]
        found = set()
        for name, ids in world.facts.papers.items():
            body = {"query": f"What does the rule of {ids.word} say?", "limit": 50}
            items = (await client.post("/v1/search", json=body)).json()["items"]
            found |= {names[item["document_id"]] for item in items}
            assert {name} & found == {name} & within(person, [team], Level.ASK)
    assert {names[item["id"]] for item in listed} == within(person, [team], Level.VIEW)
    assert found == within(person, [team], Level.ASK)
    assert [group["name"] for group in groups] == [group["name"] for group in me] == [f"{team}-team"]
    assert sessions == []


@pytest.mark.parametrize(("person", "team"), KEYS)
async def test_what_lies_outside_is_not_there(world: World, person: str, team: str) -> None:
    """By id, over every route that asks for none of the person's own credentials."""
    inside = within(person, [team], Level.VIEW) | {team}
    async with narrowed(world, person, team) as client:
        for entry, row in BY_ID.items():
            if row.scope is Scope.ADMIN:
                continue
            targets = [
                each
                for each in world.facts.targets(row.kind)
                if each.name not in inside and not each.name.endswith(f" in {team}")
            ]
            assert targets, entry
            unknown = seen(await ask(client, entry, targets[0].unknown(), row.body))
            assert unknown.status == 404, entry
            for target in targets:
                if row.kind in {"document", "file", "page"} and target.name in within(
                    person, [team], Level.ASK
                ):
                    continue  # what may only be asked is in the matrix
                assert seen(await ask(client, entry, target, row.body)) == unknown, (entry, target.name)


async def test_nothing_is_made_or_moved_outside(world: World) -> None:
    north, south = world.facts.teams["north"], world.facts.teams["south"]
    shared = world.facts.papers["shared"].document_id
    file = {"files": ("new.txt", b"something new of the narrowed key")}

    async def code(answer: httpx.Response) -> str:
        return str(answer.json()["error"]["code"])

    async with narrowed(world, "owner", "north") as client:
        refused = (
            await client.post("/v1/groups", json={"name": "a new circle"}),
            await client.patch(f"/v1/documents/{shared}", json={"is_private": True}),
            await client.patch(f"/v1/documents/{shared}", json={"group_id": ""}),
            await client.delete("/v1/account/history"),
        )
        assert [(each.status_code, await code(each)) for each in refused] == [(403, "KEY_NARROWED")] * 4
        for form in ({}, {"group_id": north, "is_private": "true"}):
            answer = await client.post("/v1/ingest/upload", data=form, files=file)
            assert "KEY_NARROWED" in answer.text, form
        made = await client.post("/v1/ingest/upload", data={"group_id": north}, files=file)
        assert made.status_code == 202
        renamed = await client.patch(f"/v1/documents/{shared}", json={"title": "renamed"})
        assert renamed.json()["title"] == "renamed"
    async with narrowed(world, "member", "south") as client:
        answer = await client.post("/v1/ingest/upload", data={"group_id": north}, files=file)
        assert "NOT_FOUND" in answer.text
        assert (
            await client.post("/v1/ingest/upload", data={"group_id": south}, files=file)
        ).status_code == 202


def test_every_route_that_such_a_key_reaches_is_looked_at() -> None:
    """A new one fails here until it is; what the scope admin opens is closed to them (KEY_TOO_BROAD)."""
    assert {entry for entry, row in WITHOUT_ID.items() if row.scope is not Scope.ADMIN} == REACHED


async def test_leaving_takes_the_group_from_the_key_and_coming_back_does_not_give_it_again(
    world: World,
) -> None:
    groups, member = world.house.installation.groups, world.facts.passes["member"].user_id
    owner, north = await world.actor("owner"), world.facts.teams["north"]
    async with narrowed(world, "member", "north") as one, narrowed(world, "member", "north", "south") as both:
        asked = (await one.post("/v1/chat", json=QUESTION)).json()
        assert (await one.get(f"/v1/sessions/{asked['session_id']}")).status_code == 200
        await groups.remove_member(owner, north, member)
        for _ in range(2):
            assert (await one.get("/v1/auth/me")).json()["groups"] == []
            for path in ("/v1/documents", "/v1/groups/me", "/v1/sessions"):
                assert (await one.get(path)).json()["items"] == [], path
            assert (await one.post("/v1/search", json={"query": "the rule"})).json()["items"] == []
            assert (await one.get(f"/v1/sessions/{asked['session_id']}")).status_code == 404
            assert [each["id"] for each in (await both.get("/v1/groups/me")).json()["items"]] == [
                world.facts.teams["south"]
            ]
            await groups.add_member(owner, north, "member") if _ == 0 else None


async def test_a_removed_group_leaves_a_key_that_sees_nothing(world: World) -> None:
    async with narrowed(world, "owner", "north") as client:
        assert (await client.get("/v1/documents")).json()["items"]
        await world.house.installation.groups.delete_group(
            await world.actor("owner"), world.facts.teams["north"]
        )
        assert (await client.get("/v1/documents")).json()["items"] == []
        assert (await client.get("/v1/auth/me")).json()["username"] == "owner"


async def test_answers_come_from_the_group_alone_and_conversations_are_the_keys_own(world: World) -> None:
    papers = world.facts.papers
    inside = {papers[name].document_id for name in within("owner", ["north"], Level.ASK)}
    question = {"message": f"What does the rule of {papers['private'].word} say?"}
    async with (
        narrowed(world, "owner", "north") as script,
        narrowed(world, "owner", "north") as other,
        world.client(world.facts.passes["owner"].headers("cookie")) as browser,
    ):
        mine = (await script.post("/v1/chat", json=question)).json()
        assert {each["document_id"] for each in mine["citations"]} <= inside
        assert papers["private"].word not in str(mine["citations"])
        theirs = (await browser.post("/v1/chat", json=question)).json()
        run, session = f"/v1/chat/runs/{theirs['run_id']}/events", f"/v1/sessions/{theirs['session_id']}"
        for path in (run, session, f"{session}/messages"):
            assert (await script.get(path)).status_code == 404, path
        assert (
            await script.post("/v1/chat", json={**question, "session_id": theirs["session_id"]})
        ).status_code == 404
        own = f"/v1/sessions/{mine['session_id']}"
        assert (await script.get(f"/v1/chat/runs/{mine['run_id']}/events")).status_code == 200
        assert [each.status_code for each in (await script.get(own), await browser.get(own))] == [200, 200]
        assert (await other.get(own)).status_code == 404
        # Asked on in the browser, where everything may answer: it is not the key's own any more.
        body = {**question, "session_id": mine["session_id"]}
        assert (await browser.post("/v1/chat", json=body)).status_code == 200
        assert (await script.get(own)).status_code == 404


async def test_a_successor_has_the_groups_and_the_conversations(world: World) -> None:
    keys, owner = world.house.installation.api_keys, await world.actor("owner")
    groups = (world.facts.teams["north"],)
    made = await keys.create_key(owner, CreateApiKey("narrowed", SCOPES, group_ids=groups))
    async with world.client({"x-api-key": made.key}) as client:
        asked = (await client.post("/v1/chat", json=QUESTION)).json()
    successor = await keys.rotate_key(owner, made.view.id)
    assert successor.view.group_ids == groups
    async with world.client({"x-api-key": successor.key}) as client:
        listed = (await client.get("/v1/documents", params={"limit": 200})).json()["items"]
        sessions = (await client.get("/v1/sessions")).json()["items"]
    assert {each["group_id"] for each in listed} == set(groups)
    assert [each["id"] for each in sessions] == [asked["session_id"]]
