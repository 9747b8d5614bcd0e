"""`/documents`: add files, see how they fare, open and delete them."""

from typing import Any

import reflex as rx

from youworker_app.documents.ui.components import document_row
from youworker_app.documents.ui.state import DocumentsState
from youworker_app.ui.base_state import BaseState
from youworker_app.ui.components.buttons import button
from youworker_app.ui.components.feedback import confirm, empty_state, skeleton
from youworker_app.ui.components.fields import search_field
from youworker_app.ui.components.sections import page_head
from youworker_app.ui.react.files import UploadZone, upload_labels
from youworker_app.ui.words import error_labels, labels, t


def documents_page(groups: Any, on_retry: Any, on_stop: Any) -> rx.Component:
    """The page. `groups` are the person's; the two handlers steer the reading of a document by its job."""
    nothing = (DocumentsState.working.length() == 0) & (DocumentsState.items.length() == 0)

    def row(item: Any) -> rx.Component:
        return document_row(item, on_retry, on_stop)

    rows = rx.el.ul(
        rx.foreach(DocumentsState.working, row),
        rx.foreach(DocumentsState.items, row),
        class_name="docs",
        aria_label=t("documents.list"),
    )
    return rx.el.div(
        page_head(t("documents.title"), t("documents.intro")),
        _upload(groups),
        rx.el.div(
            search_field(t("documents.search"), on_change=DocumentsState.search.debounce(250)),
            class_name="tools",
        ),
        rx.cond(DocumentsState.loaded, rx.cond(nothing, _nothing(), rows), skeleton(5)),
        rx.cond(
            DocumentsState.more, button(t("app.more"), variant="quiet", on_click=DocumentsState.show_more)
        ),
        _confirm_delete(),
        class_name="documents",
    )


def _upload(groups: Any) -> rx.Component:
    words = labels(drop="documents.drop", choose="documents.choose", **upload_labels())
    zone = UploadZone.create(
        csrf=BaseState.csrf_token,
        fields={"group_id": DocumentsState.group},
        labels=words.merge(rx.Var.create({"hint": t("documents.hint", size=DocumentsState.largest)})),
        errors=error_labels(),
        on_stored=DocumentsState.stored,
    )
    choice = rx.el.div(
        rx.el.label(t("documents.for"), html_for="audience", class_name="label"),
        rx.el.select(
            rx.el.option(t("documents.private"), value=""),
            rx.foreach(
                groups, lambda g: rx.el.option(t("documents.group", name=g.name), value=g.id, key=g.id)
            ),
            id="audience",
            value=DocumentsState.group,
            on_change=DocumentsState.choose_group,
            class_name="input select",
        ),
        class_name="audience",
    )
    return rx.el.section(zone, rx.cond(groups.length() > 0, choice), class_name="add")


def _nothing() -> Any:
    return rx.cond(
        DocumentsState.query == "",
        empty_state("files", t("documents.empty.title"), t("documents.empty.text")),
        rx.el.p(t("documents.none_found"), class_name="none"),
    )


def _confirm_delete() -> rx.Component:
    return confirm(
        DocumentsState.doomed.id != "",
        title=t("documents.delete.title"),
        text=t("documents.delete.text", name=DocumentsState.doomed.name),
        yes=t("documents.delete.yes"),
        on_yes=DocumentsState.delete,
        on_close=DocumentsState.keep,
    )
