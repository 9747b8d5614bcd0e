"""Conversations, asking and sources, as the states hold them."""

import asyncio

import pytest
from sqlalchemy import update
from sqlmodel import col

from tests.house import House
from tests.states.conftest import SignIn
from tests.states.tab import OpenTab, Tab
from youworker_app.access.actor import Actor
from youworker_app.access.visible import SystemReason, system_scope
from youworker_app.chat.schemas import AskQuestion
from youworker_app.chat.ui.live import LiveState
from youworker_app.chat.ui.panel_state import PanelState
from youworker_app.chat.ui.sidebar_state import SidebarState
from youworker_app.chat.ui.state import ChatState, ModelState
from youworker_app.chat.ui.views import cut_mark
from youworker_app.core.errors import NotFound
from youworker_app.core.events import Event
from youworker_app.core.paging import PageRequest
from youworker_app.documents.schemas import DocumentFilter
from youworker_app.documents.ui.state import DocumentsState
from youworker_app.models.chat import Message
from youworker_app.ui.errors import ToastState

TEXT = b"The archive opens at nine in the morning.\n\nThe period of notice is three months for everyone."
QUESTION = "How long is the period of notice?"


async def asked(house: House, tab: Tab, question: str = QUESTION) -> ChatState:
    """The chat after a question was asked and answered."""
    await tab.do(ChatState.ask, question=question)
    return await asked_for(house, tab)


async def asked_for(house: House, tab: Tab) -> ChatState:
    """The chat after the answer that is being written has ended."""
    run = (await tab.state(ChatState)).running
    assert run
    await house.installation.runs.find(run).task  # type: ignore[union-attr, misc]
    await tab.do(ChatState.refresh)
    return await tab.state(ChatState)


@pytest.fixture
async def anna(house: House, sign_in: SignIn) -> tuple[Actor, Tab]:
    """Anna, who has a document."""
    actor, tab = await sign_in("anna")
    await house.upload(actor, TEXT, "rules.txt")
    return actor, tab


async def test_a_question_is_answered_with_its_source(house: House, anna: tuple[Actor, Tab]) -> None:
    _, tab = anna
    state = await asked(house, tab)
    question, answer = [*state.earlier, *state.recent]
    assert (question.mine, question.content) == (True, QUESTION)
    assert not answer.mine
    assert not answer.live
    assert "three months" in answer.content
    assert answer.citations[0].filename == "rules.txt"
    assert state.running == ""
    assert tab.redirects() == []  # the page moves to the address by itself and loads nothing


async def test_while_it_is_written_only_the_run_is_in_the_state(anna: tuple[Actor, Tab]) -> None:
    _, tab = anna
    await tab.do(ChatState.ask, question=QUESTION)
    state = await tab.state(ChatState)
    answer = state.recent[-1]
    assert (answer.live, answer.content, answer.run_id) == (True, "", state.running)


async def test_what_was_asked_is_shown_as_it_is_kept(
    house: House, anna: tuple[Actor, Tab], tabs: OpenTab
) -> None:
    """The page shows a question without reading it again: reading it must not make it look different."""
    _, tab = anna
    asked_twice = f"  {QUESTION}\n\nIn days, please.  "
    for _ in range(2):
        await tab.do(ChatState.ask, question=asked_twice)
        shown = await tab.state(ChatState)
        second = tabs(f"reading {len(shown.recent)}", cookie=tab.cookie, path=f"/c/{shown.session}")
        await second.do(ChatState.open)
        read = await second.state(ChatState)
        kept = [*read.earlier, *read.recent]
        assert [item for item in shown.recent if item.mine] == [item for item in kept if item.mine]
        assert (shown.heading, shown.recent[-1].id) == (read.heading, kept[-1].id)
        await asked_for(house, tab)


