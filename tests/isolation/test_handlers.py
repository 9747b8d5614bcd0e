"""The matrix over the browser: every handler through the app's own event processing, guard included, for every person."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from reflex.state import State, UpdateVarsInternalState
from reflex_base.utils.format import format_event_handler

from tests.isolation import public
from tests.isolation.browsing import HANDLERS, failures, send, shown, vars_of
from tests.isolation.company import ACTIVE, TEAMS, Target, found_in, visible_papers
from tests.isolation.conftest import Copies
from tests.isolation.entries import states
from tests.isolation.handler_table import CALLS, CLOSED, ENDLESS, Call
from tests.isolation.rules import Level
from tests.isolation.world import World
from tests.states.tab import OpenTab, Tab, open_tabs
from youworker_app.accounts.ui.state import AccountState
from youworker_app.chat.ui.live import LiveState
from youworker_app.chat.ui.state import ChatState
from youworker_app.core.events import Event, EventBus, user_topic
from youworker_app.core.registry import service
from youworker_app.documents.ui.state import DocumentsState

NOTHING = Target("", {}, dict.fromkeys(ACTIVE, Level.NOTHING))


@pytest.fixture
async def tabs() -> AsyncIterator[OpenTab]:
    """Opens tabs on one server."""
    async with open_tabs() as opened:
        yield opened


@dataclass
class Outcome:
    """What became of an event: the errors, and all that the tab knows afterwards, the target's own ids blotted out."""

    failures: list[str]
    text: str
    blotted: str


async def do(tabs: OpenTab, world: World, name: str, person: str, target: Target) -> Outcome:
    """Runs a handler in a new tab of the person's, after what has to come before it."""
    call = CALLS[name]
    tab = tabs(
        f"tab-{len(TABS)}", cookie=world.facts.passes[person].cookie, path=call.address.format_map(target.ids)
    )
    TABS.append(tab)
    payload = {**call.payload, call.argument: next(iter(target.ids.values()), "")}
    for each in (*call.before, name):
        await send(tab, each, payload)
    text = await shown(tab)
    blotted = text
    for value in target.ids.values():
        blotted = blotted.replace(value, "…")
    return Outcome(failures(tab), text, blotted)


TABS: list[Tab] = []


def is_right(call: Call, has: Level, outcome: Outcome, unknown: Outcome) -> bool:
    """Whether this is what somebody of this level gets."""
    if has >= call.needs:
        return set(outcome.failures) <= call.done
    if has >= call.sees:
        return outcome.failures == ["OwnerOnly"]
    expected = set() if call.is_quiet else {"NotFound"}
    same = (outcome.failures, outcome.blotted) == (unknown.failures, unknown.blotted)
    return same and set(outcome.failures) == expected


@pytest.mark.parametrize("name", [each for each in CALLS if each not in ENDLESS])
async def test_what_everybody_gets(world: World, copies: Copies, tabs: OpenTab, name: str) -> None:
    call = CALLS[name]
    targets = world.facts.targets(call.kind) if call.kind else [NOTHING]
    wrong = []
    for person in ACTIVE:
        unknown = await do(tabs, world, name, person, targets[0].unknown())
        for target in targets:
            if call.ends and target.levels[person] >= call.needs:
                async with copies() as fresh:
                    outcome = await do(tabs, fresh, name, person, target)
            else:
                outcome = await do(tabs, world, name, person, target)
            told = found_in(outcome.text, secrets_of(world, name, person, target))
            if told or not is_right(call, target.levels[person], outcome, unknown):
                wrong.append((person, target.name, outcome.failures, unknown.failures, told))
    assert not wrong


def secrets_of(world: World, name: str, person: str, target: Target) -> dict[str, str]:
    """What the person must not find in the tab: all secrets but what they sent themselves, or may remember."""
    known = {*target.ids.values()}
    if name.startswith("chat."):
        known |= set(world.facts.remembered(person))
    return {value: what for value, what in world.facts.secrets(person).items() if value not in known}


GUARDED = [each for each in HANDLERS if each not in public.HANDLERS and not each.endswith(f".{CLOSED}")]


@pytest.mark.parametrize("who", ["nobody", "suspended"])
async def test_nobody_gets_anything(world: World, tabs: OpenTab, who: str) -> None:
    cookie = "" if who == "nobody" else world.facts.passes[who].cookie
    wrong = []
    for name in GUARDED:
        tab = tabs(f"{who} {name}", cookie=cookie)
        await send(tab, "ui.errors.ToastState.show_error", {"code": "NOT_FOUND"})
        before = await shown(tab)
        tab.sent.clear()
        async with asyncio.timeout(10):
            await send(tab, name, CALLS[name].payload if name in CALLS else {})
        leads = tab.redirects()
        tab.sent.clear()
        if (
            failures(tab) != ["Unauthenticated"]
            or leads != ["/login"]
            or before.partition("\n")[2:] != (await shown(tab)).partition("\n")[2:]
        ):
            wrong.append((name, failures(tab), leads))
    assert not wrong


