"""The heading of a page, its sections, and lists whose rows have facts and actions."""

from typing import Any

import reflex as rx

from youworker_app.ui.components.buttons import glyph


def page_head(title: Any, intro: Any) -> rx.Component:
    """What a page is called and for."""
    return rx.el.header(
        rx.el.h1(title, class_name="page-title"),
        rx.el.p(intro, class_name="page-intro"),
        class_name="page-head",
    )


def section(title: Any, *content: Any, intro: Any = None, anchor: str = "") -> rx.Component:
    """A part of a page with a heading of its own."""
    return rx.el.section(
        rx.el.h2(title, class_name="section-title"),
        rx.el.p(intro, class_name="section-intro") if intro is not None else rx.fragment(),
        *content,
        class_name="section",
        **({"id": anchor} if anchor else {}),
    )


def part(title: Any, text: Any, *content: Any, is_grave: bool = False, anchor: str = "") -> rx.Component:
    """A part of a section; a grave one is set apart."""
    return rx.el.div(
        rx.el.h3(title, class_name="part-title"),
        rx.el.p(text, class_name="part-text"),
        *content,
        class_name="part",
        custom_attrs={"data-grave": "true"} if is_grave else {},
        **({"id": anchor} if anchor else {}),
    )


def row(
    icon: Any, name: Any, facts: Any, *, badges: Any = None, actions: Any = None, key: Any
) -> rx.Component:
    """One line of a list: what it is, what is known of it, what can be done. `icon` is a glyph's name or a component."""
    return rx.el.li(
        rx.el.span(glyph(icon, 18) if isinstance(icon, str) else icon, class_name="row-icon"),
        rx.el.div(
            rx.el.div(
                rx.el.span(name, class_name="row-name"), badges or rx.fragment(), class_name="row-line"
            ),
            rx.el.p(facts, class_name="row-facts"),
            class_name="row-main",
        ),
        rx.el.div(actions or rx.fragment(), class_name="row-actions"),
        class_name="row",
        key=key,
    )
