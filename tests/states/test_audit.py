"""The auditor's page: events under filters, sums, and whether the trail is whole."""

from dataclasses import replace

import pytest

from tests.house import House
from tests.states.conftest import SignIn
from tests.states.tab import Tab
from youworker_app.access.permissions import RootOnly
from youworker_app.audit.schemas import Broken, TrailReport
from youworker_app.audit.ui.state import AuditState
from youworker_app.audit.ui.views import action_name, verdict
from youworker_app.ui.errors import ToastState


async def ask(house: House, name: str = "chat.asked") -> None:
    async with house.installation.db.write() as unit:
        await house.installation.audit.record(unit, house.root, name, resource_type="run", resource_id="r")


async def opened(house: House, sign_in: SignIn, language: str = "en") -> Tab:
    _, tab = await sign_in("root", path="/audit", language=language)
    await ask(house)
    await tab.do(AuditState.open)
    return tab


async def test_root_sees_events_by_name_and_reading_in_sums(house: House, sign_in: SignIn) -> None:
    tab = await opened(house, sign_in)
    state = await tab.state(AuditState)
    assert state.loaded
    assert [line.what for line in state.items] == ["Signed in", "Signed in", "Person added"]
    assert {line.who for line in state.items} == {"root"}
    assert state.items[-1].about == "about root"
    assert [(line.what, line.count) for line in state.sums] == [("Question asked", 1)]
    assert (state.named, state.more, state.csv) == (False, False, "/v1/audit/export?")


async def test_filters_narrow_the_list_and_the_file(house: House, sign_in: SignIn) -> None:
    tab = await opened(house, sign_in, "it")
    await tab.do(AuditState.narrow, form={"actor": " root ", "action": "user", "until": "2999-01-01"})
    state = await tab.state(AuditState)
    assert [line.what for line in state.items] == ["Persona aggiunta"]
    assert state.csv == "/v1/audit/export?actor=root&action=user&to=2999-01-02T00%3A00%3A00%2B00%3A00"
    await tab.do(AuditState.narrow, form={"since": "2999-01-01"})
    assert (await tab.state(AuditState)).items == []


@pytest.mark.parametrize("form", [{"since": "yesterday"}, {"until": "9999-12-31"}])
async def test_days_that_are_none_are_told(house: House, sign_in: SignIn, form: dict[str, str]) -> None:
    tab = await opened(house, sign_in)
    await tab.do(AuditState.narrow, form=form)
    [toast] = (await tab.state(ToastState)).toasts
    assert toast.text.startswith("This period cannot be used")


async def test_more_is_shown_page_by_page(
    house: House, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("youworker_app.audit.ui.state._PAGE", 2)
    tab = await opened(house, sign_in)
    assert (await tab.state(AuditState)).more
    await tab.do(AuditState.show_more)
    state = await tab.state(AuditState)
    assert (len({line.id for line in state.items}), state.more) == (3, False)
    await tab.do(AuditState.show_more)
    assert len((await tab.state(AuditState)).items) == 3


async def test_the_trail_is_verified_in_words(house: House, sign_in: SignIn) -> None:
    tab = await opened(house, sign_in)
    await tab.do(AuditState.verify)
    state = await tab.state(AuditState)
    assert state.verdict.startswith("Everything is as it was written: 4 events in ")
    assert not state.is_broken


def test_how_far_it_is_and_what_is_broken_are_told_in_words() -> None:
    so_far = TrailReport(True, None, 9, 3, 0, 0, 3, "mac", 12, 0, "3")
    assert verdict(so_far, "it") == "Verifica in corso… blocco 3 di 12"
    broken = replace(so_far, is_intact=False, first_broken=Broken("tail_cut", 9), next_cursor=None)
    assert verdict(broken, "en") == (
        "The trail is not as it was written: blocks at the end are gone. First at block 9, event –."
    )


async def test_nobody_else_sees_anything(house: House, sign_in: SignIn) -> None:
    await house.person("root")
    _, tab = await sign_in("anna")
    for handler in (AuditState.open, AuditState.verify):
        await tab.do(handler)
    await tab.do(AuditState.narrow, form={})
    assert [type(failure) for failure in tab.failures] == [RootOnly] * 3
    assert (await tab.state(AuditState)).items == []


def test_an_action_without_a_name_is_shown_as_it_is_called() -> None:
    assert action_name("thing.done", "it") == "thing.done"
    assert action_name("session.refused", "it") == "Accesso rifiutato"
