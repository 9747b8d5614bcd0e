"""The matrix over REST: every route, every person, every carrier, every thing. Who may not see it gets what nobody could get."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.isolation.conftest import Copies
from tests.isolation.rest_table import BY_ID, FIELDS, WHO_MAY, WITHOUT_ID, Field, Own, Row
from tests.isolation.rules import Level
from tests.isolation.world import ACTIVE, CARRIERS, PEOPLE, TEAMS, Target, World, found_in, visible_papers
from youworker_app.api.public import PUBLIC

# What differs between two answers that mean the same.
_OWN = re.compile(
    r'"(correlation_id|run_id|session_id|message_id|document_id|job_id|created_at|updated_at)": ?"[^"]*"'
)
_HEADERS = frozenset({"x-correlation-id", "date"})


@dataclass(frozen=True)
class Seen:
    """An answer as far as it can tell anything."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["error"]["code"]) if self.status >= 400 else ""


def seen(answer: httpx.Response, *, as_text: bool = True) -> Seen:
    """The answer without what differs each time."""
    headers = tuple(sorted((k, v) for k, v in answer.headers.items() if k not in _HEADERS))
    body = _OWN.sub(r'"\1":""', answer.text) if as_text else answer.content.hex()
    return Seen(answer.status_code, headers, body)


def filled(entry: str, ids: Mapping[str, str]) -> tuple[str, str]:
    """(method, path) of an entry for some ids."""
    method, _, path = entry.partition(" ")
    return method, path.format_map(ids)


async def ask(client: httpx.AsyncClient, entry: str, target: Target, body: Any = None) -> httpx.Response:
    method, path = filled(entry, target.ids)
    return await client.request(method, path, json=body)


def leaks(
    world: World, person: str, entry: str, answer: httpx.Response, sent: Iterable[str] = ()
) -> set[str]:
    """What an answer tells that its reader must not know."""
    secrets = world.facts.secrets(person)
    if entry.startswith(("GET /v1/sessions/", "GET /v1/chat/runs/")):
        secrets = {key: what for key, what in secrets.items() if key not in world.facts.remembered(person)}
    return found_in(answer.text + str(answer.headers), secrets, tuple(sent))


def is_right(row: Row, has: Level, answer: httpx.Response, unknown: Seen) -> bool:
    """Whether the answer is what somebody of this level gets."""
    if has >= row.needs:
        return answer.status_code in row.done
    if has >= row.sees:
        return answer.status_code == 403
    return answer.status_code == 404 and seen(answer) == unknown


def carrier_of(number: int, row: Row) -> str:
    """Carriers take turns; but a key that is about to be deleted cannot carry."""
    return "cookie" if row.kind == "key" else CARRIERS[number % len(CARRIERS)]


@dataclass
class Asking:
    """One route, asked by everybody in turn; `wrong` is what was answered otherwise than the table says."""

    entry: str
    row: Row
    wrong: list[tuple[object, ...]]

    async def ask(self, world: World, person: str, carrier: str, targets: Iterable[Target]) -> None:
        """Asks for each target and compares with the answer for an id of nothing."""
        async with world.client(world.facts.passes[person].headers(carrier)) as client:
            unknown: Seen | None = None
            for target in targets:
                if unknown is None:
                    unknown = seen(await ask(client, self.entry, target.unknown(), self.row.body))
                answer = await ask(client, self.entry, target, self.row.body)
                told = leaks(world, person, self.entry, answer, target.ids.values())
                if told or not is_right(self.row, target.levels[person], answer, unknown):
                    self.wrong.append(
                        (person, carrier, target.name, answer.status_code, answer.text[:200], told)
                    )


@pytest.mark.parametrize("entry", BY_ID)
async def test_what_everybody_gets_by_id(world: World, copies: Copies, entry: str) -> None:
    row = BY_ID[entry]
    asking = Asking(entry, row, [])
    targets = world.facts.targets(row.kind)
    for number, person in enumerate(ACTIVE):
        for place, carrier in enumerate(CARRIERS):
            mine = [each for index, each in enumerate(targets) if index % len(CARRIERS) == place]
            alone = [each for each in mine if row.ends and each.levels[person] >= row.needs]
            carrier = carrier_of(number + place, row)
            await asking.ask(world, person, carrier, [each for each in mine if each not in alone])
            for target in alone:
                async with copies() as fresh:
                    await asking.ask(fresh, person, carrier, [target])
    assert not asking.wrong


def requests_of(world: World) -> list[tuple[str, Target, Any]]:
    """Every guarded route once, with something of the owner's in its path."""
    by_id = [(entry, world.facts.targets(row.kind)[0], row.body) for entry, row in BY_ID.items()]
    return by_id + [(entry, Target("", {}, {}), row.body) for entry, row in WITHOUT_ID.items()]


NOBODIES = ("nobody", "a wrong key", "suspended by cookie", "suspended by key")


@pytest.mark.parametrize("who", NOBODIES)
async def test_nobody_gets_anything(world: World, who: str) -> None:
    suspended = world.facts.passes["suspended"]
    headers = {
        "nobody": {},
        "a wrong key": {"x-api-key": suspended.key + "x"},
        "suspended by cookie": suspended.headers("cookie"),
        "suspended by key": suspended.headers("key"),
    }
    async with world.client(headers[who]) as client:
        answers = {
            entry: seen(await ask(client, entry, target, body)) for entry, target, body in requests_of(world)
        }
    assert {entry: each.code for entry, each in answers.items()} == dict.fromkeys(answers, "UNAUTHENTICATED")
    assert len({each.body for each in answers.values()}) == 1


