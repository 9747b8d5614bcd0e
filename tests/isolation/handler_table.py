"""The browser's half of the matrix: for every handler, what its arguments name and from which level it does something.

Names are as entries.py writes them. What a handler asks of the services is the same for all pages, so that a handler
without an id is held to showing nothing of others, and to asking who is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.isolation.rules import Level

VIEW, OWN = Level.VIEW, Level.OWN


@dataclass(frozen=True)
class Call:
    """`kind` names what the argument (or the page's address) points at; `is_quiet`: what is not there is passed over.

    `done`: the errors that mean that the thing was found, where the company's things are past it.
    """

    kind: str = ""
    argument: str = ""
    needs: Level = Level.NOTHING
    sees: Level = Level.OWN
    payload: Mapping[str, Any] = field(default_factory=dict)
    address: str = "/"
    is_quiet: bool = False
    before: tuple[str, ...] = ()  # handlers that open the thing first, with the same argument
    done: frozenset[str] = frozenset()
    ends: bool = False  # nothing is as before afterwards


_CHAT: Final = "chat.ui.state.ChatState"
_MODEL: Final = "chat.ui.state.ModelState"
_CHOSEN: Final = ("chat.ui.sidebar_state.SidebarState.refresh", "chat.ui.sidebar_state.SidebarState.choose")
_SIDE: Final = "chat.ui.sidebar_state.SidebarState"
_RENAMING: Final = {"action": "rename", "form": {"title": "renamed"}}
_PANEL: Final = "chat.ui.panel_state.PanelState"
_LIST: Final = "documents.ui.state.DocumentsState"
_VIEWER: Final = "documents.ui.viewer_state.ViewerState"
_WORK: Final = "ingestion.ui.state.WorkState"
_ACCOUNT: Final = "accounts.ui.state.AccountState"
_PAGE: Final = "accounts.ui.account_state.AccountPageState"
_DEVICES: Final = "accounts.ui.account_state.DevicesState"
_KEYS: Final = "accounts.ui.keys_state.KeysState"
_USERS: Final = "accounts.ui.users_state.UsersState"
_FOR_ROOT: Final = frozenset({"RootOnly"})
_TOAST: Final = "ui.errors.ToastState"

_AUDIT: Final = "audit.ui.state.AuditState"

CALLS: Final[Mapping[str, Call]] = {
    f"{_ACCOUNT}.open": Call(),
    f"{_ACCOUNT}.choose": Call(payload={"choice": "theme:dark"}),
    f"{_TOAST}.show": Call(payload={"key": "documents.deleted", "details": {"name": "x"}}),
    f"{_TOAST}.close": Call(payload={"toast_id": 1}),
    # --- the account, people
    f"{_PAGE}.open": Call(),
    f"{_DEVICES}.refresh": Call(),
    f"{_DEVICES}.sign_out": Call("login", "login_id", OWN, ends=True, done=frozenset({"Unauthenticated"})),
    f"{_DEVICES}.ask_others": Call(),
    f"{_DEVICES}.keep_others": Call(),
    f"{_DEVICES}.sign_out_others": Call(),
    f"{_KEYS}.refresh": Call(),
    f"{_KEYS}.create": Call(payload={"form": {"key_name": "new", "days": "1", "chat:read": "on"}}),
    f"{_KEYS}.forget_secret": Call(),
    f"{_KEYS}.doom": Call("key", "key_id", OWN, is_quiet=True, before=(f"{_KEYS}.refresh",)),
    f"{_KEYS}.turn": Call("key", "key_id", OWN, is_quiet=True, before=(f"{_KEYS}.refresh",)),
    f"{_KEYS}.keep": Call(),
    f"{_KEYS}.rotate": Call(
        "key", "key_id", OWN, payload={"form": {}}, before=(f"{_KEYS}.refresh", f"{_KEYS}.turn"), ends=True
    ),
    f"{_KEYS}.delete": Call("key", "key_id", OWN, before=(f"{_KEYS}.refresh", f"{_KEYS}.doom"), ends=True),
    f"{_USERS}.refresh": Call(done=_FOR_ROOT),
    f"{_USERS}.search": Call(payload={"query": "x"}, done=_FOR_ROOT),
    f"{_USERS}.show_more": Call(done=_FOR_ROOT),
    f"{_USERS}.create": Call(payload={"form": {"newcomer": "newcomer"}}, done=_FOR_ROOT | {"UsernameTaken"}),
    f"{_USERS}.choose": Call(payload={"user_id": "nobody", "action": "demote"}, done=_FOR_ROOT | {"NotFound"}),
    f"{_USERS}.forget_link": Call(),
    f"{_USERS}.keep": Call(),
    f"{_USERS}.remove": Call(done=_FOR_ROOT | {"NotFound"}),
    # For root alone; tests/states/test_audit.py holds what root sees.
    f"{_AUDIT}.open": Call(done=_FOR_ROOT),
    f"{_AUDIT}.narrow": Call(payload={"form": {}}, done=_FOR_ROOT),
    f"{_AUDIT}.show_more": Call(done=_FOR_ROOT),
    f"{_AUDIT}.verify": Call(done=_FOR_ROOT),
    # --- chat
    "accounts.ui.export_state.ExportState.refresh": Call(),
    "accounts.ui.export_state.ExportState.begin": Call(),
    "accounts.ui.export_state.ExportState.discard": Call(done=frozenset({"NotFound"})),
    "chat.ui.history_state.HistoryState.ask": Call(),
    "chat.ui.history_state.HistoryState.keep": Call(),
    "chat.ui.history_state.HistoryState.clear": Call(),
    f"{_CHAT}.open": Call("session", needs=OWN, address="/c/{session_id}", is_quiet=True),
    f"{_CHAT}.refresh": Call("session", needs=OWN, address="/c/{session_id}", is_quiet=True, before=(f"{_CHAT}.open",)),
    f"{_CHAT}.show_older": Call("session", needs=OWN, address="/c/{session_id}", before=(f"{_CHAT}.open",)),
    f"{_CHAT}.ask": Call(payload={"question": "What does the rule say?"}),
    f"{_CHAT}.ask_again": Call("message", "message_id", OWN, is_quiet=True),
    f"{_CHAT}.stop": Call(),
    f"{_CHAT}.leave": Call("session", "session_id", OWN, is_quiet=True),
    f"{_CHAT}.suggest": Call(payload={"key": "chat.suggest.find.text"}),
    f"{_MODEL}.refresh": Call(),
    f"{_MODEL}.choose": Call(payload={"model": "passages"}),
    f"{_MODEL}.explain": Call(payload={"shown": True}),
    f"{_SIDE}.refresh": Call(),
    f"{_SIDE}.search": Call("title", "query", OWN, is_quiet=True),
    f"{_SIDE}.show_more": Call(),
    f"{_SIDE}.choose": Call("session", "session_id", OWN, payload={"action": "delete"}, is_quiet=True, before=_CHOSEN[:1]),
    f"{_SIDE}.rename": Call("session", "session_id", OWN, payload=_RENAMING, is_quiet=True, before=_CHOSEN, ends=True),
    f"{_SIDE}.delete": Call("session", "session_id", OWN, payload={"action": "delete"}, before=_CHOSEN, ends=True),
    f"{_SIDE}.keep_title": Call(),
    f"{_SIDE}.keep": Call(),
    f"{_PANEL}.open": Call("message", "message_id", OWN, payload={"n": 1}),
    f"{_PANEL}.close": Call(),
    "chat.ui.live.LiveState.watch": Call(),
    # --- documents
    f"{_LIST}.refresh": Call(),
    f"{_LIST}.search": Call("word", "query", VIEW, is_quiet=True),
    f"{_LIST}.show_more": Call(),
    f"{_LIST}.choose_group": Call("group", "group_id", VIEW, is_quiet=True),
    f"{_LIST}.stored": Call("document", "duplicate_of", VIEW, payload={"document_id": ""}, is_quiet=True),
    f"{_LIST}.attach": Call("document", "document_id", VIEW, payload={"duplicate_of": ""}, is_quiet=True),
    f"{_LIST}.detach": Call("document", "document_id", VIEW, is_quiet=True),
    f"{_LIST}.settle": Call(payload={"all_of_them": True}),
    f"{_LIST}.doom": Call("document", "document_id", VIEW),
    f"{_LIST}.keep": Call(),
    f"{_LIST}.delete": Call("document", "document_id", OWN, VIEW, before=(f"{_LIST}.doom",), ends=True),
    f"{_VIEWER}.open": Call("document", "document_id", VIEW),
    f"{_VIEWER}.read_on": Call("document", "document_id", VIEW, before=(f"{_VIEWER}.open",)),
    f"{_VIEWER}.close": Call(),
    f"{_WORK}.retry": Call("job", "job_id", OWN, done=frozenset({"JobNotRetryable"})),
    f"{_WORK}.stop": Call("job", "job_id", OWN, done=frozenset({"JobNotStoppable"})),
}  # fmt: skip

# Each state has it from the framework; the framework's own lead nowhere without a setter, of which there are none.
CLOSED: Final = "setvar"
# These follow for as long as the page is open.
ENDLESS: Final = frozenset({"chat.ui.live.LiveState.watch"})
