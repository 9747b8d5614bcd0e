"""What says how things stand: empty lists, skeletons, badges, toasts, questions before something is destroyed."""

from typing import Any

import reflex as rx

from youworker_app.ui.components.buttons import button, glyph
from youworker_app.ui.errors import Toast, ToastState
from youworker_app.ui.react.windows import Dialog, ToastView
from youworker_app.ui.words import t


def empty_state(icon: str, title: Any, text: Any, *extra: rx.Component) -> rx.Component:
    """An empty list that says what to do."""
    return rx.el.div(
        rx.el.div(glyph(icon, 22), class_name="empty-icon"),
        rx.el.h2(title, class_name="empty-title"),
        rx.el.p(text, class_name="empty-text"),
        *extra,
        class_name="empty",
    )


def skeleton(lines: int = 3) -> rx.Component:
    """Grey lines where something is about to be."""
    return rx.el.div(
        *[rx.el.div(class_name="bone") for _ in range(lines)], class_name="skeleton", aria_hidden="true"
    )


def badge(text: Any, *, kind: Any = "plain", icon: str = "") -> rx.Component:
    """A small word about something."""
    return rx.el.span(
        glyph(icon, 12) if icon else rx.fragment(), text, class_name="badge", custom_attrs={"data-kind": kind}
    )


def confirm(open_: Any, *, title: Any, text: Any, yes: Any, on_yes: Any, on_close: Any) -> rx.Component:
    """Asks before something is destroyed."""
    return Dialog.create(
        rx.el.h2(title, class_name="dialog-title"),
        rx.el.p(text, class_name="dialog-text"),
        rx.el.div(
            button(t("app.cancel"), on_click=on_close, auto_focus=True),
            button(yes, variant="danger", on_click=on_yes),
            class_name="dialog-actions",
        ),
        open=open_,
        label=title,
        on_close=on_close,
    )


def toasts() -> rx.Component:
    """The passing messages, read aloud politely."""

    def one(toast: rx.Var[Toast]) -> rx.Component:
        return ToastView.create(
            key=toast.id.to_string(),
            text=toast.text,
            kind=toast.kind,
            close_label=t("app.close"),
            on_close=ToastState.close(toast.id),
        )

    return rx.el.div(
        rx.foreach(ToastState.toasts, one), class_name="toasts", role="status", aria_label=t("toast.region")
    )
