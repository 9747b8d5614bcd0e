"""The Reflex app: pages, guard, error handler, what is mounted beside it. Nothing else."""

import reflex as rx

from youworker_app.accounts.ui.account_page import account_page
from youworker_app.accounts.ui.account_state import AccountPageState, DevicesState
from youworker_app.accounts.ui.components import account_menu
from youworker_app.accounts.ui.data_section import data_section, erase_part
from youworker_app.accounts.ui.devices_section import devices_section
from youworker_app.accounts.ui.erased_page import erased_page
from youworker_app.accounts.ui.erased_state import ErasedState
from youworker_app.accounts.ui.export_part import export_part
from youworker_app.accounts.ui.export_state import ExportState
from youworker_app.accounts.ui.keys_section import keys_section
from youworker_app.accounts.ui.keys_state import KeysState
from youworker_app.accounts.ui.page import login_page, reset_page, setup_page
from youworker_app.accounts.ui.password_section import password_section
from youworker_app.accounts.ui.profile_section import profile_section
from youworker_app.accounts.ui.state import AccountState, EntranceState
from youworker_app.accounts.ui.users_page import users_page
from youworker_app.accounts.ui.users_state import UsersState
from youworker_app.audit.ui.page import audit_page
from youworker_app.audit.ui.state import AuditState
from youworker_app.chat.ui.history_part import history_part
from youworker_app.chat.ui.live import LiveState
from youworker_app.chat.ui.page import chat_page
from youworker_app.chat.ui.panel import source_panel
from youworker_app.chat.ui.panel_state import PanelState
from youworker_app.chat.ui.sidebar import conversations, new_chat
from youworker_app.chat.ui.sidebar_state import SidebarState
from youworker_app.chat.ui.state import ChatState, ModelState
from youworker_app.documents.ui.components import document_panel
from youworker_app.documents.ui.page import documents_page
from youworker_app.documents.ui.state import DocumentsState
from youworker_app.documents.ui.viewer_state import ViewerState
from youworker_app.ingestion.ui.state import WorkState
from youworker_app.rest import build_rest
from youworker_app.ui.errors import on_browser_error, on_error
from youworker_app.ui.guard import Guard
from youworker_app.ui.page import head, not_found_page, overlay
from youworker_app.ui.shell import shell
from youworker_app.ui.words import t

STYLES = [
    "/css/base.css",
    "/css/controls.css",
    "/css/shell.css",
    "/css/chat.css",
    "/css/answer.css",
    "/css/pages.css",
    "/css/documents.css",
    "/css/account.css",
    "/css/audit.css",
]
ICON = "/icons/favicon.svg"
FIRST = [AccountState.open, SidebarState.refresh]


def chat() -> rx.Component:
    """`/` and `/c/[session_id]`."""
    return shell(
        chat_page(AccountState.username),
        here="chat",
        title=rx.cond(ChatState.heading != "", ChatState.heading, t("chats.new")),
        theme=AccountState.theme,
        conversations=conversations(on_chat=True),
        account=account_menu(),
        new_chat=new_chat(),
        panel=source_panel(),
    )


def documents() -> rx.Component:
    """`/documents`."""
    return shell(
        documents_page(AccountState.groups, WorkState.retry, WorkState.stop),
        here="documents",
        title=t("documents.title"),
        theme=AccountState.theme,
        conversations=conversations(on_chat=False),
        account=account_menu(),
        new_chat=new_chat(),
        panel=document_panel(),
    )


def account() -> rx.Component:
    """`/account`."""
    data = data_section(export_part(), history_part(), erase_part())
    page = account_page(profile_section(), password_section(), devices_section(), keys_section(), data)
    return _settings(page, here="account", title=t("account.title"))


def users() -> rx.Component:
    """`/users`."""
    return _settings(users_page(), here="users", title=t("users.title"))


def audit() -> rx.Component:
    """`/audit`."""
    return _settings(audit_page(AccountState.is_root), here="audit", title=t("trail.title"))


def _settings(page: rx.Component, *, here: str, title: rx.Var[str]) -> rx.Component:
    return shell(
        page,
        here=here,
        title=title,
        theme=AccountState.theme,
        conversations=conversations(on_chat=False),
        account=account_menu(),
        new_chat=new_chat(),
    )


CHAT_LOADS = [
    *FIRST,
    PanelState.close,
    ChatState.open,
    ModelState.refresh,
    DocumentsState.refresh,
    LiveState.watch,
]

app = rx.App(
    stylesheets=STYLES,
    head_components=head(),
    html_lang="en",
    backend_exception_handler=on_error,
    frontend_exception_handler=on_browser_error,
    toaster=None,
    app_wraps=overlay(),
    api_transformer=build_rest(),
)
app.add_middleware(Guard(), index=0)
app.add_page(chat, route="/", title="YouWorker", image=ICON, on_load=CHAT_LOADS)
app.add_page(chat, route="/c/[session_id]", title="YouWorker", image=ICON, on_load=CHAT_LOADS)
app.add_page(
    documents,
    route="/documents",
    title="YouWorker",
    image=ICON,
    on_load=[*FIRST, ViewerState.close, DocumentsState.refresh, LiveState.watch],
)
app.add_page(
    account,
    route="/account",
    title="YouWorker",
    image=ICON,
    on_load=[
        *FIRST,
        AccountPageState.open,
        DevicesState.refresh,
        KeysState.refresh,
        ExportState.refresh,
        ExportState.refresh,
        LiveState.watch,
    ],
)
app.add_page(
    users,
    route="/users",
    title="YouWorker",
    image=ICON,
    on_load=[*FIRST, UsersState.refresh, LiveState.watch],
)
app.add_page(
    audit,
    route="/audit",
    title="YouWorker",
    image=ICON,
    on_load=[*FIRST, AuditState.open, LiveState.watch],
)
app.add_page(login_page, route="/login", title="YouWorker", image=ICON, on_load=EntranceState.open_login)
app.add_page(setup_page, route="/setup", title="YouWorker", image=ICON, on_load=EntranceState.open_setup)
app.add_page(reset_page, route="/reset", title="YouWorker", image=ICON, on_load=EntranceState.open_reset)
app.add_page(erased_page, route="/erased", title="YouWorker", image=ICON, on_load=ErasedState.open)
app.add_page(not_found_page, route="404", title="YouWorker", image=ICON)
