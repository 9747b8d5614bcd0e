"""Search over the real database: SQL is the truth, whatever the vector store says."""

import pytest

from tests.house import House
from youworker_app.access.actor import Actor
from youworker_app.access.vectors import visibility_of
from youworker_app.core.registry import service
from youworker_app.documents.schemas import ChangeDocument, Passage
from youworker_app.retrieval.schemas import SearchQuery
from youworker_app.retrieval.service import RetrievalService

NOTE = b"The boiler in the cellar is serviced in March. Its number is K-4711."
NOTA = "La caldaia in cantina viene revisionata a marzo. Il suo numero è K-4711.".encode()


async def search(actor: Actor, query: str, **narrowed: object) -> tuple[Passage, ...]:
    return await service(RetrievalService).search(actor, SearchQuery(query, **narrowed))  # type: ignore[arg-type]


def marked(passage: Passage) -> str:
    return passage.text[passage.mark_start : passage.mark_end]


async def test_what_was_uploaded_is_found_with_its_place_and_its_sentence(house: House) -> None:
    anna = await house.person("anna")
    item = await house.upload(anna, NOTE, "boiler.txt")
    [found] = await search(anna, "When is the boiler serviced?")
    assert (found.document_id, found.filename, found.language) == (item.document_id, "boiler.txt", "en")
    assert (found.can_view, found.can_download) == (True, True)
    assert marked(found) == "The boiler in the cellar is serviced in March."


async def test_the_first_document_of_a_person_is_found_at_once(house: House) -> None:
    anna = await house.person("anna")
    assert await search(anna, "When is the boiler serviced?") == ()
    await house.upload(anna, NOTE, "boiler.txt")
    assert await search(anna, "When is the boiler serviced?")


async def test_each_document_is_found_by_words_of_its_own_language(house: House) -> None:
    anna = await house.person("anna")
    await house.upload(anna, NOTE, "boiler.txt")
    await house.upload(anna, NOTA, "caldaia.txt")
    found = await search(anna, "Quando si fanno le revisioni delle caldaie?")
    assert found[0].filename == "caldaia.txt"
    assert marked(found[0]) == "La caldaia in cantina viene revisionata a marzo."


async def test_members_find_what_is_shared_and_nobody_finds_more(house: House) -> None:
    anna, bruno, carla = [await house.person(name) for name in ("anna", "bruno", "carla")]
    team = await house.team(anna, "Team", "bruno")
    anna, bruno = await house.signed_in("anna"), await house.signed_in("bruno")
    await house.upload(anna, NOTE, "shared.txt", group_id=team)
    await house.upload(anna, NOTE + b" Keep it dry.", "mine.txt", group_id=team, is_private=True)

    async def names(actor: Actor, **narrowed: object) -> set[str]:
        return {passage.filename for passage in await search(actor, "boiler serviced March", **narrowed)}

    assert await names(anna) == {"shared.txt", "mine.txt"}
    assert await names(bruno) == {"shared.txt"}
    assert await names(carla) == set()
    assert await names(anna, group_ids=(team,)) == {"shared.txt"}
    assert await names(carla, group_ids=(team,)) == set()


async def test_what_the_store_still_shows_after_a_change_is_not_shown(house: House) -> None:
    anna, bruno = [await house.person(name) for name in ("anna", "bruno")]
    team = await house.team(anna, "Team", "bruno")
    anna, bruno = await house.signed_in("anna"), await house.signed_in("bruno")
    item = await house.upload(anna, NOTE, group_id=team)
    assert await search(bruno, "boiler serviced March")
    await house.sharing.change_document(anna, item.document_id or "", ChangeDocument(is_private=True))
    # As if the store had not heard of it yet.
    stale = visibility_of(owner_id=anna.user_id, group_id=team, is_private=False)
    await house.installation.gateways.vectors.set_visibility(item.document_id or "", stale)
    assert await search(bruno, "boiler serviced March") == ()
    assert await search(anna, "boiler serviced March")


@pytest.mark.parametrize("odd", ["", "\0", "\ud800", "' OR 1=1 --", "x" * 5_000, "%"])
async def test_odd_names_narrow_to_nothing(house: House, odd: str) -> None:
    anna = await house.person("anna")
    await house.upload(anna, NOTE, tags=("heating",), collection="House")
    for narrowed in ({"tags": (odd,)}, {"collection": odd}, {"document_ids": (odd,)}, {"group_ids": (odd,)}):
        assert await search(anna, "boiler serviced", **narrowed) == ()
    assert await search(anna, "boiler serviced", tags=("heating",), collection="House")
    assert await search(anna, f"boiler serviced {odd[:50]}")


async def test_an_erased_document_is_not_found(house: House) -> None:
    anna = await house.person("anna")
    item = await house.upload(anna, NOTE)
    await house.documents.delete_document(anna, item.document_id or "")
    assert await search(anna, "boiler serviced") == ()
