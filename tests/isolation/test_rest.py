"""The matrix over REST: every route, every person, every carrier, every thing. Who may not see it gets what nobody could get."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.isolation.rest_table import BY_ID, FIELDS, WHO_MAY, WITHOUT_ID, Field, Row
from tests.isolation.rules import Level
from tests.isolation.conftest import Copies
from tests.isolation.world import ACTIVE, CARRIERS, PEOPLE, TEAMS, Target, World, found_in
from youworker_app.api.public import PUBLIC

# What differs between two answers that mean the same.
_OWN = re.compile(r'"(correlation_id|run_id|session_id|message_id|document_id|job_id|created_at|updated_at)": ?"[^"]*"')
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
    body = _OWN.sub("", answer.text) if as_text else answer.content.hex()
    return Seen(answer.status_code, headers, body)


def filled(entry: str, ids: Mapping[str, str]) -> tuple[str, str]:
    """(method, path) of an entry for some ids."""
    method, _, path = entry.partition(" ")
    return method, path.format_map(ids)


async def ask(client: httpx.AsyncClient, entry: str, target: Target, body: Any = None) -> httpx.Response:
    method, path = filled(entry, target.ids)
    return await client.request(method, path, json=body)


def leaks(world: World, person: str, entry: str, answer: httpx.Response, sent: Iterable[str] = ()) -> set[str]:
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
                    self.wrong.append((person, carrier, target.name, answer.status_code, answer.text[:200], told))


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
