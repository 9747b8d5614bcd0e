"""The product's mark."""

import reflex as rx

from youworker_app.ui.words import t


def mark(size: int = 26) -> rx.Component:
    """The sign: a page with its source marked."""
    return rx.el.svg(
        rx.el.svg.rect(x="1", y="1", width="26", height="26", rx="8", fill="var(--accent)"),
        rx.el.svg.path(
            d="M8.6 8.2 14 15.2m5.4-7L14 15.2m0 0v5",
            stroke="var(--on-accent)",
            stroke_width="2.6",
            stroke_linecap="round",
            stroke_linejoin="round",
            fill="none",
        ),
        rx.el.svg.circle(cx="20.4", cy="20.2", r="1.7", fill="var(--on-accent)"),
        view_box="0 0 28 28",
        width=f"{size}px",
        height=f"{size}px",
        custom_attrs={"aria-hidden": "true"},
    )


def brand() -> rx.Component:
    """The sign with the name."""
    return rx.el.span(mark(), rx.el.span(t("app.name"), class_name="brand-name"), class_name="brand")
