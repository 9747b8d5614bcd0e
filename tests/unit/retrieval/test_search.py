"""The service over memory: what is found, for whom, at what cost, and what happens when a part is away."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.unit.retrieval.passages import ANNA, Shelf, numbered, passage
from youworker_app.access.actor import Actor, Scope, ScopeMissing
from youworker_app.documents.schemas import Passage
from youworker_app.gateways.embeddings.errors import EmbeddingAway
from youworker_app.gateways.embeddings.memory import InMemoryEmbedder
from youworker_app.gateways.embeddings.protocol import Vectors
from youworker_app.gateways.vectors.errors import VectorStoreAway
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.retrieval import service as retrieval_service
from youworker_app.retrieval.errors import QueryEmpty, QueryTooLong, SearchLimitInvalid
from youworker_app.retrieval.schemas import SearchQuery

TEXTS = [
    "The boiler in the cellar is serviced each March. Its number is K-4711.",
    "The lift is inspected by the city every second year. Call the porter.",
    "Bicycles belong into the yard. The key hangs beside the door.",
    "The roof was repaired in 2019 after the storm. The bill was paid in June.",
]


class EmbedderAway(InMemoryEmbedder):
    """An embedder that cannot be reached."""

    async def embed_query(self, text: str) -> Vectors:
        raise EmbeddingAway(url="nowhere")

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        raise EmbeddingAway(url="nowhere")


def marked(found: Passage) -> str | None:
    return None if found.mark_start is None else found.text[found.mark_start : found.mark_end]


async def test_the_passage_that_answers_stands_first_and_its_sentence_is_marked() -> None:
    shelf = await Shelf(numbered(TEXTS)).fill()
    found = await shelf.service.search(ANNA, SearchQuery("When is the boiler serviced?"))
    assert found[0].text == TEXTS[0]
    assert marked(found[0]) == "The boiler in the cellar is serviced each March."
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert 0 < found[0].score <= 1


async def test_italian_is_stemmed_as_italian() -> None:
    texts = ["La caldaia viene revisionata a marzo.", "L'ascensore è controllato dal comune."]
    shelf = await Shelf(numbered(texts, language="it")).fill()
    found = await shelf.service.search(ANNA, SearchQuery("revisione delle caldaie"))
    assert [one.text for one in found] == [texts[0]]


async def test_a_key_without_the_scope_may_not_search_and_the_chat_asks_for_its_own() -> None:
    shelf = await Shelf(numbered(TEXTS)).fill()
    narrowed = replace(ANNA, scopes=frozenset({Scope.CHAT_WRITE}))
    with pytest.raises(ScopeMissing):
        await shelf.service.search(narrowed, SearchQuery("boiler"))
    assert await shelf.service.find(narrowed, SearchQuery("boiler"))


@pytest.mark.parametrize(
    ("query", "error"),
    [
        (SearchQuery(""), QueryEmpty),
        (SearchQuery(" \n\t "), QueryEmpty),
        (SearchQuery("x" * 101), QueryTooLong),
        (SearchQuery("boiler", 0), SearchLimitInvalid),
        (SearchQuery("boiler", 51), SearchLimitInvalid),
    ],
)
async def test_a_query_that_cannot_be_asked_is_refused(query: SearchQuery, error: type[Exception]) -> None:
    shelf = await Shelf(numbered(TEXTS), max_query_chars=100).fill()
    with pytest.raises(error):
        await shelf.service.find(ANNA, query)


@pytest.mark.parametrize(
    "query",
    ["?? !!", "😀", "a", "the of and", "\ud800", "\0", "x" * 16_000, "boiler " * 2_000, "これは何ですか"],
)
async def test_an_odd_query_breaks_nothing(query: str) -> None:
    shelf = await Shelf(numbered(TEXTS)).fill()
    found = await shelf.service.find(ANNA, SearchQuery(query))
    assert {one.text for one in found} <= set(TEXTS)


async def test_a_question_at_the_end_of_a_long_text_is_heard() -> None:
    shelf = await Shelf(numbered(TEXTS)).fill()
    letter = "Dear neighbours, " + "many thanks for everything and good wishes. " * 200
    found = await shelf.service.find(ANNA, SearchQuery(letter + "When is the boiler serviced?", 1))
    assert [one.text for one in found] == [TEXTS[0]]


async def test_a_long_text_without_a_question_is_searched_for_as_it_is() -> None:
    shelf = await Shelf(numbered(TEXTS)).fill()
    words = " ".join(f"greeting{n}" for n in range(400))
    found = await shelf.service.find(ANNA, SearchQuery(f"boiler {words}"))
    assert TEXTS[0] in {one.text for one in found}


async def test_nothing_good_is_nothing() -> None:
    shelf = await Shelf(numbered(TEXTS)).fill()
    assert await shelf.service.find(ANNA, SearchQuery("Quantum chromodynamics lattice simulations")) == ()
    assert len(await shelf.service.find(ANNA, SearchQuery("Summarise the document"))) == len(TEXTS)


async def test_only_what_one_may_see_is_found() -> None:
    passages = [
        passage(TEXTS[0], document="mine"),
        passage(TEXTS[0] + " Really.", document="theirs"),
        passage(TEXTS[0] + " Surely.", document="shared", group_id="g1"),
    ]
    shelf = await Shelf(passages, owners={"mine": "anna", "theirs": "bruno", "shared": "bruno"}).fill()

    async def seen(actor: Actor) -> set[str]:
        found = await shelf.service.find(actor, SearchQuery("boiler serviced March"))
        return {one.document_id for one in found}

    assert await seen(ANNA) == {"mine"}
    assert await seen(replace(ANNA, group_ids=frozenset({"g1"}))) == {"mine", "shared"}
    assert await seen(Actor(user_id="carla", username="carla")) == set()
    assert await seen(Actor(user_id="", username="")) == set()


async def test_what_the_database_no_longer_gives_is_dropped() -> None:
    shelf = await Shelf(numbered(TEXTS)).fill()
    shelf.library.remove(shelf.passages[0].chunk_id)
    found = await shelf.service.find(ANNA, SearchQuery("When is the boiler in the cellar serviced?"))
    assert TEXTS[0] not in {one.text for one in found}


async def test_what_may_not_be_shown_does_not_crowd_out_what_may() -> None:
    # The store still says that Anna may see Bruno's, the database does not.
    stale = [
        passage(f"The boiler is serviced in March, boiler {n}.", document=f"b{n}", group_id="g1")
        for n in range(150)
    ]
    mine = passage("Once the boiler got a service.", document="mine")
    shelf = await Shelf([*stale, mine], owners={"mine": "anna"}).fill()
    for one in stale:
        shelf.library.remove(one.chunk_id)
    member = replace(ANNA, group_ids=frozenset({"g1"}))
    found = await shelf.service.find(member, SearchQuery("boiler service March"))
    assert [one.document_id for one in found] == ["mine"]


class CountingStore(MemoryVectorStore):
    """Counts the searches."""

    def __init__(self) -> None:
        super().__init__()
        self.searches = 0

    async def search_dense(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.searches += 1
        return await super().search_dense(*args, **kwargs)

    async def search_sparse(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.searches += 1
        return await super().search_sparse(*args, **kwargs)


async def test_a_search_costs_one_embedding_two_searches_and_one_read() -> None:
    store, embedder = CountingStore(), InMemoryEmbedder()
    shelf = await Shelf(numbered(TEXTS * 20), store=store, embedder=embedder).fill()
    for _ in range(3):
        await shelf.service.find(ANNA, SearchQuery("When is the boiler serviced?"))
    assert (embedder.query_calls, embedder.document_calls, store.searches) == (3, 0, 6)
    assert (shelf.library.reads, shelf.library.searches, shelf.library.language_calls) == (3, 0, 1)


async def test_who_has_no_document_waits_for_nothing_and_the_first_one_is_found_at_once() -> None:
    """Not even for an embedder that is away."""
    store, embedder, bruno = CountingStore(), InMemoryEmbedder(), Actor(user_id="bruno", username="bruno")
    shelf = await Shelf(numbered(TEXTS), store=store, embedder=embedder).fill()
    assert await shelf.service.find(bruno, SearchQuery("When is the boiler serviced?")) == ()
    assert (embedder.query_calls, store.searches, shelf.library.reads) == (0, 0, 0)
    assert await Shelf([], embedder=EmbedderAway()).service.find(bruno, SearchQuery("boiler")) == ()
    shelf.owners["doc"] = "bruno"
    await shelf.fill()
    assert await shelf.service.find(bruno, SearchQuery("When is the boiler serviced?"))


async def test_that_there_are_documents_is_remembered_of_so_many_and_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shelf = await Shelf(numbered(TEXTS)).fill()
    for _ in range(3):
        await shelf.service.find(ANNA, SearchQuery("boiler"))
    assert shelf.library.presence_calls == 1
    monkeypatch.setattr(retrieval_service, "_MOST_REMEMBERED", 2)
    for name in ("bruno", "carla", "dario"):
        shelf.owners["doc"] = name
        await shelf.service.find(Actor(user_id=name, username=name), SearchQuery("boiler"))
    assert len(shelf.service._having) <= 2
    monkeypatch.setattr(retrieval_service, "_HAVING_FOR_S", -1.0)
    shelf.service._having.clear()
    shelf.library.presence_calls = 0
    for _ in range(2):
        await shelf.service.find(Actor(user_id="dario", username="dario"), SearchQuery("boiler"))
    assert shelf.library.presence_calls == 2


async def test_the_documents_languages_are_asked_for_again_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shelf = await Shelf(numbered(TEXTS)).fill()
    monkeypatch.setattr(retrieval_service, "_LANGUAGES_FOR_S", -1.0)
    for _ in range(2):
        await shelf.service.find(ANNA, SearchQuery("boiler"))
    assert shelf.library.language_calls == 2


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (SearchQuery("boiler", document_ids=("a",)), {"a"}),
        (SearchQuery("boiler", document_ids=()), set()),
        (SearchQuery("boiler", document_ids=("unknown",)), set()),
        (SearchQuery("boiler", group_ids=("g1",)), {"b"}),
        (SearchQuery("boiler", group_ids=("g1", "g2")), {"b"}),
        (SearchQuery("boiler", group_ids=("g2",)), set()),
        (SearchQuery("boiler", group_ids=()), set()),
        (SearchQuery("boiler", tags=("heat",)), {"a", "b"}),
        (SearchQuery("boiler", tags=("heat", "new")), {"b"}),
        (SearchQuery("boiler", tags=("heat",), document_ids=("a", "c")), {"a"}),
        (SearchQuery("boiler", tags=("cold",)), set()),
        (SearchQuery("boiler", tags=()), set()),
        (SearchQuery("boiler", tags=("\0",)), set()),
        (SearchQuery("boiler", tags=("\ud800",)), set()),
        (SearchQuery("boiler", tags=tuple(map(str, range(60)))), set()),
        (SearchQuery("boiler", group_ids=("\0",)), set()),
        (SearchQuery("boiler"), {"a", "b", "c"}),
    ],
)
async def test_a_search_is_narrowed_to_what_is_named(query: SearchQuery, expected: set[str]) -> None:
    passages = [
        passage("The boiler is old.", document="a"),
        passage("The boiler is loud.", document="b", group_id="g1"),
        passage("The boiler is red.", document="c"),
    ]
    tags = {"a": frozenset({"heat"}), "b": frozenset({"heat", "new"})}
    shelf = await Shelf(passages, tags=tags).fill()
    found = await shelf.service.find(replace(ANNA, group_ids=frozenset({"g1"})), query)
    assert {one.document_id for one in found} == expected


async def test_no_more_than_asked_for() -> None:
    texts = [f"The boiler number {n} is in flat {n}." for n in range(60)]
    shelf = await Shelf([passage(text, document=f"d{n}") for n, text in enumerate(texts)]).fill()
    assert len(await shelf.service.find(ANNA, SearchQuery("boiler", 3))) == 3
    assert len(await shelf.service.find(ANNA, SearchQuery("boiler", 50))) == 50


async def test_without_vectors_the_words_alone_are_searched() -> None:
    shelf = await Shelf(numbered(TEXTS), embedder=EmbedderAway()).fill()
    found = await shelf.service.find(ANNA, SearchQuery("When is the boiler serviced?"))
    assert [one.text for one in found] == [TEXTS[0]]
    with pytest.raises(EmbeddingAway):
        await shelf.service.find(ANNA, SearchQuery("elephants"))


async def test_a_store_that_is_away_is_said_to_be() -> None:
    shelf = await Shelf(numbered(TEXTS)).fill()
    await shelf.store.close()
    with pytest.raises(VectorStoreAway):
        await shelf.service.find(ANNA, SearchQuery("boiler"))


async def test_a_first_passage_without_the_words_is_marked_where_it_is_nearest() -> None:
    text = "Alpha beta gamma. What is the matter with it then. Delta epsilon."
    shelf = await Shelf([passage(text)]).fill()
    # Small words only: the lexical side is silent, the embedder of the tests counts them.
    found = await shelf.service.find(ANNA, SearchQuery("what is with it then"))
    assert [marked(one) for one in found] == ["What is the matter with it then."]
