"""Documents: who sees them, what is shared, what is erased."""

import pytest

from tests.files import pdf_of
from tests.house import House
from youworker_app.access.permissions import OwnerOnly
from youworker_app.core.errors import Malformed, NotFound
from youworker_app.core.paging import PageRequest
from youworker_app.documents.errors import (
    NoPagePicture,
    PrivateInGroup,
    RangeInvalid,
    TagInvalid,
    TitleInvalid,
)
from youworker_app.documents.schemas import ChangeDocument, DocumentFilter
from youworker_app.gateways.parsing.errors import PageNotFound
from youworker_app.retrieval.schemas import SearchQuery

NOTE = b"The boiler in the cellar is serviced in March. Its number is K-4711."
PAGE = PageRequest()


async def bytes_of(house: House, actor: object, file_id: str, **span: int) -> bytes:
    content = await house.documents.open_file(actor, file_id, **span)  # type: ignore[arg-type]
    return b"".join([piece async for piece in content.stream])


async def test_an_upload_becomes_a_ready_document_and_comes_back_to_the_bit(house: House) -> None:
    anna = await house.person("anna")
    item = await house.upload(anna, NOTE, "boiler.txt", tags=("heating", "heating "), collection="House")
    view = await house.documents.get_document(anna, item.document_id or "")
    assert (view.state, view.title, view.tags, view.collection) == ("ready", "boiler", ("heating",), "House")
    assert (view.is_private, view.is_mine, view.owner, view.language) == (True, True, "anna", "en")
    assert await bytes_of(house, anna, view.file_id) == NOTE
    assert await bytes_of(house, anna, view.file_id, start=4, end=10) == NOTE[4:10]
    with pytest.raises(RangeInvalid):
        await bytes_of(house, anna, view.file_id, start=len(NOTE))


async def test_a_group_document_is_seen_by_members_and_a_private_one_by_its_owner_alone(house: House) -> None:
    anna, bruno, carla = [await house.person(name) for name in ("anna", "bruno", "carla")]
    team = await house.team(anna, "Team", "bruno")
    anna, bruno = await house.signed_in("anna"), await house.signed_in("bruno")
    shared = await house.upload(anna, NOTE, "shared.txt", group_id=team)
    private = await house.upload(anna, NOTE, "private.txt")
    in_team_private = await house.upload(anna, NOTE + b"!", "mine.txt", group_id=team, is_private=True)
    for item, readers in ((shared, {"anna", "bruno"}), (private, {"anna"}), (in_team_private, {"anna"})):
        for actor in (anna, bruno, carla):
            page = await house.documents.list_documents(actor, DocumentFilter(), PAGE)
            assert (item.document_id in {view.id for view in page.items}) == (actor.username in readers)
    with pytest.raises(OwnerOnly):
        await house.documents.delete_document(bruno, shared.document_id or "")
    with pytest.raises(NotFound):
        await house.documents.delete_document(carla, shared.document_id or "")


async def test_lists_page_without_gaps_and_filter(house: House) -> None:
    anna = await house.person("anna")
    for number in range(5):
        await house.upload(
            anna, NOTE + b" %d" % number, f"Note {number}.txt", tags=("odd",) if number % 2 else ()
        )
    seen, cursor = [], None
    while True:
        page = await house.documents.list_documents(anna, DocumentFilter(), PageRequest(2, cursor))
        seen += [view.filename for view in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [f"Note {number}.txt" for number in (4, 3, 2, 1, 0)]

    async def names(**wanted: str) -> set[str]:
        page = await house.documents.list_documents(anna, DocumentFilter(**wanted), PAGE)
        return {view.filename for view in page.items}

    assert await names(tag="odd") == {"Note 1.txt", "Note 3.txt"}
    assert await names(q="note 3") == {"Note 3.txt"}
    assert await names(q="100%") == set()
    assert await names(state="failed") == set()
    with pytest.raises(Malformed):
        await house.documents.list_documents(anna, DocumentFilter(), PageRequest(2, "nonsense"))


async def test_moving_between_spaces_copies_under_a_new_key_and_moves_the_sight(house: House) -> None:
    anna, bruno = await house.person("anna"), await house.person("bruno")
    team = await house.team(anna, "Team", "bruno")
    anna, bruno = await house.signed_in("anna"), await house.signed_in("bruno")
    item = await house.upload(anna, NOTE, "boiler.txt")
    before = await house.documents.get_document(anna, item.document_id or "")
    shared = await house.sharing.change_document(
        anna, before.id, ChangeDocument(group_id=team, is_private=False)
    )
    assert shared.file_id != before.file_id
    assert await bytes_of(house, bruno, shared.file_id) == NOTE
    assert "K-4711" in (await house.documents.list_chunks(bruno, before.id, PAGE)).items[0].text
    with pytest.raises(NotFound):
        await house.documents.get_file(anna, before.file_id)
    back = await house.sharing.change_document(anna, before.id, ChangeDocument(is_private=True))
    with pytest.raises(NotFound):
        await house.documents.get_file(bruno, back.file_id)
    blobs = [blob_id async for blob_id in house.installation.gateways.blobs.list_ids()]
    assert blobs == [back.file_id]


async def test_a_move_onto_the_same_content_keeps_one_file(house: House) -> None:
    anna = await house.person("anna")
    team = await house.team(anna, "Team")
    anna = await house.signed_in("anna")
    there = await house.upload(anna, NOTE, "there.txt", group_id=team)
    here = await house.upload(anna, NOTE, "here.txt")
    moved = await house.sharing.change_document(
        anna, here.document_id or "", ChangeDocument(group_id=team, is_private=False)
    )
    original = await house.documents.get_document(anna, there.document_id or "")
    assert moved.file_id == original.file_id
    assert "K-4711" in (await house.documents.list_chunks(anna, moved.id, PAGE)).items[0].text
    await house.documents.delete_document(anna, original.id)
    assert await bytes_of(house, anna, moved.file_id) == NOTE


async def test_deleting_the_last_document_erases_bytes_vectors_and_key(house: House) -> None:
    anna = await house.person("anna")
    item = await house.upload(anna, NOTE)
    await house.documents.delete_document(anna, item.document_id or "")
    gateways = house.installation.gateways
    assert [blob async for blob in gateways.blobs.list_ids()] == []
    assert await gateways.vectors.count_by_document() == {}
    async with house.installation.db.read() as unit:
        assert await house.installation.intake.stored_file_ids(unit) == set()
    with pytest.raises(NotFound):
        await house.documents.get_document(anna, item.document_id or "")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (ChangeDocument(title=" \u200b "), TitleInvalid),
        (ChangeDocument(title="x" * 513), TitleInvalid),
        (ChangeDocument(tags=("",)), TagInvalid),
        (ChangeDocument(tags=tuple(str(number) for number in range(51))), TagInvalid),
        (ChangeDocument(is_private=False), PrivateInGroup),
        (ChangeDocument(group_id="nobody's"), NotFound),
    ],
)
async def test_a_wrong_change_says_so_and_changes_nothing(
    house: House, change: ChangeDocument, error: type[Exception]
) -> None:
    anna = await house.person("anna")
    item = await house.upload(anna, NOTE)
    before = await house.documents.get_document(anna, item.document_id or "")
    with pytest.raises(error):
        await house.sharing.change_document(anna, before.id, change)
    assert await house.documents.get_document(anna, before.id) == before