async def test_vars_cannot_be_set_by_name(world: World, tabs: OpenTab) -> None:
    """Neither by the handler that each state has for it nor by the one for what a browser keeps."""
    wrong = []
    by_browser = UpdateVarsInternalState.event_handlers["update_vars_internal"]
    for number, state in enumerate(states()):
        tab = tabs(f"forger {number}", cookie=world.facts.passes["stranger"].cookie)
        await send(tab, "accounts.ui.state.AccountState.open", {})
        for var in set(vars_of(state)) - {"is_hydrated"}:  # a flag of the tab that its own handler sets
            forged = {"var_name": var, "value": "forged"}
            await tab.send(format_event_handler(state.event_handlers[CLOSED]), forged)
            kept = {"vars": {f"{state.get_full_name()}.{var}": "forged"}}
            await tab.send(format_event_handler(by_browser), kept)
        tab.sent.clear()
        after = await shown(tab)
        if "forged" in after:
            wrong.append([line for line in after.splitlines() if "forged" in line])
    assert not wrong


async def test_a_tab_shows_exactly_what_the_rights_say(world: World, tabs: OpenTab) -> None:
    names = {ids.document_id: name for name, ids in world.facts.papers.items()}
    for person in ACTIVE:
        tab = tabs(f"looking {person}", cookie=world.facts.passes[person].cookie)
        for handler in (AccountState.open, DocumentsState.refresh):
            await tab.do(handler)
        documents, account = await tab.state(DocumentsState), await tab.state(AccountState)
        assert {names[item.id] for item in documents.items} == visible_papers(person, Level.VIEW)
        assert {group.name for group in account.groups} == {
            f"{t}-team" for t in TEAMS if person in TEAMS[t].roles
        }


@pytest.mark.parametrize("thief", ["", "stranger", "root"])
async def test_a_tabs_name_is_worth_nothing_without_its_cookie(
    world: World, tabs: OpenTab, thief: str
) -> None:
    """Whoever knows the name of somebody's open tab finds it empty, whichever handler they call first."""
    victim, chat = world.facts.passes["owner"], world.facts.chats["owner"]
    cookie = world.facts.passes[thief].cookie if thief else ""
    mine = _owners_secrets(world)
    wrong = []
    for name in (*GUARDED, "reflex.state.State.hydrate", "reflex.state.State.hydrate_and_load"):
        if name in ENDLESS:
            continue
        tab = tabs(f"{thief} at {name}", cookie=victim.cookie, path=f"/c/{chat.session_id}")
        for handler in (AccountState.open, ChatState.open, DocumentsState.refresh):
            await tab.do(handler)
        assert found_in(await shown(tab), mine)
        other = tabs(tab.token, cookie=cookie, path="/404")  # a page on which nothing is loaded
        tab.sent.clear()
        await send(other, name, {})
        other.sent[:] = [event for event in other.sent if event.name != "_redirect"]
        if told := found_in(await shown(other), mine):
            wrong.append((name, told))
    assert not wrong


def _owners_secrets(world: World) -> dict[str, str]:
    """What the owner's page shows and neither the stranger nor root may see."""
    one, other = world.facts.secrets("stranger"), world.facts.secrets("root")
    return {value: what for value, what in one.items() if value in other}


async def test_a_page_follows_its_own_persons_events_only(world: World, tabs: OpenTab) -> None:
    tab = tabs("following", cookie=world.facts.passes["stranger"].cookie)
    watch = await tab.start(LiveState.watch)
    for person in ACTIVE:
        if person != "stranger":
            topic = user_topic(world.facts.passes[person].user_id)
            service(EventBus).publish(topic, Event("documents_changed", "x"))
    await asyncio.sleep(0.5)
    assert not (await tab.state(DocumentsState)).loaded
    service(EventBus).publish(
        user_topic(world.facts.passes["stranger"].user_id), Event("documents_changed", "x")
    )
    async with asyncio.timeout(5):
        while not (await tab.state(DocumentsState)).loaded:
            await asyncio.sleep(0.05)
    watch.cancel()


def test_every_row_names_a_handler() -> None:
    assert set(CALLS) <= set(HANDLERS)
    assert {each for call in CALLS.values() for each in call.before} <= set(CALLS)
    assert set(CALLS) >= ENDLESS
    assert State in states()