async def test_an_answer_is_news_to_the_tab_that_does_not_know_of_it(
    house: House, anna: tuple[Actor, Tab], tabs: OpenTab
) -> None:
    _, tab = anna
    state = await asked(house, tab)
    second = tabs("second", cookie=tab.cookie, path=f"/c/{state.session}")
    await second.do(ChatState.open)
    elsewhere = tabs("elsewhere", cookie=tab.cookie)
    await elsewhere.do(ChatState.open)
    await tab.do(ChatState.ask, question="And in the first year?")
    began, ended = (Event(name, state.running) for name in ("run_started", "run_finished"))
    news = {
        each.token: [(await each.state(ChatState))._concerns(event) for event in (began, ended)]
        for each in (tab, second, elsewhere)
    }
    assert news == {tab.token: [False, True], "second": [True, False], "elsewhere": [False, False]}
    await asked_for(house, tab)
    assert not (await tab.state(ChatState))._concerns(ended)


async def test_a_tab_follows_a_question_that_was_asked_elsewhere(
    house: House, anna: tuple[Actor, Tab]
) -> None:
    actor, tab = anna
    session = (await asked(house, tab)).session
    watching = await tab.start(LiveState.watch)
    started = await house.chat.ask(actor, AskQuestion("And in the first year?", session))
    await house.chat.wait(actor, started.run_id)
    async with asyncio.timeout(10):
        while started.question_id not in {item.id for item in (await tab.state(ChatState)).recent}:
            await asyncio.sleep(0.05)
    watching.cancel()


async def test_a_second_tab_finds_the_same_conversation(
    house: House, anna: tuple[Actor, Tab], tabs: OpenTab
) -> None:
    _, tab = anna
    session = (await asked(house, tab)).session
    second = tabs("second", cookie=tab.cookie, path=f"/c/{session}")
    await second.do(ChatState.open)
    state = await second.state(ChatState)
    assert (state.session, state.heading) == (session, QUESTION)
    assert [item.mine for item in [*state.earlier, *state.recent]] == [True, False]


async def test_a_foreign_conversation_does_not_open(
    house: House, anna: tuple[Actor, Tab], sign_in: SignIn
) -> None:
    _, tab = anna
    session = (await asked(house, tab)).session
    _, stranger = await sign_in("bruno", path=f"/c/{session}")
    await stranger.do(ChatState.open)
    state = await stranger.state(ChatState)
    assert (state.session, state.earlier, state.recent) == ("", [], [])
    assert stranger.redirects() == ["/"]


@pytest.mark.parametrize("question", ["", "   ", "x" * 16_001])
async def test_a_refused_question_comes_back(anna: tuple[Actor, Tab], question: str) -> None:
    _, tab = anna
    await tab.do(ChatState.ask, question=question)
    state = await tab.state(ChatState)
    assert (state.draft.n, state.draft.text) == (1, question)
    assert [toast.kind for toast in (await tab.state(ToastState)).toasts] == ["error"]


async def test_an_answer_that_broke_off_is_asked_for_again_and_stays(
    house: House, anna: tuple[Actor, Tab]
) -> None:
    _, tab = anna
    whole = (await asked(house, tab)).recent[-1]
    house.forget(whole.run_id)
    as_killed = update(Message).where(col(Message.id) == whole.id).values(state="running")
    async with house.installation.db.write() as unit:
        await unit.session.execute(system_scope(as_killed, SystemReason.RECOVERY))
    await house.chat.recover()
    await tab.do(ChatState.refresh)
    broken = (await tab.state(ChatState)).recent[-1]
    assert broken.broke_off
    assert broken.note
    await tab.do(ChatState.ask_again, message_id=broken.id)
    again = await asked_for(house, tab)
    items = [*again.earlier, *again.recent]
    assert [item.content for item in items if item.mine] == [QUESTION, QUESTION]
    assert (items[1].id, items[1].content) == (broken.id, whole.content)
    assert "three months" in items[-1].content
    assert not items[-1].broke_off


async def test_a_whole_answer_is_not_asked_for_again(house: House, anna: tuple[Actor, Tab]) -> None:
    _, tab = anna
    state = await asked(house, tab)
    await tab.do(ChatState.ask_again, message_id=[*state.earlier, *state.recent][-1].id)
    state = await tab.state(ChatState)
    assert len([*state.earlier, *state.recent]) == 2


