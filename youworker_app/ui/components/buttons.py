"""Buttons and links that look like them. Variants: primary, secondary, quiet, danger."""

from typing import Any

import reflex as rx
from reflex_components_core.react_router.dom import ReactRouterLink  # type: ignore[import-untyped]


def button(label: Any, *, variant: str = "secondary", icon: str = "", **props: Any) -> rx.Component:
    """A button with words, and an icon before them where one is named."""
    return rx.el.button(
        *_content(label, icon), class_name=f"button {variant}", **({"type": "button"} | props)
    )


def link_button(
    label: Any, href: Any, *, variant: str = "secondary", icon: str = "", **props: Any
) -> rx.Component:
    """A link that looks like a button; it loads its address anew (downloads, native routes)."""
    return server_link(*_content(label, icon), href=href, class_name=f"button {variant}", **props)


def server_link(*children: Any, href: Any, **props: Any) -> rx.Component:
    """A link to something that the server answers itself. A plain one would be followed inside the app, to nothing."""
    return ReactRouterLink.create(*children, to=href, reload_document=True, **props)


def page_link(*children: Any, to: Any, class_name: str, **props: Any) -> rx.Component:
    """A link to another page of this app, followed without loading anew."""
    return ReactRouterLink.create(*children, to=to, class_name=class_name, **props)


def icon_button(icon: str, label: Any, **props: Any) -> rx.Component:
    """A button that is an icon; `label` names it for everyone who does not see it."""
    attributes = {"aria_label": label, "title": label, "class_name": "icon-button", "type": "button"} | props
    return rx.el.button(glyph(icon), **attributes)


def glyph(name: str, size: int = 18) -> rx.Component:
    """An icon beside words, hidden from readers."""
    return rx.icon(name, size=size, stroke_width=1.6, custom_attrs={"aria-hidden": "true"})


def _content(label: Any, icon: str) -> list[Any]:
    return [glyph(icon, 16), rx.el.span(label)] if icon else [label]
