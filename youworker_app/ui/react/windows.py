"""Windows, menus, page pictures and what belongs to the whole page."""

from typing import Any

import reflex as rx

from youworker_app.ui.react.base import SOURCES, LocalComponent, no_arguments, one_text
from youworker_app.ui.words import labels


class Menu(LocalComponent):
    """A button (the children) that opens a list. Items: `{value, text, checked?, danger?}`, `{heading}` or `{line}`."""

    library = f"{SOURCES}/menu.jsx"
    tag = "Menu"

    label: rx.Var[str]
    trigger_class: rx.Var[str]
    items: rx.Var[list[Any]]
    align: rx.Var[str]
    side: rx.Var[str]

    on_choose: rx.EventHandler[one_text]


class Dialog(LocalComponent):
    """A modal window."""

    library = f"{SOURCES}/dialog.jsx"
    tag = "Dialog"

    open: rx.Var[bool]
    label: rx.Var[str]

    on_close: rx.EventHandler[no_arguments]


class SidePanel(LocalComponent):
    """Beside the page where there is room, over it on a phone. Escape closes."""

    library = f"{SOURCES}/dialog.jsx"
    tag = "SidePanel"

    open: rx.Var[bool]
    label: rx.Var[str]

    on_close: rx.EventHandler[no_arguments]


class PagePicture(LocalComponent):
    """A page of a stored file as a picture, the passage of `chunk_id` marked on `page`."""

    library = f"{SOURCES}/pages.jsx"
    tag = "PagePicture"

    file_id: rx.Var[str]
    page: rx.Var[int]
    pages: rx.Var[int]
    chunk_id: rx.Var[str]
    labels: rx.Var[dict[str, str]]


class PageEffects(LocalComponent):
    """The page's language, colours and the line that says that the connection is lost."""

    library = f"{SOURCES}/effects.jsx"
    tag = "PageEffects"

    language: rx.Var[str]
    theme: rx.Var[str]
    title: rx.Var[str]
    away: rx.Var[str]


class Drawer(LocalComponent):
    """The sidebar: a drawer on a phone."""

    library = f"{SOURCES}/drawer.jsx"
    tag = "Drawer"

    label: rx.Var[str]


class DrawerButton(LocalComponent):
    """Opens the drawer."""

    library = f"{SOURCES}/drawer.jsx"
    tag = "DrawerButton"

    label: rx.Var[str]


class ToastView(LocalComponent):
    """One passing message."""

    library = f"{SOURCES}/effects.jsx"
    tag = "Toast"

    text: rx.Var[str]
    kind: rx.Var[str]
    close_label: rx.Var[str]

    on_close: rx.EventHandler[no_arguments]


class NativeForm(LocalComponent):
    """A form that the browser posts by itself, with the hidden csrf field from `token_url` or given as `csrf`."""

    library = f"{SOURCES}/effects.jsx"
    tag = "NativeForm"

    action: rx.Var[str]
    token_url: rx.Var[str]
    csrf: rx.Var[str]


class Secret(LocalComponent):
    """Something that is shown once, with a button that copies it."""

    library = f"{SOURCES}/secret.jsx"
    tag = "Secret"

    value: rx.Var[str]
    labels: rx.Var[dict[str, str]]


class When(LocalComponent):
    """A moment (ISO 8601) in the reader's own time and language."""

    library = f"{SOURCES}/effects.jsx"
    tag = "When"

    at: rx.Var[str]
    language: rx.Var[str]


def page_labels() -> rx.Var[dict[str, str]]:
    """The words that a page picture needs."""
    return labels(page="page.label", previous="page.previous", next="page.next", failed="page.failed")
