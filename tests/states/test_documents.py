"""The documents' list, the viewer, and how a page learns of changes."""

import asyncio

from tests.house import House
from tests.states.conftest import SignIn
from youworker_app.chat.ui.live import LiveState
from youworker_app.core.errors import NotFound
from youworker_app.documents.ui.state import DocumentsState
from youworker_app.documents.ui.viewer_state import ViewerState
from youworker_app.ingestion.ui.state import WorkState
from youworker_app.ui.errors import ToastState


async def test_the_list_shows_what_one_may_see(house: House, sign_in: SignIn) -> None:
    anna, tab = await sign_in("anna")
    _, strangers = await sign_in("bruno")
    await house.upload(anna, b"The canteen opens at noon.", "canteen.txt")
    await tab.do(DocumentsState.refresh)
    await strangers.do(DocumentsState.refresh)
    [item] = (await tab.state(DocumentsState)).items
    assert (item.name, item.state, item.private, item.mine) == ("canteen.txt", "ready", True, True)
    assert item.facts == "26 B"
    assert (await strangers.state(DocumentsState)).items == []


async def test_a_file_that_could_not_be_read_says_why_in_the_language(house: House, sign_in: SignIn) -> None:
    anna, tab = await sign_in("anna", language="it")
    await house.upload(anna, b"%PDF-1.7\nbroken", "broken.pdf")
    await tab.do(DocumentsState.refresh)
    [item] = (await tab.state(DocumentsState)).items
    assert (item.state, item.stage) == ("failed", "Lettura non riuscita")
    assert item.problem.startswith("Questo PDF è danneggiato")
    await tab.do(WorkState.retry, job_id=item.job_id)
    await house.installation.queue.idle()


async def test_the_filter_narrows(house: House, sign_in: SignIn) -> None:
    anna, tab = await sign_in("anna")
    await house.upload(anna, b"One text.", "one.txt")
    await house.upload(anna, b"Two texts.", "two.txt")
    await tab.do(DocumentsState.search, query="two")
    assert [item.name for item in (await tab.state(DocumentsState)).items] == ["two.txt"]


async def test_deleting_asks_first_and_says_so_afterwards(house: House, sign_in: SignIn) -> None:
    anna, tab = await sign_in("anna")
    stored = await house.upload(anna, b"One text.", "one.txt")
    await tab.do(DocumentsState.doom, document_id=stored.document_id)
    assert (await tab.state(DocumentsState)).doomed.name == "one.txt"
    await tab.do(DocumentsState.delete)
    assert (await tab.state(DocumentsState)).items == []
    assert [toast.text for toast in (await tab.state(ToastState)).toasts] == ["“one.txt” was deleted."]


async def test_a_foreign_document_neither_opens_nor_dies_nor_is_read_again(
    house: House, sign_in: SignIn
) -> None:
    anna, _ = await sign_in("anna")
    _, tab = await sign_in("bruno")
    stored = await house.upload(anna, b"One text.", "one.txt")
    await tab.do(ViewerState.open, document_id=stored.document_id)
    await tab.do(DocumentsState.doom, document_id=stored.document_id)
    await tab.do(DocumentsState.attach, document_id=stored.document_id, duplicate_of=stored.document_id)
    await tab.do(WorkState.retry, job_id=stored.job_id)
    await tab.do(WorkState.stop, job_id=stored.job_id)
    assert [type(failure) for failure in tab.failures] == [NotFound] * 4
    state = await tab.state(DocumentsState)
    assert (state.attached, state.doomed.id) == ([], "")
    assert not (await tab.state(ViewerState)).shown


async def test_the_viewer_shows_the_text_that_was_read(house: House, sign_in: SignIn) -> None:
    anna, tab = await sign_in("anna")
    stored = await house.upload(anna, b"The canteen opens at noon.", "canteen.txt")
    await tab.do(ViewerState.open, document_id=stored.document_id)
    state = await tab.state(ViewerState)
    assert (state.shown, state.texts) == (True, ["The canteen opens at noon."])
    await tab.do(ViewerState.close)
    assert (await tab.state(ViewerState)).texts == []


async def test_the_page_learns_of_changes_until_the_tab_closes(house: House, sign_in: SignIn) -> None:
    anna, tab = await sign_in("anna")
    watching = await tab.start(LiveState.watch)
    await house.upload(anna, b"One text.", "one.txt")
    await asyncio.sleep(0.6)
    assert [item.name for item in (await tab.state(DocumentsState)).items] == ["one.txt"]
    watching.cancel()
    await asyncio.sleep(0.05)
    await house.upload(anna, b"Two texts.", "two.txt")
    await asyncio.sleep(0.6)
    assert [item.name for item in (await tab.state(DocumentsState)).items] == ["one.txt"]
    assert not house.installation.bus._queues
