"""Retrieval alone, over /v1."""

from typing import Any

import pytest

from tests.web import Person, Web


@pytest.fixture
async def anna(web: Web) -> Person:
    person = await web.person("anna")
    for filename, text in (
        ("boiler.txt", b"The boiler in the cellar is serviced in March. Its number is K-4711."),
        ("lease.txt", b"The lease of the office ends in December. The rent is due on the fifth day."),
    ):
        assert (await person.upload(text, filename, tags=filename[:5])).status_code == 202
    await web.ready()
    return person


async def found(person: Person, **body: Any) -> list[dict[str, Any]]:
    answer = await person.http.post("/v1/search", json={"query": "When is the boiler serviced?"} | body)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_the_passage_that_answers_stands_first(anna: Person) -> None:
    items = await found(anna)
    first = items[0]
    assert first["filename"] == "boiler.txt"
    assert {
        "chunk_id",
        "document_id",
        "file_id",
        "filename",
        "page",
        "locator",
        "text",
        "score",
        "group_id",
    } <= first.keys()
    assert {"kind", "label"} <= first["locator"].keys()
    assert "K-4711" in first["text"]


async def test_a_search_is_narrowed(anna: Person) -> None:
    documents = {d["filename"]: d["id"] for d in (await anna.http.get("/v1/documents")).json()["items"]}
    assert len(await found(anna, limit=1)) == 1
    assert {i["filename"] for i in await found(anna, document_ids=[documents["lease.txt"]])} == {"lease.txt"}
    assert {i["filename"] for i in await found(anna, tags=["lease"])} == {"lease.txt"}
    assert await found(anna, document_ids=[]) == []
    assert await found(anna, collection="none") == []


async def test_a_stranger_finds_nothing(web: Web, anna: Person) -> None:
    stranger = await web.person("stranger")
    documents = [d["id"] for d in (await anna.http.get("/v1/documents")).json()["items"]]
    assert await found(stranger) == []
    assert await found(stranger, document_ids=documents) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"query": ""}, 422),
        ({"query": "  "}, 422),
        ({"query": "a" * 1_000_000}, 422),
        ({"query": "a" * 1_300_000}, 413),
        ({}, 422),
        ({"query": 5}, 422),
        ({"query": "a", "limit": 0}, 422),
        ({"query": "a", "limit": 10**30}, 422),
        ({"query": "a", "document_ids": ["\0"]}, 404),
        ({"query": "a", "document_ids": ["x"] * 1_001}, 422),
        ({"query": "a", "group_id": "x" * 65}, 404),
        ({"query": "a", "tags": ["\0"]}, 422),
    ],
)
async def test_a_wrong_search_is_told(anna: Person, body: dict[str, Any], status: int) -> None:
    answer = await anna.http.post("/v1/search", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


async def test_odd_questions_are_questions(anna: Person) -> None:
    for query in ("\0", "🦆" * 100, "' OR 1=1 --", "a\u202eb", "%_\\"):
        answer = await anna.http.post("/v1/search", json={"query": query})
        assert answer.status_code in {200, 422}


async def test_scopes_and_nobody(web: Web, anna: Person) -> None:
    narrow = await web.keyed(anna.actor, ["chat:read"])
    assert (await narrow.http.post("/v1/search", json={"query": "a"})).status_code == 403
    assert (await (await web.client()).post("/v1/search", json={"query": "a"})).status_code == 401
