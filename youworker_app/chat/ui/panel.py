"""The panel with the source of a statement."""

from typing import Any

import reflex as rx

from youworker_app.chat.ui.panel_state import PanelState
from youworker_app.ui.components.buttons import icon_button, link_button
from youworker_app.ui.components.feedback import empty_state
from youworker_app.ui.react.windows import PagePicture, SidePanel, page_labels
from youworker_app.ui.words import t

source = PanelState.source


def source_panel() -> rx.Component:
    """Beside the conversation, over it on a phone."""
    gone = empty_state("eye-off", t("panel.gone.title"), t("panel.gone.text"))
    return SidePanel.create(
        rx.el.header(
            rx.el.span(source.n, class_name="source-n"),
            rx.el.div(
                rx.el.h2(
                    rx.cond(source.available, source.filename, t("panel.title")), class_name="panel-name"
                ),
                rx.el.p(source.where, class_name="panel-where"),
                rx.cond(source.sections != "", rx.el.p(source.sections, class_name="panel-sections")),
                class_name="panel-names",
            ),
            icon_button("x", t("panel.close"), on_click=PanelState.close),
            class_name="panel-head",
        ),
        rx.el.div(rx.cond(source.available, _content(), gone), class_name="panel-body"),
        open=PanelState.shown,
        label=t("panel.title"),
        on_close=PanelState.close,
    )


def _content() -> Any:
    picture = PagePicture.create(
        file_id=source.file_id,
        page=source.page,
        pages=source.pages,
        chunk_id=source.chunk_id,
        labels=page_labels(),
    )
    quote = rx.el.blockquote(source.before, rx.el.mark(source.marked), source.after, class_name="quote")
    download = link_button(
        t("panel.download"), f"/v1/files/{source.file_id}/download", icon="download", download=True
    )
    return rx.fragment(
        rx.cond(source.page > 0, picture),
        rx.el.h3(t("panel.quote"), class_name="panel-title"),
        quote,
        rx.cond(source.can_download, download),
    )
