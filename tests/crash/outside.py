"""What must hold after any crash, as people see it: once, readable to the bit, found by those who may and by nobody else."""

import asyncio
import hashlib
from collections import Counter
from typing import Any

from tests.crash.harness import PATIENCE_S, Life
from tests.crash.journal import PRIVATE, Paper
from tests.crash.models import answer_to
from tests.crash.people import Person

_AT_ONCE = 6


async def check_outside(life: Life) -> None:
    """Everything that people remember is there once; raises AssertionError that names what is not."""
    journal = life.journal
    assert not journal.wrong, journal.wrong[:5]
    await _settle_guest(life)
    for name in ("anna", "bruno", "carla"):
        views = await _ended(life.people[name])
        await _check_papers(life, life.people[name], views)
        await _check_talks(life, life.people[name])
    await _check_searches(life)


async def _ended(person: Person) -> dict[str, Any]:
    """A person's documents by id, once no job runs any more. What takes longer than PATIENCE_S hangs."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            views = await person.get_all("/v1/documents")
            mine = [view for view in views if view["owner"] == person.name]
            if all(view["state"] not in {"queued", "working"} for view in mine):
                break
            await asyncio.sleep(0.1)
    assert len({view["id"] for view in mine}) == len(mine)
    assert all(view["state"] == "ready" and view["progress"] == 1 for view in mine), mine
    return {view["id"]: view for view in mine}


async def _check_papers(life: Life, person: Person, views: dict[str, Any]) -> None:
    by_name = Counter(view["filename"] for view in views.values())
    ids = {view["filename"]: view["id"] for view in views.values()}
    for paper in [paper for paper in life.journal.papers if paper.owner == person.name]:
        count = by_name.pop(paper.filename, 0)
        assert count <= 1, f"{paper.filename} is there {count} times"
        if count and paper.id is None:
            paper.id = ids[paper.filename]  # it was not answered, but it was done
        if paper.id is None:
            life.journal.papers.remove(paper)
        elif paper.deletion == "none":
            assert count, f"{paper.filename} is lost"
            assert ids[paper.filename] == paper.id, f"{paper.filename} became another document"
            await _check_paper(person, paper, views[paper.id])
        elif count:
            assert paper.deletion == "asked", f"{paper.filename} was deleted and is there"
            paper.deletion = "none"
            await _check_paper(person, paper, views[paper.id])
        else:
            paper.deletion = "done"
            assert (await person.call("GET", f"/v1/documents/{paper.id}")).status_code == 404
    assert not by_name, f"nobody uploaded {by_name}"


async def _check_paper(person: Person, paper: Paper, view: dict[str, Any]) -> None:
    place = PRIVATE if view["is_private"] else view["group_id"]
    assert place in paper.places, f"{paper.filename} is in {place}, not in {paper.places}"
    paper.places = {place}
    answer = await person.call("GET", f"/v1/files/{view['file_id']}/download")
    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(paper.content).digest()
    chunks = await person.get_all(f"/v1/documents/{paper.id}/chunks")
    assert [chunk["ordinal"] for chunk in chunks] == list(range(len(chunks)))
    assert all(paper.mark in chunk["text"] for chunk in chunks)
    if not paper.filename.endswith(".pdf"):
        read = "".join("".join(chunk["text"].split()) for chunk in chunks)
        assert read == "".join(paper.content.decode().split()), f"{paper.filename} was not read whole"


async def _check_searches(life: Life) -> None:
    """Each document is found by its mark by everybody who may find it, and by nobody else."""
    free = asyncio.Semaphore(_AT_ONCE)

    async def look(person: Person, paper: Paper) -> None:
        async with free:
            answer = await person.call("POST", "/v1/search", json={"query": paper.mark, "limit": 10})
        assert answer.status_code == 200, answer.text
        found = paper.id in {item["document_id"] for item in answer.json()["items"]}
        may = person.name == paper.owner or next(iter(paper.places)) in person.groups
        assert found == may, f"{person.name} {'finds' if found else 'does not find'} {paper.filename}"

    there = [paper for paper in life.journal.papers if paper.deletion == "none"]
    await asyncio.gather(*(look(person, paper) for person in life.people.values() for paper in there))


async def _settle_guest(life: Life) -> None:
    """Whether the guest is a member is one of the things that may be; what they find follows from it."""
    guest = life.people[life.journal.guest]
    groups = {group["id"] for group in await guest.get_all("/v1/groups/me")}
    is_member = life.journal.guest_group in groups
    assert is_member in life.journal.guest_may_be_member
    life.journal.guest_may_be_member = {is_member}
    guest.groups = sorted(groups)


async def _check_talks(life: Life, person: Person) -> None:
    """Each question is there once, with one answer: whole, or marked and with what had been said."""
    talks = {talk.message_id: talk for talk in life.journal.talks if talk.owner == person.name}
    sessions = await person.get_all("/v1/sessions")
    answers = 0
    for session in sessions:
        messages = (await person.get(f"/v1/sessions/{session['id']}/messages", limit=200))["items"]
        assert [message["role"] for message in messages] == ["user", "assistant"] * (len(messages) // 2)
        for question, answer in zip(messages[::2], messages[1::2], strict=True):
            answers += 1
            _check_answer(question["content"], answer)
            if (talk := talks.pop(answer["id"], None)) is None:
                continue
            assert (question["content"], session["id"]) == (talk.question, talk.session_id)
            if talk.ending:
                assert (answer["state"], answer["content"]) == (talk.ending, talk.heard)
    assert not talks, f"{person.name} lost {talks}"
    known = sum(talk.owner == person.name for talk in life.journal.talks)
    assert known <= answers <= known + life.journal.questions_in_doubt[person.name]


def _check_answer(question: str, answer: dict[str, Any]) -> None:
    whole = "".join(answer_to(question))
    assert answer["state"] in {"complete", "stopped", "interrupted"}, answer
    assert whole.startswith(answer["content"]), "the answer is not what the model said"
    if answer["state"] == "complete":
        assert answer["content"] == whole
    if answer["state"] == "interrupted":
        assert answer["error_code"] == "ANSWER_INTERRUPTED"
        assert answer["error"]