def scoped_rows() -> list[tuple[str, Row | Own]]:
    rows: dict[str, Row | Own] = {**BY_ID, **WITHOUT_ID}
    return [(entry, row) for entry, row in rows.items() if row.scope is not None]


async def test_a_keys_scope_is_asked_before_anything_is_looked_up(world: World) -> None:
    targets = {entry: target for entry, target, _ in requests_of(world)}
    wrong = []
    for entry, row in scoped_rows():
        assert row.scope is not None
        key = world.facts.scoped[row.scope]
        async with world.client({"x-api-key": key}) as client:
            known = await ask(client, entry, targets[entry], row.body)
            unknown = await ask(client, entry, targets[entry].unknown(), row.body)
        if seen(known) != seen(unknown) or seen(known).code != "SCOPE_MISSING":
            wrong.append((entry, row.scope, known.status_code, known.text[:120], unknown.status_code))
    assert not wrong


def form_of(entry: str, row: Own) -> dict[str, Any]:
    """What a route without an id is sent."""
    files = {"files": ("new.txt", b"something new and of no interest")} if row.files else None
    return {"json": row.body, "files": files}


@pytest.mark.parametrize("entry", WITHOUT_ID)
async def test_what_everybody_gets_without_id(world: World, entry: str) -> None:
    row, method, path = WITHOUT_ID[entry], *entry.split()
    wrong = []
    for person in ACTIVE:
        for carrier in CARRIERS:
            form = form_of(entry, row)
            if entry == "POST /v1/groups":
                form["json"] = {"name": f"circle of {person} by {carrier}"}
            if entry == "POST /v1/users":
                form["json"] = {**(row.body or {}), "username": f"newcomer by {carrier}"}
            async with world.client(world.facts.passes[person].headers(carrier)) as client:
                answer = await client.request(method, path, **form)
            status = row.done if person in WHO_MAY[row.for_root] else 403
            told = leaks(world, person, entry, answer)
            if told or answer.status_code != status:
                wrong.append((person, carrier, answer.status_code, answer.text[:300], told))
    assert not wrong


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


def own_things(world: World, field: Field, person: str) -> list[Target | None]:
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
                for target in foreign_things(world, field, person, own):
                    answer = await send(client, field, own, target)
                    unknown = await send(client, field, own, target.unknown())
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


async def test_an_answer_outlives_its_evidence_but_does_not_show_it(world: World) -> None:
    """Who left the group keeps the answers from there; their passages are gone, live or kept."""
    chat = world.facts.chats["former"]
    async with world.client(world.facts.passes["former"].headers("cookie")) as client:
        messages = (await client.get(f"/v1/sessions/{chat.session_id}/messages")).json()["items"]
        events = await client.get(f"/v1/chat/runs/{chat.run_id}/events")
    citations = messages[-1]["citations"]
    own = {world.facts.papers[name].document_id for name in ("left", "kept")}
    gone = [each for each in citations if each["document_id"] not in own]
    assert gone
    for each in gone:
        assert not each["available"]
        assert not any(
            each[name] for name in ("quote", "filename", "title", "file_id", "can_view", "locator")
        )
    assert "wordshared-paper" not in events.text
    assert '"quote":"The rule of wordshared' not in events.text


async def test_the_public_list_and_the_matrix_do_not_overlap() -> None:
    assert not {*BY_ID, *WITHOUT_ID} & set(PUBLIC)
    assert {field.entry for field in FIELDS} <= {*BY_ID, *WITHOUT_ID}
    assert not set(BY_ID) & set(WITHOUT_ID)
    assert "suspended" in PEOPLE


async def test_a_run_that_is_still_in_memory_shows_its_evidence_by_right_too(world: World) -> None:
    """Passages are asked for again each time that they are shown, while the answer is written and a minute after as well."""
    person, question = world.facts.passes["member"], {"message": "What does the rule of wordshared say?"}
    async with world.client(person.headers("cookie")) as client:
        run_id = (await client.post("/v1/chat", json=question)).json()["run_id"]
        quoted = '"quote":"The rule of wordshared'
        assert quoted in (await client.get(f"/v1/chat/runs/{run_id}/events")).text
        await world.house.installation.groups.remove_member(
            await world.actor("owner"), world.facts.teams["north"], person.user_id
        )
        assert world.house.installation.runs.find(run_id)
        events = (await client.get(f"/v1/chat/runs/{run_id}/events")).text
    assert quoted not in events
    assert '"filename":"shared-paper.pdf"' not in events
    assert "event: done" in events


async def test_who_left_a_group_puts_nothing_before_it(world: World) -> None:
    """Neither by naming the group nor by opening what lay in it."""
    kept, left = world.facts.papers["kept"], world.facts.papers["left"]
    async with world.client(world.facts.passes["former"].headers("cookie")) as client:
        for change in ({"is_private": False}, {"group_id": world.facts.teams["north"]}):
            answer = await client.patch(f"/v1/documents/{kept.document_id}", json=change)
            assert answer.status_code == 404, change
        # What already lies open there stays theirs to rename and to take back, for good.
        renamed = await client.patch(f"/v1/documents/{left.document_id}", json={"title": "renamed"})
        assert renamed.status_code == 200
        assert (
            await client.patch(f"/v1/documents/{left.document_id}", json={"is_private": True})
        ).status_code == 200
        assert (
            await client.patch(f"/v1/documents/{left.document_id}", json={"is_private": False})
        ).status_code == 404
        assert (
            await client.patch(f"/v1/documents/{left.document_id}", json={"group_id": ""})
        ).status_code == 200
    async with world.client(world.facts.passes["owner"].headers("cookie")) as client:
        listed = (await client.get("/v1/documents", params={"limit": 200})).text
    assert "kept-paper" not in listed
    assert "left-paper" not in listed
