"""`/account`: one's own account, section by section; each section stands in a file of its own."""

from typing import Any

import reflex as rx

from youworker_app.ui.components.sections import page_head
from youworker_app.ui.words import t


def account_page(*sections: Any) -> rx.Component:
    """The page with the sections that it is given."""
    return rx.el.div(
        page_head(t("account.title"), t("account.intro")),
        *sections,
        class_name="settings",
    )
