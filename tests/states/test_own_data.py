"""One's own data as a tab holds it: the export as it stands, the question before clearing, and the receipt of who has gone."""

from tests.house import PASSWORD, House
from tests.states.conftest import SignIn
from tests.states.tab import OpenTab
from youworker_app.accounts.own_erasure import OwnErasureService
from youworker_app.accounts.ui.account_state import AccountPageState
from youworker_app.accounts.ui.erased_state import ErasedState, ReceiptItem
from youworker_app.accounts.ui.export_state import ExportItem, ExportState
from youworker_app.chat.schemas import AskQuestion
from youworker_app.chat.ui.history_state import HistoryState
from youworker_app.core.registry import service
from youworker_app.ui.errors import ToastState


async def test_an_export_is_begun_read_and_taken_away(sign_in: SignIn, house: House) -> None:
    _, tab = await sign_in("anna")
    await tab.do(ExportState.refresh)
    assert (await tab.state(ExportState)).export == ExportItem()
    await tab.do(ExportState.begin)
    assert (await tab.state(ExportState)).export.state in {"queued", "running"}
    await house.installation.queue.idle()
    await tab.do(ExportState.refresh)
    export = (await tab.state(ExportState)).export
    assert (export.state, export.percent, export.problem) == ("ready", 100, "")
    assert export.size.endswith("kB")
    assert export.until
    await tab.do(ExportState.discard)
    assert (await tab.state(ExportState)).export == ExportItem()


async def test_why_an_export_failed_is_told_in_the_readers_language(sign_in: SignIn, house: House) -> None:
    _, tab = await sign_in("anna", language="it")
    house.installation.privacy.store._reserve_bytes = 1 << 60
    await tab.do(ExportState.begin)
    await house.installation.queue.idle()
    await tab.do(ExportState.refresh)
    export = (await tab.state(ExportState)).export
    assert export.state == "failed"
    assert "disco" in export.problem


async def test_conversations_are_cleared_after_a_question(sign_in: SignIn, house: House) -> None:
    anna, tab = await sign_in("anna")
    started = await house.chat.ask(anna, AskQuestion("What is there?"))
    await house.chat.wait(anna, started.run_id)
    await tab.do(HistoryState.ask)
    assert (await tab.state(HistoryState)).asks
    await tab.do(HistoryState.keep)
    assert not (await tab.state(HistoryState)).asks
    await tab.do(HistoryState.clear)
    assert [toast.text for toast in (await tab.state(ToastState)).toasts] == ["Conversations deleted: 1."]


async def test_what_was_wrong_with_an_erasure_is_told_in_its_place(sign_in: SignIn) -> None:
    _, tab = await sign_in("anna", path="/account?error=NAME_NOT_CONFIRMED&about=erase")
    await tab.do(AccountPageState.open)
    page = await tab.state(AccountPageState)
    assert page.about == "erase"
    assert page.problem.startswith("This is not your user name")


async def test_the_receipt_is_shown_to_whoever_holds_its_token(tabs: OpenTab, house: House) -> None:
    anna = await house.person("anna")
    erased = await service(OwnErasureService).erase_account(anna, PASSWORD)
    tab = tabs("nobody", path=f"/erased?receipt={erased.token}", language="it")
    await tab.do(ErasedState.open)
    state = await tab.state(ErasedState)
    assert (state.receipt.id, state.receipt.key_count) == (erased.receipt.id, 1)
    assert {(each.table, each.count) for each in state.gone} >= {("Account", 1), ("Accessi", 1)}
    other = tabs("stranger", path="/erased?receipt=nonsense")
    await other.do(ErasedState.open)
    assert (await other.state(ErasedState)).receipt == ReceiptItem()
