"""What each handler of a page costs whoever calls it, by the names that the isolation tables use.

A test fails on a handler without a row. Free is what only touches the tab itself: typing, opening and closing, hydration.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from reflex.state import BaseState, State
from reflex_base.utils.format import format_event_handler

from youworker_app.core.rates import Cost

_PACKAGE: Final = "youworker_app."

COSTS: Final[Mapping[str, Cost]] = {
    "reflex.state.State.hydrate": Cost.FREE,
    "reflex.state.State.hydrate_and_load": Cost.FREE,
    "reflex.state.State.set_is_hydrated": Cost.FREE,
    "reflex.state.OnLoadInternalState.on_load_internal": Cost.FREE,
    "reflex.state.OnLoadInternalState.set_is_hydrated": Cost.FREE,
    "reflex.state.UpdateVarsInternalState.update_vars_internal": Cost.FREE,
    "reflex.state.FrontendEventExceptionState.handle_frontend_exception": Cost.FREE,
    "ui.errors.ToastState.show": Cost.FREE,
    "ui.errors.ToastState.show_error": Cost.FREE,
    "ui.errors.ToastState.show_failure": Cost.FREE,
    "ui.errors.ToastState.close": Cost.FREE,
    "accounts.ui.state.EntranceState.open_login": Cost.READ,
    "accounts.ui.state.EntranceState.open_setup": Cost.READ,
    "accounts.ui.state.EntranceState.open_reset": Cost.READ,
    "accounts.ui.erased_state.ErasedState.open": Cost.READ,
    "accounts.ui.export_state.ExportState.refresh": Cost.READ,
    "accounts.ui.export_state.ExportState.begin": Cost.WRITE,
    "accounts.ui.export_state.ExportState.discard": Cost.WRITE,
    "accounts.ui.account_state.AccountPageState.open": Cost.READ,
    "accounts.ui.account_state.DevicesState.refresh": Cost.READ,
    "accounts.ui.account_state.DevicesState.sign_out": Cost.KEYS,
    "accounts.ui.account_state.DevicesState.ask_others": Cost.FREE,
    "accounts.ui.account_state.DevicesState.keep_others": Cost.FREE,
    "accounts.ui.account_state.DevicesState.sign_out_others": Cost.KEYS,
    "accounts.ui.keys_state.KeysState.refresh": Cost.READ,
    "accounts.ui.keys_state.KeysState.create": Cost.KEYS,
    "accounts.ui.keys_state.KeysState.forget_secret": Cost.FREE,
    "accounts.ui.keys_state.KeysState.doom": Cost.FREE,
    "accounts.ui.keys_state.KeysState.turn": Cost.FREE,
    "accounts.ui.keys_state.KeysState.keep": Cost.FREE,
    "accounts.ui.keys_state.KeysState.rotate": Cost.KEYS,
    "accounts.ui.keys_state.KeysState.delete": Cost.KEYS,
    "accounts.ui.users_state.UsersState.refresh": Cost.READ,
    "accounts.ui.users_state.UsersState.search": Cost.READ,
    "accounts.ui.users_state.UsersState.show_more": Cost.READ,
    "accounts.ui.users_state.UsersState.create": Cost.WRITE,
    "accounts.ui.users_state.UsersState.choose": Cost.WRITE,
    "accounts.ui.users_state.UsersState.forget_link": Cost.FREE,
    "accounts.ui.users_state.UsersState.keep": Cost.FREE,
    "accounts.ui.users_state.UsersState.remove": Cost.WRITE,
    "accounts.ui.state.AccountState.open": Cost.READ,
    "accounts.ui.state.AccountState.choose": Cost.WRITE,
    "audit.ui.state.AuditState.open": Cost.READ,
    "audit.ui.state.AuditState.narrow": Cost.READ,
    "audit.ui.state.AuditState.show_more": Cost.READ,
    "audit.ui.state.AuditState.verify": Cost.WRITE,
    # --- chat
    "chat.ui.history_state.HistoryState.ask": Cost.FREE,
    "chat.ui.history_state.HistoryState.keep": Cost.FREE,
    "chat.ui.history_state.HistoryState.clear": Cost.WRITE,
    "chat.ui.state.ChatState.open": Cost.READ,
    "chat.ui.state.ChatState.refresh": Cost.READ,
    "chat.ui.state.ChatState.show_older": Cost.READ,
    "chat.ui.state.ChatState.ask": Cost.CHAT,
    "chat.ui.state.ChatState.ask_again": Cost.CHAT,
    "chat.ui.state.ChatState.stop": Cost.FREE,
    "chat.ui.state.ChatState.leave": Cost.FREE,
    "chat.ui.state.ChatState.suggest": Cost.FREE,
    "chat.ui.state.ModelState.refresh": Cost.READ,
    "chat.ui.state.ModelState.choose": Cost.FREE,
    "chat.ui.state.ModelState.explain": Cost.FREE,
    "chat.ui.sidebar_state.SidebarState.refresh": Cost.READ,
    "chat.ui.sidebar_state.SidebarState.search": Cost.READ,
    "chat.ui.sidebar_state.SidebarState.show_more": Cost.READ,
    "chat.ui.sidebar_state.SidebarState.choose": Cost.FREE,
    "chat.ui.sidebar_state.SidebarState.rename": Cost.WRITE,
    "chat.ui.sidebar_state.SidebarState.delete": Cost.WRITE,
    "chat.ui.sidebar_state.SidebarState.keep_title": Cost.FREE,
    "chat.ui.sidebar_state.SidebarState.keep": Cost.FREE,
    "chat.ui.panel_state.PanelState.open": Cost.READ,
    "chat.ui.panel_state.PanelState.close": Cost.FREE,
    "chat.ui.live.LiveState.watch": Cost.READ,
    # --- documents
    "documents.ui.state.DocumentsState.refresh": Cost.READ,
    "documents.ui.state.DocumentsState.search": Cost.READ,
    "documents.ui.state.DocumentsState.show_more": Cost.READ,
    "documents.ui.state.DocumentsState.choose_group": Cost.READ,
    "documents.ui.state.DocumentsState.stored": Cost.READ,
    "documents.ui.state.DocumentsState.attach": Cost.READ,
    "documents.ui.state.DocumentsState.detach": Cost.FREE,
    "documents.ui.state.DocumentsState.settle": Cost.FREE,
    "documents.ui.state.DocumentsState.doom": Cost.FREE,
    "documents.ui.state.DocumentsState.keep": Cost.FREE,
    "documents.ui.state.DocumentsState.delete": Cost.WRITE,
    "documents.ui.viewer_state.ViewerState.open": Cost.READ,
    "documents.ui.viewer_state.ViewerState.read_on": Cost.READ,
    "documents.ui.viewer_state.ViewerState.close": Cost.FREE,
    "ingestion.ui.state.WorkState.retry": Cost.UPLOAD,
    "ingestion.ui.state.WorkState.stop": Cost.WRITE,
}


def cost_of(event: str) -> Cost:
    """What an event costs, by the name that a page sends. What has no row costs as a change does."""
    return COSTS.get(name_of(event), Cost.WRITE)


def name_of(event: str) -> str:
    """An event as COSTS calls it, by the name that a page sends; empty for one that is not there."""
    return _names().get(event, "")


@cache
def _names() -> Mapping[str, str]:
    """By the names that pages send; every state is there when the first event comes."""
    return {
        format_event_handler(handler): name
        for state in _states(State)
        for short, handler in state.event_handlers.items()
        if (name := f"{state.__module__.removeprefix(_PACKAGE)}.{state.__name__}.{short}") in COSTS
    }


def _states(root: type[BaseState]) -> Iterator[type[BaseState]]:
    yield root
    for each in root.get_substates():
        yield from _states(each)
