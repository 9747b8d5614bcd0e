"""The conversations in the sidebar."""

from typing import Any

import reflex as rx

from youworker_app.chat.ui.sidebar_state import SidebarState
from youworker_app.chat.ui.state import ChatState
from youworker_app.chat.ui.views import SessionItem
from youworker_app.ui.components.buttons import button, glyph, page_link
from youworker_app.ui.components.feedback import confirm
from youworker_app.ui.components.fields import search_field
from youworker_app.ui.react.windows import Menu
from youworker_app.ui.words import t


def new_chat() -> rx.Component:
    """Leads to an empty conversation."""
    return page_link(
        glyph("square-pen", 17), rx.el.span(t("chats.new")), to="/", class_name="side-link new", id="new-chat"
    )


def conversations(*, on_chat: bool) -> rx.Component:
    """Search and list; on the chat page the open one stands out."""

    def row(item: rx.Var[SessionItem]) -> rx.Component:
        here = rx.cond(ChatState.session == item.id, "page", "false") if on_chat else "false"
        shown = rx.cond(SidebarState.renaming == item.id, _rename(item), _link(item, here))
        return rx.el.li(shown, class_name="chat-row", key=item.id)

    return rx.el.section(
        rx.el.h2(t("chats.title"), class_name="side-title"),
        search_field(t("chats.search"), on_change=SidebarState.search.debounce(250)),
        rx.el.ul(rx.foreach(SidebarState.sessions, row), class_name="chats"),
        rx.cond(SidebarState.sessions.length() == 0, _nothing()),
        rx.cond(
            SidebarState.more, button(t("app.more"), variant="quiet small", on_click=SidebarState.show_more)
        ),
        confirm(
            SidebarState.doomed.id != "",
            title=t("chats.delete.title"),
            text=t("chats.delete.text", title=SidebarState.doomed.title),
            yes=t("chats.delete.yes"),
            on_yes=SidebarState.delete,
            on_close=SidebarState.keep,
        ),
        class_name="side-chats",
        aria_label=t("chats.title"),
    )


def _nothing() -> rx.Component:
    text = rx.cond(SidebarState.query == "", t("chats.empty"), t("chats.none_found"))
    return rx.el.p(text, class_name="side-note")


def _link(item: rx.Var[SessionItem], here: Any) -> rx.Component:
    menu = Menu.create(
        glyph("ellipsis", 16),
        label=t("chats.actions", title=item.title),
        trigger_class="icon-button small",
        items=[
            {"value": "rename", "text": t("chats.rename")},
            {"value": "delete", "text": t("chats.delete"), "danger": True},
        ],
        align="end",
        on_choose=lambda action: SidebarState.choose(item.id, action),
    )
    link = page_link(
        item.title,
        to=f"/c/{item.id}",
        class_name="chat-link",
        title=item.title,
        custom_attrs={"aria-current": here},
    )
    return rx.fragment(link, menu)


def _rename(item: rx.Var[SessionItem]) -> rx.Component:
    field = rx.el.input(
        name="title",
        default_value=item.title,
        aria_label=t("chats.rename.label"),
        class_name="input small",
        auto_focus=True,
        max_length=200,
        on_key_down=lambda key: rx.cond(key == "Escape", SidebarState.keep_title(), rx.noop()),
    )
    return rx.el.form(
        field,
        rx.el.button(
            glyph("check", 16), type="submit", class_name="icon-button small", aria_label=t("app.save")
        ),
        on_submit=SidebarState.rename,
        class_name="rename",
    )