async def test_a_source_opens_with_its_mark(house: House, anna: tuple[Actor, Tab]) -> None:
    _, tab = anna
    answer = [*(await asked(house, tab)).earlier, *(await tab.state(ChatState)).recent][-1]
    await tab.do(PanelState.open, message_id=answer.id, n=1)
    panel = await tab.state(PanelState)
    assert panel.shown
    assert panel.source.available
    assert "three months" in panel.source.marked
    assert panel.source.page == 0
    await tab.do(PanelState.close)
    assert not (await tab.state(PanelState)).shown


async def test_a_source_that_is_gone_says_so(house: House, anna: tuple[Actor, Tab]) -> None:
    actor, tab = anna
    answer = [*(await asked(house, tab)).earlier, *(await tab.state(ChatState)).recent][-1]
    documents = await house.documents.list_documents(actor, DocumentFilter(), PageRequest())
    await house.documents.delete_document(actor, documents.items[0].id)
    await tab.do(PanelState.open, message_id=answer.id, n=1)
    source = (await tab.state(PanelState)).source
    assert (source.available, source.filename, source.before) == (False, "", "")


async def test_a_foreign_answer_opens_no_source(
    house: House, anna: tuple[Actor, Tab], sign_in: SignIn
) -> None:
    _, tab = anna
    answer = [*(await asked(house, tab)).earlier, *(await tab.state(ChatState)).recent][-1]
    _, stranger = await sign_in("bruno")
    await stranger.do(PanelState.open, message_id=answer.id, n=1)
    assert isinstance(stranger.failures[0], NotFound)
    assert not (await stranger.state(PanelState)).shown


async def test_the_sidebar_lists_finds_renames_and_deletes(house: House, anna: tuple[Actor, Tab]) -> None:
    _, tab = anna
    session = (await asked(house, tab)).session
    await tab.do(SidebarState.refresh)
    await tab.do(SidebarState.choose, session_id=session, action="rename")
    await tab.do(SidebarState.rename, form={"title": "  Notice  "})
    assert [item.title for item in (await tab.state(SidebarState)).sessions] == ["Notice"]
    await tab.do(SidebarState.search, query="archive")
    assert (await tab.state(SidebarState)).sessions == []
    await tab.do(SidebarState.search, query="notice")
    await tab.do(SidebarState.choose, session_id=session, action="delete")
    assert (await tab.state(SidebarState)).doomed.id == session
    await tab.do(SidebarState.delete)
    state = await tab.state(SidebarState)
    assert (state.sessions, state.doomed.id) == ([], "")
    assert tab.redirects()[-1] == "/"


async def test_a_conversation_is_deleted_only_when_confirmed(house: House, anna: tuple[Actor, Tab]) -> None:
    _, tab = anna
    session = (await asked(house, tab)).session
    await tab.do(SidebarState.refresh)
    await tab.do(SidebarState.choose, session_id=session, action="delete")
    await tab.do(SidebarState.keep)
    await tab.do(SidebarState.delete)
    await tab.do(SidebarState.refresh)
    assert [item.id for item in (await tab.state(SidebarState)).sessions] == [session]


async def test_without_a_model_the_page_says_so(anna: tuple[Actor, Tab]) -> None:
    _, tab = anna
    await tab.do(ModelState.refresh)
    await tab.do(ModelState.choose, model="made-up")
    state = await tab.state(ModelState)
    assert (state.passages, state.models, state.chosen) == (True, [], "")


async def test_files_added_in_the_chat_go_when_another_conversation_opens(
    house: House, anna: tuple[Actor, Tab]
) -> None:
    actor, tab = anna
    item = await house.upload(actor, b"Another text about the canteen.", "canteen.txt")
    await tab.do(DocumentsState.attach, document_id=item.document_id, duplicate_of="")
    assert [each.name for each in (await tab.state(DocumentsState)).attached] == ["canteen.txt"]
    await tab.do(DocumentsState.settle, all_of_them=False)
    assert (await tab.state(DocumentsState)).attached == []


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (2, 5, ("ab", "cde", "f")),
        (None, None, ("abcdef", "", "")),
        (4, 2, ("abcdef", "", "")),
        (0, 99, ("abcdef", "", "")),
    ],
)
def test_a_mark_outside_of_the_text_marks_nothing(
    start: int | None, end: int | None, expected: tuple[str, str, str]
) -> None:
    assert cut_mark("abcdef", start, end) == expected
