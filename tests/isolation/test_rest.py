"""The matrix over REST: every route, every person, every carrier, every thing. Who may not see it gets what nobody could get."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.isolation.asking import Seen, ask, is_right, leaks, seen
from tests.isolation.company import ACTIVE, CARRIERS, PEOPLE, Target
from tests.isolation.conftest import Copies
from tests.isolation.rest_table import BY_ID, FIELDS, WHO_MAY, WITHOUT_ID, Own, Row
from tests.isolation.world import World
from youworker_app.api.public import PUBLIC


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


async def test_the_public_list_and_the_matrix_do_not_overlap() -> None:
    assert not {*BY_ID, *WITHOUT_ID} & set(PUBLIC)
    assert {field.entry for field in FIELDS} <= {*BY_ID, *WITHOUT_ID}
    assert not set(BY_ID) & set(WITHOUT_ID)
    assert "suspended" in PEOPLE
