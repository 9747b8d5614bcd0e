"""The parts of the documents' screens: a row, the files added in the chat, the viewer."""

from typing import Any

import reflex as rx

from youworker_app.documents.ui.state import DocumentsState
from youworker_app.documents.ui.viewer_state import ViewerState
from youworker_app.documents.ui.views import DocumentItem
from youworker_app.ui.base_state import BaseState
from youworker_app.ui.components.buttons import button, glyph, icon_button, link_button, server_link
from youworker_app.ui.components.feedback import badge
from youworker_app.ui.react.windows import PagePicture, SidePanel, When, page_labels
from youworker_app.ui.words import t


def document_row(item: rx.Var[DocumentItem], on_retry: Any, on_stop: Any) -> rx.Component:
    """A document with its state and what can be done with it."""
    name = rx.el.button(
        rx.el.span(item.name, class_name="doc-name"),
        type="button",
        class_name="doc-open",
        aria_label=t("documents.open", name=item.name),
        disabled=item.file_id == "",
        on_click=ViewerState.open(item.id),
    )
    facts = rx.el.p(
        item.facts,
        " · ",
        When.create(at=item.created_at, language=BaseState.language),
        class_name="doc-facts",
    )
    return rx.el.li(
        rx.el.span(glyph("file-text", 20), class_name="doc-icon", custom_attrs={"data-kind": item.kind}),
        rx.el.div(
            rx.el.div(
                name,
                rx.cond(item.private, badge(t("documents.private.badge"), icon="lock")),
                class_name="doc-line",
            ),
            facts,
            rx.cond(item.problem != "", rx.el.p(item.problem, class_name="doc-problem")),
            _progress(item),
            class_name="doc-main",
        ),
        _state(item),
        rx.el.div(*_actions(item, on_retry, on_stop), class_name="doc-actions"),
        class_name="doc",
        key=item.id,
        custom_attrs={"data-state": item.state},
    )


def attached_files() -> rx.Component:
    """The files that were added in this chat, and how far each one is."""

    def chip(item: rx.Var[DocumentItem]) -> rx.Component:
        state = rx.match(
            item.state,
            ("ready", rx.fragment(glyph("check", 13), rx.el.span(t("chat.attached.ready")))),
            ("failed", rx.el.span(item.problem)),
            rx.el.span(item.stage),
        )
        remove = rx.el.button(
            glyph("x", 13),
            type="button",
            class_name="chip-close",
            aria_label=t("chat.attached.remove", name=item.name),
            on_click=DocumentsState.detach(item.id),
        )
        return rx.el.li(
            rx.el.span(item.name, class_name="chip-name"),
            rx.el.span(state, class_name="chip-state"),
            remove,
            class_name="chip",
            key=item.id,
            custom_attrs={"data-state": item.state},
        )

    chips = rx.el.ul(
        rx.foreach(DocumentsState.attached, chip), class_name="chips", aria_label=t("chat.attached.label")
    )
    return rx.cond(DocumentsState.attached.length() > 0, chips)


def document_panel() -> rx.Component:
    """The open document."""
    item = ViewerState.item
    pages = PagePicture.create(
        file_id=item.file_id, page=1, pages=item.pages, chunk_id="", labels=page_labels()
    )
    text = rx.fragment(
        rx.el.h3(t("viewer.text"), class_name="panel-title"),
        rx.foreach(ViewerState.texts, lambda text: rx.el.p(text, class_name="read")),
        rx.cond(
            ViewerState.more != "", button(t("viewer.more"), variant="quiet", on_click=ViewerState.read_on)
        ),
    )
    return SidePanel.create(
        rx.el.header(
            rx.el.div(
                rx.el.h2(item.name, class_name="panel-name"),
                rx.el.p(item.facts, class_name="panel-where"),
                class_name="panel-names",
            ),
            icon_button("x", t("app.close"), on_click=ViewerState.close),
            class_name="panel-head",
        ),
        rx.el.div(
            rx.cond(item.kind == "pdf", pages, text),
            rx.cond(item.downloadable, _download(item)),
            class_name="panel-body",
        ),
        open=ViewerState.shown,
        label=t("viewer.title"),
        on_close=ViewerState.close,
    )


def _download(item: Any) -> rx.Component:
    return link_button(
        t("panel.download"), f"/v1/files/{item.file_id}/download", icon="download", download=True
    )


def _state(item: rx.Var[DocumentItem]) -> rx.Component:
    return rx.el.span(rx.el.i(aria_hidden="true"), item.stage, class_name="doc-state")


def _progress(item: rx.Var[DocumentItem]) -> Any:
    bar = rx.el.progress(
        value=item.percent, max=100, class_name="bar", aria_label=t("documents.progress", name=item.name)
    )
    return rx.cond((item.state == "working") | (item.state == "queued"), bar)


def _actions(item: rx.Var[DocumentItem], on_retry: Any, on_stop: Any) -> list[Any]:
    again = icon_button("rotate-cw", t("documents.action.retry"), on_click=on_retry(item.job_id))
    stop = icon_button("circle-stop", t("documents.action.stop"), on_click=on_stop(item.job_id))
    busy = (item.state == "working") | (item.state == "queued")
    ended = (item.state == "failed") | (item.state == "cancelled")
    download = server_link(
        glyph("download"),
        href=f"/v1/files/{item.file_id}/download",
        download=True,
        class_name="icon-button",
        aria_label=t("documents.action.download"),
        title=t("documents.action.download"),
    )
    delete = icon_button("trash-2", t("documents.action.delete"), on_click=DocumentsState.doom(item.id))
    return [
        rx.cond(item.mine & busy, stop),
        rx.cond(item.mine & ended, again),
        rx.cond(item.downloadable, download),
        rx.cond(item.mine, delete),
    ]
