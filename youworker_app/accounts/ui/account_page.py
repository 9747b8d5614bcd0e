"""`/account`: one's own account, section by section; each section stands in a file of its own."""

from typing import Any

import reflex as rx

from youworker_app.ui.words import t


def account_page(*sections: Any) -> rx.Component:
    """The page with the sections that it is given."""
    return rx.el.div(
        rx.el.header(
            rx.el.h1(t("account.title"), class_name="page-title"),
            rx.el.p(t("account.intro"), class_name="page-intro"),
            class_name="page-head",
        ),
        *sections,
        class_name="settings",
    )
