"""Ids and words of others in every field beside the path, and what lists and searches hold."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from tests.isolation.asking import filled, leaks, seen
from tests.isolation.company import ACTIVE, CARRIERS, TEAMS, Target, visible_papers
from tests.isolation.rest_table import FIELDS, Field
from tests.isolation.rules import Level
from tests.isolation.world import World
from youworker_app.core.ids import new_id


def values_of(field: Field, target: Target) -> Any:
    value = target.ids[field.ids]
    return [value] if field.many else value


async def send(client: httpx.AsyncClient, field: Field, own: Target | None, target: Target) -> httpx.Response:
    """The route with a value in the field, and the caller's own things in its path."""
    ids = {**(own.ids if own else {}), **(target.ids if field.place == "path" else {})}
    method, path = filled(field.entry, ids)
    value = values_of(field, target)
    params = {field.name: value} if field.place == "query" else None
    if "upload" in path:
        form = {field.name: value} if field.place == "form" else {}
        return await client.post(path, params=params, data=form, files={"files": ("new.txt", b"new words")})
    if method == "GET":
        return await client.get(path, params=params)
    body = {**field.body, **({field.name: value} if field.place == "json" else {})}
    return await client.request(method, path, json=body or None)


def own_things(world: World, field: Field, person: str) -> Sequence[Target | None]:
    """What the caller's own path can name: at most two of each kind."""
    if not field.path:
        return [None]
    least = Level.VIEW if field.path in {"page", "group"} else Level.OWN
    return [each for each in world.facts.targets(field.path) if each.levels[person] >= least][-2:]


def foreign_things(world: World, field: Field, person: str, own: Target | None) -> list[Target]:
    """What the field must not be able to name."""
    found = [each for each in world.facts.targets(field.kind) if each.levels[person] < field.below]
    if field.kind == "person":
        assert own is not None
        found = [each for each in found if each.name not in TEAMS[own.name].roles]
    return found


@pytest.mark.parametrize("field", FIELDS, ids=lambda each: f"{each.entry} {each.place} {each.name}")
async def test_something_of_others_in_a_field_is_something_that_is_not_there(
    world: World, field: Field
) -> None:
    wrong, tried = [], 0
    pictures = field.entry.endswith(".png")
    for number, person in enumerate(ACTIVE):
        carrier = CARRIERS[number % len(CARRIERS)]
        async with world.client(world.facts.passes[person].headers(carrier)) as client:
            for own in own_things(world, field, person):
                unknown: httpx.Response | None = None
                for target in foreign_things(world, field, person, own):
                    answer = await send(client, field, own, target)
                    # What is not there is answered in the same way each time: asked once.
                    unknown = unknown or await send(client, field, own, target.unknown())
                    tried += 1
                    sent = [*target.ids.values(), *(own.ids.values() if own else ())]
                    told = leaks(world, person, field.entry, answer, sent)
                    if told or (field.is_same and not is_same(answer, unknown, is_picture=pictures)):
                        wrong.append(
                            (
                                person,
                                target.name,
                                answer.status_code,
                                answer.text[:300],
                                unknown.text[:300],
                                told,
                            )
                        )
    assert not wrong
    assert tried > 5


def is_same(answer: httpx.Response, unknown: httpx.Response, *, is_picture: bool) -> bool:
    """Whether two answers mean the same; a picture's tag is made from what was asked for, so that the picture counts."""
    if is_picture and answer.status_code == 200:
        return answer.content == unknown.content
    one, other = seen(answer), seen(unknown)
    return (one.status, one.body) == (other.status, other.body)


async def test_a_page_boxes_its_own_passages_only(world: World) -> None:
    """A passage of another document marks nothing, whoever may see both."""
    papers = world.facts.papers
    path = f"/v1/files/{papers['shared'].file_id}/pages/1.png"
    async with world.client(world.facts.passes["owner"].headers("key")) as client:

        async def picture(chunk_id: str) -> bytes:
            return (await client.get(path, params={"chunk_id": chunk_id})).raise_for_status().content

        plain = await picture(new_id())
        own = [await picture(chunk_id) for chunk_id in papers["shared"].chunk_ids]
        others = [await picture(ids.chunk_ids[0]) for name, ids in papers.items() if name != "shared"]
    assert [each != plain for each in own] == [True, False]  # the second one stands on the second page
    assert all(each == plain for each in others)
    assert papers["viewable"].chunk_ids


async def test_lists_hold_exactly_what_the_rights_say(world: World) -> None:
    names = {ids.document_id: name for name, ids in world.facts.papers.items()}
    for person in ACTIVE:
        async with world.client(world.facts.passes[person].headers("key")) as client:
            listed = (await client.get("/v1/documents", params={"limit": 200})).json()["items"]
            groups = (await client.get("/v1/groups/me")).json()["items"]
            sessions = (await client.get("/v1/sessions")).json()["items"]
        assert {names[item["id"]] for item in listed} == visible_papers(person, Level.VIEW), person
        assert {group["name"] for group in groups} == {f"{t}-team" for t in TEAMS if person in TEAMS[t].roles}
        assert [session["id"] for session in sessions] == [world.facts.chats[person].session_id]


async def test_search_finds_exactly_what_may_answer(world: World) -> None:
    for person in ACTIVE:
        found = set()
        async with world.client(world.facts.passes[person].headers("cookie")) as client:
            for name, ids in world.facts.papers.items():
                body = {"query": f"What does the rule of {ids.word} say?", "document_ids": [ids.document_id]}
                items = (await client.post("/v1/search", json=body)).json()["items"]
                found |= {name for item in items if ids.word in item["text"]}
                assert {item["document_id"] for item in items} <= {ids.document_id}
        assert found == visible_papers(person, Level.ASK), person


async def test_pages_of_lists_lead_to_ones_own_things_only(world: World) -> None:
    """Another person's cursor is a place in a list, not a way into it."""
    for path in ("/v1/documents", "/v1/sessions"):
        async with world.client(world.facts.passes["owner"].headers("key")) as client:
            first = (await client.get(path, params={"limit": 1})).json()
        cursor = first["next_cursor"]
        for person in ACTIVE:
            async with world.client(world.facts.passes[person].headers("key")) as client:
                answer = await client.get(path, params={"cursor": cursor or "", "limit": 200})
            assert not leaks(world, person, f"GET {path}", answer), (path, person)
