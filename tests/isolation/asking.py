"""How the REST tests ask, and what of an answer counts: everything that could tell one refusal from another."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tests.isolation.company import Target, found_in
from tests.isolation.rest_table import Row
from tests.isolation.rules import Level
from tests.isolation.world import World

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


_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def leaks(
    world: World, person: str, entry: str, answer: httpx.Response, sent: Iterable[str] = ()
) -> set[str]:
    """What an answer tells that its reader must not know."""
    secrets = world.facts.secrets(person)
    if entry.startswith(("GET /v1/sessions/", "GET /v1/chat/runs/")):
        secrets = {key: what for key, what in secrets.items() if key not in world.facts.remembered(person)}
    if person == "root" and entry.startswith("GET /v1/audit"):
        # The trail is of ids: what they name, words and credentials are not told to root either.
        secrets = {key: what for key, what in secrets.items() if not _ID.fullmatch(key)}
    return found_in(answer.text + str(answer.headers), secrets, tuple(sent))


def is_right(row: Row, has: Level, answer: httpx.Response, unknown: Seen) -> bool:
    """Whether the answer is what somebody of this level gets."""
    if has >= row.needs:
        return answer.status_code in row.done
    if has >= row.sees:
        return answer.status_code == 403 and (row.sees > Level.NOTHING or seen(answer) == unknown)
    return answer.status_code == 404 and seen(answer) == unknown
