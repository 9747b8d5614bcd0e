"""What people do over the REST API: each step tells the journal what was asked before, and what was answered after."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.crash.journal import PRIVATE, Journal, Paper, Talk

PASSWORD = "una lunga parola segreta"
# What ends a step that nobody answered. A server that does not answer in time is another matter: it hangs.
_PATIENCE_S = 60.0
# A worker whose supervisor was killed ends in order, and refuses what comes meanwhile.
_STOPPING = 503


class Gone(Exception):
    """The server ended before it had answered, or is about to end."""


@dataclass
class Person:
    """Somebody with a browser's session. `groups` are those that they are a member of."""

    name: str
    http: httpx.AsyncClient
    journal: Journal
    groups: list[str] = field(default_factory=list)

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The answer. Raises Gone when there was none; one of our own errors is written down."""
        try:
            answer = await self.http.request(method, path, **options)
        except httpx.TimeoutException as error:
            raise AssertionError(f"{method} {path} got no answer in {_PATIENCE_S} s") from error
        except httpx.TransportError as error:
            raise Gone from error
        if answer.status_code == _STOPPING:
            raise Gone
        if answer.status_code >= 500:
            self.journal.wrong.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        return answer

    async def get(self, path: str, **params: Any) -> Any:
        """The body of what must be there."""
        answer = await self.call("GET", path, params=params)
        assert answer.status_code == 200, f"{self.name}: {path} {answer.status_code} {answer.text[:200]}"
        return answer.json()

    async def get_all(self, path: str) -> list[Any]:
        """Every item of a paged list."""
        items: list[Any] = []
        cursor: str | None = ""
        while cursor is not None:
            page = await self.get(path, limit=200, **({"cursor": cursor} if cursor else {}))
            items, cursor = items + page["items"], page["next_cursor"]
        return items

    # --- documents

    async def upload(self, papers: Sequence[Paper]) -> None:
        """Uploads several files to one place in one request. Again for those that are there: they are told so."""
        place = next(iter(papers[0].places))
        self.journal.papers += [paper for paper in papers if paper not in self.journal.papers]
        fields = {"group_id": place} if place else {}
        files = [("files", (paper.filename, paper.content)) for paper in papers]
        answer = await self.call("POST", "/v1/ingest/upload", data=fields, files=files)
        if not self._is(answer, 202):
            return
        for paper, item in zip(papers, answer.json()["items"], strict=True):
            if item["document_id"] is None:
                self.journal.wrong.append(f"{paper.filename} was refused: {item['error']}")
                continue
            paper.times_new += item["duplicate_of"] is None
            if item["document_id"] != (paper.id or item["document_id"]) or paper.times_new > 1:
                self.journal.wrong.append(f"{paper.filename} became another document")
            paper.id = item["document_id"]

    async def move(self, paper: Paper, place: str) -> None:
        """Moves a document into a group, or makes it private."""
        paper.places.add(place)
        paper.moves_in_doubt += 1
        body = {"group_id": place, "is_private": place == PRIVATE}
        answer = await self.call("PATCH", f"/v1/documents/{paper.id}", json=body)
        if self._is(answer, 200):
            paper.places = {place}
            paper.moves, paper.moves_in_doubt = paper.moves + 1, paper.moves_in_doubt - 1

    async def delete(self, paper: Paper) -> None:
        """Deletes a document."""
        paper.deletion = "asked"
        answer = await self.call("DELETE", f"/v1/documents/{paper.id}")
        if self._is(answer, 204):
            paper.deletion = "done"

    # --- rights

    async def let_in(self, *, is_member: bool) -> None:
        """Makes the guest a member of the group, or ends that."""
        journal = self.journal
        journal.guest_may_be_member.add(is_member)
        members = f"/v1/groups/{journal.guest_group}/members"
        if is_member:
            answer = await self.call("POST", members, json={"username": journal.guest, "role": "member"})
        else:
            answer = await self.call("DELETE", f"{members}/{journal.guest_id}")
        # 404 and 409: it is so already, since an earlier step was done but not answered.
        if answer.status_code not in {201, 204, 404, 409}:
            journal.wrong.append(f"members: {answer.status_code} {answer.text[:200]}")
        else:
            journal.guest_may_be_member = {is_member}

    # --- conversations

    async def ask(self, question: str, *, session_id: str = "", stop_after: int = 0) -> None:
        """Asks and listens to the end, or stops the answer after so many pieces."""
        self.journal.questions_in_doubt[self.name] += 1
        body = {"message": question, "stream": True} | ({"session_id": session_id} if session_id else {})
        talk = Talk(self.name, question)
        try:
            async with self.http.stream("POST", "/v1/chat", json=body) as answer:
                if answer.status_code in {409, 429}:  # another answer is being written
                    self.journal.questions_in_doubt[self.name] -= 1
                    return
                if answer.status_code == _STOPPING:
                    raise Gone
                if not self._is(answer, 200):
                    return
                name, pieces = "", 0
                async for line in answer.aiter_lines():
                    if line.startswith("event: "):
                        name = line.removeprefix("event: ")
                    elif line.startswith("data: "):
                        self._heard(talk, name, json.loads(line.removeprefix("data: ")))
                        pieces += name == "token"
                        if stop_after and pieces == stop_after:
                            await self.call("POST", f"/v1/chat/runs/{talk.run_id}/stop")
        except httpx.TimeoutException as error:
            raise AssertionError(f"{self.name} heard nothing for {_PATIENCE_S} s") from error
        except httpx.TransportError as error:
            raise Gone from error
        if not talk.ending:
            raise Gone  # a stream that ended without its last event

    def _heard(self, talk: Talk, name: str, data: dict[str, Any]) -> None:
        if name == "session":
            talk.session_id, talk.message_id, talk.run_id = (
                data["session_id"],
                data["message_id"],
                data["run_id"],
            )
            self.journal.talks.append(talk)
            self.journal.questions_in_doubt[self.name] -= 1
        elif name == "token":
            talk.heard += data["text"]
        elif name == "done":
            talk.ending = data["state"]
        elif name == "error":
            talk.ending = "failed"
            self.journal.wrong.append(f"an answer failed: {data['code']}")

    def _is(self, answer: httpx.Response, status: int) -> bool:
        if answer.status_code != status:
            self.journal.wrong.append(f"{answer.request.method} {answer.url.path}: {answer.status_code}")
        return answer.status_code == status


def client(url: str) -> httpx.AsyncClient:
    """A browser without a session, which waits long but not for ever."""
    limits = httpx.Limits(max_connections=40, max_keepalive_connections=4)
    return httpx.AsyncClient(base_url=url, timeout=_PATIENCE_S, trust_env=False, limits=limits)


async def sign_up(root: Person, name: str) -> Person:
    """A new colleague, signed in."""
    made = await root.call("POST", "/v1/users", json={"username": name, "password": PASSWORD})
    assert made.status_code == 201, made.text
    return await signed_in(str(root.http.base_url), name, root.journal)


async def signed_in(url: str, name: str, journal: Journal) -> Person:
    """Somebody who has an account, with a session."""
    http = client(url)
    answer = await http.post("/v1/auth/login", json={"username": name, "password": PASSWORD})
    http.headers["x-csrf-token"] = answer.raise_for_status().json()["csrf_token"]
    return Person(name, http, journal)


async def first_account(url: str, token: str, journal: Journal) -> Person:
    """Root, made with the token that the server printed."""
    http = client(url)
    body = {"setup_token": token, "username": "root", "password": PASSWORD}
    answer = await http.post("/v1/setup", json=body)
    http.headers["x-csrf-token"] = answer.raise_for_status().json()["csrf_token"]
    return Person("root", http, journal)


async def together(*steps: Any) -> None:
    """Steps at the same time. One that got no answer does not end the others; what is wrong is raised."""
    for result in await asyncio.gather(*steps, return_exceptions=True):
        if isinstance(result, BaseException) and not isinstance(result, Gone):
            raise result