async def test_title_and_tags_change(house: House) -> None:
    anna = await house.person("anna")
    item = await house.upload(anna, NOTE)
    view = await house.sharing.change_document(
        anna, item.document_id or "", ChangeDocument(title=" The  boiler ", tags=("b", "a"))
    )
    assert (view.title, view.tags) == ("The boiler", ("a", "b"))


async def test_page_pictures_are_of_pages_that_are_there(house: House) -> None:
    anna = await house.person("anna")
    pdf = await house.upload(
        anna, pdf_of(["First page about boilers.", "Second page about pumps."]), "two.pdf"
    )
    view = await house.documents.get_document(anna, pdf.document_id or "")
    assert (view.state, view.pages, view.mime_type) == ("ready", 2, "application/pdf")
    chunk = (await house.documents.list_chunks(anna, view.id, PAGE)).items[1]
    plain = await house.documents.page_picture(anna, view.file_id, 2)
    marked = await house.documents.page_picture(anna, view.file_id, 2, chunk_id=chunk.id)
    assert plain.startswith(b"\x89PNG")
    assert marked != plain
    assert await house.documents.page_picture(anna, view.file_id, 1, chunk_id=chunk.id) == (
        await house.documents.page_picture(anna, view.file_id, 1)
    )
    for page in (0, 3, -1):
        with pytest.raises(PageNotFound):
            await house.documents.page_picture(anna, view.file_id, page)
    note = await house.upload(anna, NOTE)
    text = await house.documents.get_document(anna, note.document_id or "")
    with pytest.raises(NoPagePicture):
        await house.documents.page_picture(anna, text.file_id, 1)


@pytest.mark.parametrize(
    ("member_right", "seen", "downloadable"), [(None, True, True), (2, True, False), (1, False, False)]
)
async def test_an_owner_narrows_what_members_may_do(
    house: House, member_right: int | None, seen: bool, downloadable: bool
) -> None:
    anna, bruno = await house.person("anna"), await house.person("bruno")
    team = await house.team(anna, "Team", "bruno")
    anna, bruno = await house.signed_in("anna"), await house.signed_in("bruno")
    item = await house.upload(anna, pdf_of(["About boilers and K-4711."]), "boiler.pdf", group_id=team)
    await house.narrow(item.document_id or "", member_right)
    page = await house.documents.list_documents(bruno, DocumentFilter(), PAGE)
    assert [view.can_download for view in page.items] == ([downloadable] if seen else [])
    own = await house.documents.get_document(anna, item.document_id or "")
    assert own.can_download
    found = await house.installation.retrieval.search(bruno, SearchQuery("Which number have the boilers?"))
    assert [(passage.can_view, passage.can_download) for passage in found] == [(seen, downloadable)]
    if not seen:
        with pytest.raises(NotFound):
            await house.documents.page_picture(bruno, own.file_id, 1)
    if not downloadable:
        with pytest.raises(NotFound):
            await bytes_of(house, bruno, own.file_id)
