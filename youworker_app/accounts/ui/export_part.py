"""The part of the account's page by which one takes one's own along: begun here, fetched when it is ready."""

import reflex as rx

from youworker_app.accounts.ui.export_state import ExportState
from youworker_app.ui.base_state import BaseState
from youworker_app.ui.components.buttons import button, link_button
from youworker_app.ui.components.sections import part
from youworker_app.ui.react.windows import When
from youworker_app.ui.words import t


def export_part() -> rx.Component:
    """The part."""
    export = ExportState.export
    begin = button(t("data.export.begin"), icon="package", on_click=ExportState.begin)
    failed = rx.fragment(
        rx.el.p(t("data.export.failed"), " ", export.problem, class_name="notice error", role="alert"), begin
    )
    return part(
        t("data.export"),
        t("data.export.intro"),
        rx.match(
            export.state,
            ("queued", _working()),
            ("running", _working()),
            ("ready", _ready()),
            ("failed", failed),
            begin,
        ),
    )


def _working() -> rx.Component:
    export = ExportState.export
    return rx.el.div(
        rx.el.div(
            rx.el.p(t("data.export.working", n=export.percent), class_name="hint", role="status"),
            rx.el.progress(value=export.percent, max=100, aria_label=t("data.export")),
            class_name="progress-line",
        ),
        button(t("app.cancel"), variant="quiet", on_click=ExportState.discard),
        class_name="part-row",
    )


def _ready() -> rx.Component:
    export = ExportState.export
    until = rx.fragment(
        t("data.export.until"), " ", When.create(at=export.until, language=BaseState.language)
    )
    return rx.fragment(
        rx.el.p(t("data.export.ready", size=export.size), " ", until, class_name="hint", role="status"),
        rx.el.div(
            link_button(
                t("data.export.fetch"),
                "/v1/account/export",
                variant="primary",
                icon="download",
                download=True,
            ),
            button(t("data.export.again"), variant="quiet", on_click=ExportState.begin),
            button(t("data.export.discard"), variant="quiet", on_click=ExportState.discard),
            class_name="part-row",
        ),
    )
