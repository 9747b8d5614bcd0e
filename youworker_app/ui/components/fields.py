"""Fields with their labels and hints."""

from typing import Any

import reflex as rx


def field(label: Any, name: str, *, hint: Any = None, **props: Any) -> rx.Component:
    """A labelled text field of a form; `hint` is read with it."""
    described = {"aria_describedby": f"{name}-hint"} if hint is not None else {}
    return rx.el.div(
        rx.el.label(label, html_for=name, class_name="label"),
        rx.el.input(id=name, name=name, class_name="input", **described, **props),
        rx.el.p(hint, id=f"{name}-hint", class_name="hint") if hint is not None else rx.fragment(),
        class_name="field",
    )


def search_field(label: Any, **props: Any) -> rx.Component:
    """A field that narrows a list while one types."""
    return rx.el.div(
        rx.icon("search", size=15, stroke_width=1.8, custom_attrs={"aria-hidden": "true"}),
        rx.el.input(type="search", aria_label=label, placeholder=label, class_name="search-input", **props),
        class_name="search",
    )
