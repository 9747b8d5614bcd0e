"""The part of the account's page that clears all conversations."""

import reflex as rx

from youworker_app.chat.ui.history_state import HistoryState
from youworker_app.ui.components.buttons import button
from youworker_app.ui.components.feedback import confirm
from youworker_app.ui.components.sections import part
from youworker_app.ui.words import t


def history_part() -> rx.Component:
    """The part."""
    return part(
        t("data.history"),
        t("data.history.intro"),
        button(t("data.history.clear"), icon="eraser", on_click=HistoryState.ask),
        confirm(
            HistoryState.asks,
            title=t("data.history.title"),
            text=t("data.history.text"),
            yes=t("data.history.yes"),
            on_yes=HistoryState.clear,
            on_close=HistoryState.keep,
        ),
    )
