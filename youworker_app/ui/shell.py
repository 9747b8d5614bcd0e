"""The frame around every signed-in page: sidebar (a drawer on a phone), top bar, main part, side panel, toasts.

It knows no domain: conversations, account menu and the page itself are given to it.
"""

from typing import Any

import reflex as rx

from youworker_app.ui.base_state import BaseState
from youworker_app.ui.components.brand import brand
from youworker_app.ui.components.buttons import glyph, page_link
from youworker_app.ui.components.feedback import skeleton, toasts
from youworker_app.ui.react.windows import Drawer, DrawerButton, PageEffects
from youworker_app.ui.words import t


def shell(
    main: rx.Component,
    *,
    here: str,
    title: Any,
    theme: Any,
    conversations: rx.Component,
    account: rx.Component,
    new_chat: rx.Component,
    panel: rx.Component | None = None,
) -> rx.Component:
    """The whole page. `here` is chat or documents; `title` stands in the top bar of a phone."""
    side = Drawer.create(
        rx.el.div(brand(), class_name="side-head"),
        _links(here, new_chat),
        conversations,
        rx.el.div(account, class_name="side-foot"),
        label=t("nav.main"),
    )
    top = rx.el.header(
        DrawerButton.create(label=t("app.menu")), rx.el.span(title, class_name="top-title"), class_name="top"
    )
    page = rx.el.div(
        rx.el.a(t("app.skip"), href="#main", class_name="skip"),
        side,
        rx.el.div(top, rx.el.main(main, id="main", class_name="main", tab_index=-1), class_name="middle"),
        panel if panel is not None else rx.fragment(),
        class_name="shell",
    )
    return rx.fragment(
        PageEffects.create(language=BaseState.language, theme=theme, title=title, away=t("app.away")),
        rx.cond(BaseState.language != "", rx.fragment(page, toasts()), _waiting()),
    )


def _links(here: str, new_chat: rx.Component) -> rx.Component:
    return rx.el.div(
        new_chat,
        _link("message-square", t("nav.chat"), "/", current=here == "chat"),
        _link("files", t("nav.documents"), "/documents", current=here == "documents"),
        class_name="side-links",
    )


def _link(icon: str, label: Any, to: str, *, current: bool) -> rx.Component:
    attributes = {"aria-current": "page"} if current else {}
    return page_link(
        glyph(icon, 17), rx.el.span(label), to=to, class_name="side-link", custom_attrs=attributes
    )


def _waiting() -> rx.Component:
    return rx.el.div(
        rx.el.div(skeleton(6), class_name="side"),
        rx.el.div(rx.el.main(skeleton(3), class_name="main waiting"), class_name="middle"),
        class_name="shell",
    )
