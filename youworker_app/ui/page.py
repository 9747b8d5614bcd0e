"""What every page has in its head and around it, and the page for an address that does not exist."""

from collections.abc import Callable

import reflex as rx
from reflex.app import default_error_boundary

from youworker_app.ui.components.brand import mark
from youworker_app.ui.components.buttons import page_link
from youworker_app.ui.theme import tokens_css
from youworker_app.ui.words import both

Wraps = dict[tuple[int, str], Callable[[bool], rx.Component | None]]


def head() -> list[rx.Component]:
    """Tokens, icon and the colours of the browser's own frame."""
    return [
        rx.el.style(tokens_css()),
        rx.el.link(rel="icon", type="image/svg+xml", href="/icons/favicon.svg"),
        rx.el.meta(name="color-scheme", content="light dark"),
    ]


def overlay() -> Wraps:
    """What is wrapped around the app: an error boundary. Lost connections are told by PageEffects, not by Reflex."""
    return {(55, "ErrorBoundary"): lambda _stateful: default_error_boundary()}


def not_found_page() -> rx.Component:
    """For anyone, signed in or not: both languages stand on it."""
    return rx.el.main(
        mark(40),
        rx.el.h1(*both("app.not_found.title"), class_name="hello"),
        rx.el.p(*both("app.not_found.text"), class_name="hello-text"),
        page_link(*both("app.not_found.home"), to="/", class_name="button primary"),
        class_name="not-found",
    )
